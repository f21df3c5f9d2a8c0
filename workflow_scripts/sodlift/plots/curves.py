"""Curves over thresholds: one panel a data set, one colour a detector; priors beside refined maps are dashed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.typing import LineStyleType

from sodlift.errors import DataError
from sodlift.plots.style import MARKER_SIZE, Look, figure_style, legend_columns, line_handles, looks

Points = npt.NDArray[np.float64]

_PANELS_A_ROW = 4
_PANEL = 2.9  # inches
_DASHES: LineStyleType = (0, (3.2, 1.8))
_MARKED = 0.12  # of a panel's diagonal, from marker to marker


@dataclass(frozen=True)
class Curve:
    """One curve of the figure.

    Attributes
    ----------
    dataset, detector : str
        Titles of the data set and of the detector.
    refiner : str or None
        Title of the refiner; None for the unrefined prior.
    npz : Path
        ``curves.npz`` of the evaluated cell, which holds ``<protocol>/P``, ``R`` and ``F``: means over the data set,
        index = threshold 0..255.
    protocol : str
        The protocol whose curve is drawn.
    """

    dataset: str
    detector: str
    refiner: str | None
    npz: Path
    protocol: str

    def points(self, kind: "Kind") -> tuple[Points, Points]:
        """Return x and y of a kind of curve, each (n,) in [0, 1].

        Threshold 0 is left out: it selects every pixel whatever the map, so its point says nothing.

        Raises
        ------
        DataError
            If the file is missing or does not hold the curve.
        """
        if not self.npz.is_file():
            raise DataError("curves of a cell are missing", where=self.npz, mend="run the evaluation of this cell")
        with np.load(self.npz, allow_pickle=False) as stored:
            names = [f"{self.protocol}/{letter}" for letter in kind.letters]
            absent = [name for name in names if name not in stored]
            if absent:
                raise DataError(f"no curve {absent[0]}", where=self.npz, expected=", ".join(sorted(stored)))
            found = [np.asarray(stored[name], dtype=np.float64)[1:] for name in names]
        x = found[0] if len(found) == 2 else np.arange(1, len(found[0]) + 1) / len(found[0])
        return x, found[-1]


class Kind(NamedTuple):
    """What is drawn over what: the labels of the axes, and the letters of the stored curves, x first.

    With one letter alone, x is the threshold, as a share of 255.
    """

    x: str
    y: str
    letters: str


KINDS = {"precision_recall": Kind("recall", "precision", "RP"), "f_threshold": Kind("threshold", "F", "F")}
"""Kinds of curves, by name."""


def curves_figure(curves: Sequence[Curve], kind: str = "precision_recall", title: str = "") -> Figure:
    """Draw the curves.

    With several refiners each has a row of panels of its own, and the priors stand in every row, dashed; with none they
    are solid. Axes are cropped to the curves, alike in all panels.

    Parameters
    ----------
    curves : sequence of Curve
        In the order in which panels and colours are given out.
    kind : str
        One of ``KINDS``.
    title : str
        Heading of the whole figure, such as the protocol.

    Raises
    ------
    DataError
        If there is no curve, or a curve's file does not hold it.
    """
    if not curves:
        raise DataError("no curves to draw", expected="at least one")
    drawn = KINDS[kind]
    points = {curve: curve.points(drawn) for curve in curves}
    datasets = _distinct(curve.dataset for curve in curves)
    refiners = _distinct(curve.refiner for curve in curves if curve.refiner is not None)
    detectors = _distinct(curve.detector for curve in curves)
    look = looks(detectors)
    handles = [*line_handles(look), *_style_handles(curves, refiners)]
    panels = [(refiner, dataset) for refiner in refiners or [""] for dataset in datasets]
    per_row = len(datasets) if len(refiners) > 1 else min(len(datasets), _PANELS_A_ROW)
    rows = -(-len(panels) // per_row)
    columns = legend_columns(len(handles), _PANEL * rows)
    with figure_style():
        figure = Figure(figsize=(_PANEL * per_row + 1.6 * columns, _PANEL * rows), layout="constrained")
        grid = figure.subplots(rows, per_row, squeeze=False, sharex=True, sharey=True)
        for axes, (refiner, dataset) in zip(grid.flat, panels, strict=False):
            here = [c for c in curves if c.dataset == dataset and c.refiner in {None, refiner}]
            _panel(axes, [(c, *points[c]) for c in here], look, _DASHES if refiners else "-")
            axes.set_title(f"{dataset}\n{refiner}" if len(refiners) > 1 else dataset)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        _crop(grid[0, 0], list(points.values()), least=0.1 if "R" in drawn.letters else 0.0)
        for axes in grid[:, 0]:
            axes.set_ylabel(drawn.y)
        for axes in grid.flat[max(0, len(panels) - per_row) : len(panels)]:
            axes.set_xlabel(drawn.x)
            axes.tick_params(labelbottom=True)
        figure.legend(handles=handles, loc="outside right center", ncols=columns)
        if title:
            figure.suptitle(title, fontsize=10)
    return figure


def _panel(
    axes: Axes, lines: Iterable[tuple[Curve, Points, Points]], look: dict[str, Look], prior_style: LineStyleType
) -> None:
    # refined maps last, so that they lie on top of the priors
    for curve, x, y in sorted(lines, key=lambda line: line[0].refiner is not None):
        prior, (colour, marker) = curve.refiner is None, look[curve.detector]
        axes.plot(
            x,
            y,
            color=colour,
            marker=marker,
            markevery=_MARKED,
            markersize=MARKER_SIZE,
            linestyle=prior_style if prior else "-",
            linewidth=1.2 if prior else 1.6,
        )


def _style_handles(curves: Sequence[Curve], refiners: list[str]) -> list[Line2D]:
    """Return the legend's entries for dashed and solid, none where all lines are solid."""
    if not refiners:
        return []
    handles = [Line2D([], [], linestyle="none", label=" ")]
    if any(curve.refiner is None for curve in curves):
        handles.append(Line2D([], [], color="black", linestyle=_DASHES, linewidth=1.2, label="prior"))
    return [*handles, Line2D([], [], color="black", label=refiners[0] if len(refiners) == 1 else "refined")]


def _crop(axes: Axes, curves: list[tuple[Points, Points]], least: float) -> None:
    """Set the limits, on tenths and shared by all panels, to the curves.

    Points whose x is below ``least`` do not widen the other axis: where most maps of a set select nothing any more,
    mean precision falls to 0 with mean recall.
    """
    x = np.concatenate([a for a, _ in curves])
    y = np.concatenate([b for _, b in curves])
    told = y[x >= least] if (x >= least).any() else y
    axes.set_xlim(np.floor(x.min() * 10) / 10, 1.0)
    axes.set_ylim(np.floor(told.min() * 10) / 10, np.ceil(told.max() * 10) / 10)


def _distinct(names: Iterable[str | None]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name is not None]
