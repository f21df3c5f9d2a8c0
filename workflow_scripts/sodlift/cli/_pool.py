"""The pool of a refiner that is trained without a workflow: made of the training's own images, beside the model."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

from sodlift.datasets.manifest import Manifest
from sodlift.errors import ConfigError
from sodlift.inference.model import pool_beside
from sodlift.pools.similar import POOL
from sodlift.pools.similar.images import ImagePool
from sodlift.pools.similar.options import SimilarOptions
from sodlift.training.job import TrainingJob


@contextmanager
def compared(job: TrainingJob, manifest: Manifest, *, overwrite: bool) -> Iterator[TrainingJob]:
    """Yield the training with a pool of its images, which stays beside the model, and with their alignment.

    Both are taken up where a killed training left them. Raises ConfigError where a pool of other images, or anything
    else, is in the way.
    """
    pool, aligned = pool_beside(job.output), job.checkpoint.with_name(f"{job.checkpoint.name}.aligned")
    if pool.exists() and not _is_of(pool, manifest, overwrite=overwrite):
        rmtree(pool)
        rmtree(aligned, ignore_errors=True)
    if not pool.exists():
        POOL.build(SimilarOptions(), [manifest], pool, job.threads)
    if not aligned.exists():
        POOL.align(manifest, pool, aligned, job.threads)
    yield replace(job, pool=pool, aligned=(aligned,))
    rmtree(aligned)


def _is_of(pool: Path, manifest: Manifest, *, overwrite: bool) -> bool:
    """Return whether a pool holds just these images; raises ConfigError where it does not and must not be replaced."""
    held = {entry.image_sha256 for entry in ImagePool(pool).entries.values()}
    same = held == {entry.image_sha256 for entry in manifest.entries}
    if not same and not overwrite:
        raise ConfigError(
            "there is a pool of other images", where=pool, mend="add --overwrite, or choose another name for the model"
        )
    return same
