"""Lines of scores over a number: a row of panels a metric, a column a data set, a colour a detector."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from sodlift.errors import DataError
from sodlift.plots.style import MARKER_SIZE, figure_style, legend_columns, line_handles, looks

_PANEL = (2.9, 2.3)  # inches


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes
    ----------
    metric, dataset, detector : str
        Row, column and colour; a detector's name, or whatever the line is of, may be empty where it is the only one.
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
    look = looks(detectors)
    columns = legend_columns(len(detectors), _PANEL[1] * len(metrics))
    with figure_style():
        size = (_PANEL[0] * len(datasets) + 1.6 * columns, _PANEL[1] * len(metrics))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(metrics), len(datasets), squeeze=False, sharex=True, sharey="row")
        for line in lines:
            axes = grid[metrics.index(line.metric), datasets.index(line.dataset)]
            y = [math.nan if value is None else value for value in line.y]
            colour, marker = look[line.detector]
            axes.plot(line.x, y, color=colour, marker=marker or "o", markersize=MARKER_SIZE)
        for axes, dataset in zip(grid[0], datasets, strict=True):
            axes.set_title(dataset)
        for axes, metric in zip(grid[:, 0], metrics, strict=True):
            axes.set_ylabel(metric)
        for axes in grid[-1]:
            axes.set_xlabel(x_label)
        if any(detectors):
            figure.legend(handles=line_handles(look), loc="outside right center", ncols=columns)
        if title:
            figure.suptitle(title, fontsize=10)
    return figure
