"""Precision-recall curves, or F over thresholds, of a run's cells."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sodlift.config.run import UNREFINED, Run
from sodlift.figures._base import FigureType
from sodlift.figures._selection import Selection

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sodlift.plots.curves import Curve


@dataclass(frozen=True)
class CurvesOptions(Selection):
    """Which curves; of which cells, ``Selection`` tells.

    Attributes
    ----------
    kind : str
        ``precision_recall`` or ``f_threshold``.
    """

    kind: Literal["precision_recall", "f_threshold"] = "precision_recall"


def chosen(options: CurvesOptions, run: Run) -> "tuple[Curve, ...]":
    """Return the curves of the run's scored cells; of several seeds the primary one's.

    Raises
    ------
    UnknownNameError
        If no registry file has a detector.
    DataError
        If the run has none of the detectors, or of the refiners, that are named.
    """
    from sodlift.plots.curves import Curve  # noqa: PLC0415 - slow to import, and not needed to read a configuration

    return tuple(
        Curve(
            dataset=run.dataset(cell.dataset).title,
            detector=run.detector(cell.detector).title,
            refiner=None if cell.refiner == UNREFINED else run.refiner(cell.refiner).title,
            npz=run.evaluation_folder(cell) / "curves.npz",
            protocol=options.protocol_of(run),
        )
        for cell in options.cells(run)
    )


def draw(options: CurvesOptions, run: Run, title: str) -> "Figure":
    """Draw the curves; raises what ``chosen`` does, and DataError for those that are missing."""
    from sodlift.plots.curves import curves_figure  # noqa: PLC0415 - as above

    return curves_figure(chosen(options, run), options.kind, title)


FIGURE = FigureType("curves over thresholds", CurvesOptions, draw)
