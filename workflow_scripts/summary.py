"""Adapter of rule summary: the scores of all cells in one long table, and what was counted beside them."""

from typing import Any

from adapter import run_job
from sodlift.tables.of_run import scored_cells
from sodlift.tables.summary import build_counts, build_summary, write_frame
from whole_run import run_of


def main(snakemake: Any) -> None:
    """Gather scores.json of every cell into summary.csv and counts.csv."""
    cells = scored_cells(run_of(snakemake))
    write_frame(build_summary(cells), snakemake.output.summary)
    write_frame(build_counts(cells), snakemake.output.counts)


run_job(main, globals())
