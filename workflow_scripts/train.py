"""Adapter of rule train_refiner: one refiner's model for one seed."""

from typing import Any, cast

from adapter import options_of, run_job
from sodlift.refiners import REFINERS
from training_job import training_job


def main(snakemake: Any) -> None:
    """Train on the manifests, with the priors where the refiner learns from them."""
    refiner = cast(Any, REFINERS.get(snakemake.params.row["type"]))
    refiner.train(options_of(refiner, snakemake), training_job(snakemake))


run_job(main, globals())
