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
    files = Path(snakemake.output.model), Path(params.checkpoint), Path(snakemake.output.history)
    board = Path(params.tensorboard) if snakemake.config.get("tensorboard") else None
    sources = tuple(zip(manifests, maps, strict=True))
    job = TrainingJob(sources, *files, params.seed, params.device, snakemake.threads, board)
    refiner.train(options_of(refiner, snakemake), job)


run_job(main, globals())
