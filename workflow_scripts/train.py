"""Adapter of rule train_refiner: one refiner's model for one seed."""

from pathlib import Path
from typing import Any, cast

from adapter import options_of, run_job
from sodlift.datasets.manifest import Manifest
from sodlift.mapset import MapSet
from sodlift.refiners import REFINERS
from sodlift.training.job import TrainingJob


def main(snakemake: Any) -> None:
    """Train on the manifests, with the priors where the refiner learns from them."""
    params, refiner = snakemake.params, cast(Any, REFINERS.get(snakemake.params.row["type"]))
    manifests = [Manifest.load(file) for file in snakemake.input.manifests]
    maps: list[MapSet | None] = [MapSet(folder) for folder in snakemake.input.priors] or [None] * len(manifests)
    training = TrainingJob(
        tuple(zip(manifests, maps, strict=True)),
        output=Path(snakemake.output.model),
        checkpoint=Path(params.checkpoint),
        log=Path(snakemake.output.history),
        seed=params.seed,
        device=params.device,
        threads=snakemake.threads,
    )
    refiner.train(options_of(refiner, snakemake), training)


run_job(main, globals())
