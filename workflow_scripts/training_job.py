"""What the adapters of trainings share: the library's job, from Snakemake's."""

from pathlib import Path
from typing import Any

from adapter import given_to
from sodlift.datasets.manifest import Manifest
from sodlift.mapset import MapSet
from sodlift.training.job import TrainingJob


def training_job(snakemake: Any) -> TrainingJob:
    """Return the training on the manifests, each with its priors where the row learns from maps."""
    params, model = snakemake.params, Path(snakemake.output.model)
    manifests = [Manifest.load(file) for file in snakemake.input.manifests]
    maps: list[MapSet | None] = [MapSet(folder) for folder in snakemake.input.priors] or [None] * len(manifests)
    return TrainingJob(
        sources=tuple(zip(manifests, maps, strict=True)),
        output=model,
        checkpoint=Path(params.checkpoint),
        log=model.with_name("training.csv"),
        seed=params.seed,
        device=params.device,
        threads=snakemake.threads,
        pool=given_to(snakemake, "pool"),
        aligned=tuple(map(Path, snakemake.input.get("aligned") or [])),
        tensorboard=Path(params.tensorboard) if snakemake.config.get("tensorboard") else None,
    )
