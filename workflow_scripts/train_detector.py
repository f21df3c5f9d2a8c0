"""Adapter of rule train_detector: the model of one detector."""

from pathlib import Path
from typing import Any, cast

from adapter import options_of, run_job
from sodlift.datasets.manifest import Manifest
from sodlift.detectors import DETECTORS


def main(snakemake: Any) -> None:
    """Train on the images and masks of the manifests."""
    detector, params = cast(Any, DETECTORS.get(snakemake.params.row["type"])), snakemake.params
    manifests = [Manifest.load(path) for path in snakemake.input.manifests]
    options, model = options_of(detector, snakemake), Path(snakemake.output.model)
    detector.train(options, manifests, model, params.seed, snakemake.threads)


run_job(main, globals())
