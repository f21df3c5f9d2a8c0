"""Adapter of rule significance: refined maps against their prior, image by image."""

from typing import Any

from adapter import run_job
from sodlift.tables.of_run import scored_cells
from sodlift.tables.significance import build_significance
from sodlift.tables.summary import write_frame
from whole_run import run_of


def main(snakemake: Any) -> None:
    """Compare per_image.parquet of every refined cell with that of its prior."""
    write_frame(build_significance(scored_cells(run_of(snakemake))), snakemake.output.significance)


run_job(main, globals())
