"""What figures need to know of a run, read off its configuration."""

from sodlift.config.run import UNREFINED, Run
from sodlift.plots.pr_curves import Curve


def pr_curves(run: Run, protocol: str) -> tuple[Curve, ...]:
    """Return the precision-recall curves of the run's cells under one protocol, for ``pr_figure``; of several
    seeds the primary one's."""
    return tuple(
        Curve(
            dataset=run.dataset(cell.dataset).title,
            detector=run.detector(cell.detector).title,
            refiner=None if cell.refiner == UNREFINED else run.refiner(cell.refiner).title,
            npz=run.evaluation_folder(cell) / "curves.npz",
            protocol=protocol,
        )
        for cell in run.scored_cells
        if "@" not in cell.refiner
    )
