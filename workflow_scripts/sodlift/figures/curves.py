"""Precision-recall curves, or F over thresholds, of a run's cells."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sodlift.config.run import UNREFINED, Run
from sodlift.figures._base import FigureType

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sodlift.plots.curves import Curve


@dataclass(frozen=True)
class CurvesOptions:
    """Which curves.

    Attributes
    ----------
    kind : str
        ``precision_recall`` or ``f_threshold``.
    protocol : str
        The protocol whose curves are drawn; empty for the run's first one.
    types : tuple of str
        Types of the refiners that are drawn, beside the priors; empty for all.
    """

    kind: Literal["precision_recall", "f_threshold"] = "precision_recall"
    protocol: str = ""
    types: tuple[str, ...] = ()


def chosen(options: CurvesOptions, run: Run) -> "tuple[Curve, ...]":
    """Return the curves of the run's scored cells; of several seeds the primary one's."""
    from sodlift.plots.curves import Curve  # noqa: PLC0415 - slow to import, and not needed to read a configuration

    return tuple(
        Curve(
            dataset=run.dataset(cell.dataset).title,
            detector=run.detector(cell.detector).title,
            refiner=None if cell.refiner == UNREFINED else run.refiner(cell.refiner).title,
            npz=run.evaluation_folder(cell) / "curves.npz",
            protocol=options.protocol or run.protocols[0],
        )
        for cell in run.scored_cells
        if "@" not in cell.refiner
        and (cell.refiner == UNREFINED or not options.types or run.refiner(cell.refiner).type in options.types)
    )


def draw(options: CurvesOptions, run: Run, title: str) -> "Figure":
    """Draw the curves; raises DataError for those that are missing."""
    from sodlift.plots.curves import curves_figure  # noqa: PLC0415 - as above

    return curves_figure(chosen(options, run), options.kind, title)


FIGURE = FigureType("curves over thresholds", CurvesOptions, draw)
