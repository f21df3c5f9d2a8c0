"""Adapter of rule pr_curves: precision-recall curves of every cell, priors dashed, refined maps solid."""

from pathlib import Path
from typing import Any

from adapter import run_job
from sodlift.plots.of_run import pr_curves
from sodlift.plots.pr_curves import pr_figure
from sodlift.plots.style import save_figure
from whole_run import run_of


def main(snakemake: Any) -> None:
    """Draw the figure under the run's first protocol, as PDF and PNG."""
    target = Path(snakemake.output.pdf).with_suffix("")
    figure = pr_figure(pr_curves(run_of(snakemake), snakemake.params.protocol))
    save_figure(figure, target)


run_job(main, globals())
