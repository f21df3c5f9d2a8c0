"""Images that are similar by GIST and HOG, matched by SIFT flow, their superpixels linked (MIJR, Sec. III)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sodlift.datasets.manifest import Manifest
from sodlift.pools._base import PoolType
from sodlift.pools.similar.options import SimilarOptions


def _build(options: Any, manifests: Sequence[Manifest], folder: Path, workers: int) -> None:
    from sodlift.pools.similar.images import build_pool  # noqa: PLC0415 - compiled code is slow to load

    build_pool(options, manifests, folder, workers)


def _align(manifest: Manifest, pool: Path, folder: Path, workers: int) -> None:
    from sodlift.pools.similar.aligned import align_dataset  # noqa: PLC0415 - compiled code is slow to load

    align_dataset(manifest, pool, folder, workers)


POOL = PoolType(
    title="similar images, superpixels linked",
    source="MIJR, TMM 2020",
    options=SimilarOptions,
    build=_build,
    align=_align,
)
