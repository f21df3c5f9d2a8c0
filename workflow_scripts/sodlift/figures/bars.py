"""Scores as bars, a group a detector: several metrics of the same maps, or a metric before and after refining."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sodlift.config.run import Run
from sodlift.figures._base import FigureType
from sodlift.figures._selection import Selection, check_metrics, score
from sodlift.tables.measures import MEASURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sodlift.plots.bars import Bar


@dataclass(frozen=True)
class BarsOptions(Selection):
    """Which bars; of which cells, ``Selection`` tells.

    Attributes
    ----------
    metrics : tuple of str
        What is drawn.
    bar : str
        What one bar of a group is: a ``metric``, with panels of their own for the unrefined maps and for each refiner;
        or a ``refiner``, the unrefined maps first, with panels of their own for each metric.
    """

    metrics: tuple[str, ...]
    bar: Literal["metric", "refiner"] = "metric"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_metrics(self.metrics)


def bars(options: BarsOptions, run: Run) -> "Iterator[Bar]":
    """Yield the bars of the run's scored cells; of several seeds the primary one's.

    Raises
    ------
    UnknownNameError
        If no registry file has a detector.
    DataError
        If the run has none of the detectors, or of the refiners, that are named; or scores are missing.
    """
    from sodlift.plots.bars import Bar  # noqa: PLC0415 - slow to import, and not needed to read a configuration

    protocol, cells, refiners = options.protocol_of(run), options.cells(run), options.refiner_titles(run)
    for metric in options.metrics:
        for cell in cells:
            roles = [MEASURES[metric].text, refiners[cell.refiner]]
            name, panel = roles if options.bar == "metric" else reversed(roles)
            dataset, detector = run.dataset(cell.dataset).title, run.detector(cell.detector).title
            yield Bar(panel, dataset, detector, name, score(run, cell, protocol, metric))


def draw(options: BarsOptions, run: Run, title: str) -> "Figure":
    """Draw the bars; raises what ``bars`` does."""
    from sodlift.plots.bars import bars_figure  # noqa: PLC0415 - as above

    return bars_figure(list(bars(options, run)), title)


FIGURE = FigureType("scores as bars", BarsOptions, draw)
