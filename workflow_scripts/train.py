"""Adapter of rule train_refiner: one refiner's model for one seed."""

from pathlib import Path
from typing import Any, cast

from adapter import options_of, run_job
from sodlift.datasets.manifest import Manifest, refuse_overlap
from sodlift.mapset import MapSet
from sodlift.refiners import REFINERS
from sodlift.training.job import TrainingJob


def main(snakemake: Any) -> None:
    """Train on the manifests and priors, after checking that no image of a test set is among them."""
    params, refiner = snakemake.params, cast(Any, REFINERS.get(snakemake.params.row["type"]))
    manifests = [Manifest.load(path) for path in snakemake.input.manifests]
    refuse_overlap(manifests, [Manifest.load(path) for path in snakemake.input.held_out])
    training = TrainingJob(
        tuple(zip(manifests, map(MapSet, snakemake.input.priors), strict=True)),
        output=Path(snakemake.output.model),
        checkpoint=Path(params.checkpoint),
        log=Path(snakemake.output.history),
        seed=params.seed,
        device=params.device,
        threads=snakemake.threads,
    )
    refiner.train(options_of(refiner, snakemake), training)


run_job(main, globals())
