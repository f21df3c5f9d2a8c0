"""The whole run, for adapters that gather all cells; apart from ``adapter`` so that the others do not depend on it."""

from typing import Any

from sodlift.config.load import load_run
from sodlift.config.run import Run


def run_of(snakemake: Any) -> Run:
    """Return the run that the configuration describes."""
    return load_run(snakemake.config)
