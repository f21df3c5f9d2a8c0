"""Lines of scores over a number: a row of panels a metric, a column a data set, a colour a detector."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sodlift.errors import DataError
from sodlift.plots.style import colours, figure_style

_PANEL = (2.9, 2.3)  # inches


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes
    ----------
    metric, dataset, detector : str
        Row, column and colour.
    x, y : tuple of float
        The points, by ascending x; a y of None is a gap.
    """

    metric: str
    dataset: str
    detector: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]


def lines_figure(lines: Sequence[Line], x_label: str, title: str = "") -> Figure:
    """Draw the lines; raises DataError if there is none."""
    if not lines:
        raise DataError("no lines to draw", expected="at least one")
    metrics, datasets, detectors = (
        list(dict.fromkeys(getattr(line, what) for line in lines)) for what in ("metric", "dataset", "detector")
    )
    colour = dict(zip(detectors, colours(len(detectors)), strict=True))
    with figure_style():
        size = (_PANEL[0] * len(datasets) + 1.6, _PANEL[1] * len(metrics))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(metrics), len(datasets), squeeze=False, sharex=True, sharey="row")
        for line in lines:
            axes = grid[metrics.index(line.metric), datasets.index(line.dataset)]
            y = [math.nan if value is None else value for value in line.y]
            axes.plot(line.x, y, color=colour[line.detector], marker="o", markersize=3)
        for axes, dataset in zip(grid[0], datasets, strict=True):
            axes.set_title(dataset)
        for axes, metric in zip(grid[:, 0], metrics, strict=True):
            axes.set_ylabel(metric)
        for axes in grid[-1]:
            axes.set_xlabel(x_label)
        handles = [Line2D([], [], color=colour[name], label=name) for name in detectors]
        figure.legend(handles=handles, loc="outside right center")
        if title:
            figure.suptitle(title, fontsize=10)
    return figure
