"""Adapter of rule figure: one figure of the run's evaluated cells."""

from pathlib import Path
from typing import Any

from adapter import run_job
from sodlift.plots.style import save_figure
from whole_run import run_of


def main(snakemake: Any) -> None:
    """Draw the figure, as PDF and PNG."""
    run, name = run_of(snakemake), snakemake.params.row["id"]
    row = run.figure_rows[name]
    save_figure(row.kind.draw(row.options, run, row.title), Path(snakemake.output.pdf).with_suffix(""))


run_job(main, globals())
