"""Adapter of rules no_leakage and cleared: no run goes on where a refiner is tested on images it was trained on."""

from typing import Any

from adapter import run_job
from sodlift.datasets.leakage import refuse_leaks


def main(snakemake: Any) -> None:
    """Raise the errors of the leakage report; where there are none, the workflow leaves a mark."""
    refuse_leaks(snakemake.input.report)


run_job(main, globals())
