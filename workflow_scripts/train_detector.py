"""Adapter of rules train_detector and train_deep_detector: the model of one detector."""

from typing import Any, cast

from adapter import options_of, run_job
from sodlift.detectors import DETECTORS
from training_job import training_job


def main(snakemake: Any) -> None:
    """Train on the manifests, with the priors where the detector learns from them."""
    detector = cast(Any, DETECTORS.get(snakemake.params.row["type"]))
    detector.train(options_of(detector, snakemake), training_job(snakemake))


run_job(main, globals())
