"""Precision-recall curves: one panel a data set, one colour a detector; priors dashed, refined maps solid."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sodlift.errors import DataError
from sodlift.plots.style import colours, figure_style

Points = npt.NDArray[np.float64]

_PANELS_A_ROW = 4
_PANEL = 2.9  # inches
_DASHES = (0, (3.2, 1.8))


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
        ``curves.npz`` of the evaluated cell, which holds ``<protocol>/P`` and ``<protocol>/R``: means over the data
        set, index = threshold 0..255.
    protocol : str
        The protocol whose curve is drawn.
    """

    dataset: str
    detector: str
    refiner: str | None
    npz: Path
    protocol: str

    def points(self) -> tuple[Points, Points]:
        """Return recall and precision, each (n,) in [0, 1].

        Threshold 0 is left out: it selects every pixel whatever the map, so its point says nothing.

        Raises
        ------
        DataError
            If the file is missing or does not hold the curve.
        """
        if not self.npz.is_file():
            raise DataError("curves of a cell are missing", where=self.npz, mend="run the evaluation of this cell")
        with np.load(self.npz, allow_pickle=False) as stored:
            names = [f"{self.protocol}/{letter}" for letter in "RP"]
            absent = [name for name in names if name not in stored]
            if absent:
                raise DataError(f"no curve {absent[0]}", where=self.npz, expected=", ".join(sorted(stored)))
            recall, precision = (np.asarray(stored[name], dtype=np.float64)[1:] for name in names)
        return recall, precision


def pr_figure(curves: Sequence[Curve], title: str = "") -> Figure:
    """Draw the curves.

    With several refiners each has a row of panels of its own, and the priors stand in every row. Axes are cropped to
    the curves, alike in all panels.

    Parameters
    ----------
    curves : sequence of Curve
        In the order in which panels and colours are given out.
    title : str
        Heading of the whole figure, such as the protocol.

    Raises
    ------
    DataError
        If there is no curve, or a curve's file does not hold it.
    """
    if not curves:
        raise DataError("no curves to draw", expected="at least one")
    points = {curve: curve.points() for curve in curves}
    datasets = _distinct(curve.dataset for curve in curves)
    refiners = _distinct(curve.refiner for curve in curves if curve.refiner is not None)
    detectors = _distinct(curve.detector for curve in curves)
    colour = dict(zip(detectors, colours(len(detectors)), strict=True))
    panels = [(refiner, dataset) for refiner in refiners or [""] for dataset in datasets]
    per_row = len(datasets) if len(refiners) > 1 else min(len(datasets), _PANELS_A_ROW)
    rows = -(-len(panels) // per_row)
    with figure_style():
        figure = Figure(figsize=(_PANEL * per_row + 1.6, _PANEL * rows), layout="constrained")
        grid = figure.subplots(rows, per_row, squeeze=False, sharex=True, sharey=True)
        for axes, (refiner, dataset) in zip(grid.flat, panels, strict=False):
            here = [c for c in curves if c.dataset == dataset and c.refiner in {None, refiner}]
            _panel(axes, [(c, *points[c]) for c in here], colour)
            axes.set_title(f"{dataset}: {refiner}" if len(refiners) > 1 else dataset)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        _crop(grid[0, 0], list(points.values()))
        for axes in grid[:, 0]:
            axes.set_ylabel("precision")
        for axes in grid.flat[max(0, len(panels) - per_row) : len(panels)]:
            axes.set_xlabel("recall")
            axes.tick_params(labelbottom=True)
        handles = [Line2D([], [], color=colour[name], label=name) for name in detectors]
        handles += [Line2D([], [], linestyle="none", label=" "), *_style_handles(curves, refiners)]
        figure.legend(handles=handles, loc="outside right center")
        if title:
            figure.suptitle(title, fontsize=10)
    return figure


def _panel(axes: Axes, lines: Iterable[tuple[Curve, Points, Points]], colour: dict[str, str]) -> None:
    # refined maps last, so that they lie on top of the priors
    for curve, recall, precision in sorted(lines, key=lambda line: line[0].refiner is not None):
        prior = curve.refiner is None
        axes.plot(
            recall,
            precision,
            color=colour[curve.detector],
            linestyle=_DASHES if prior else "-",
            linewidth=1.2 if prior else 1.6,
        )


def _style_handles(curves: Sequence[Curve], refiners: list[str]) -> list[Line2D]:
    """Return the legend's entries for dashed and solid, as far as there are such lines."""
    handles = []
    if any(curve.refiner is None for curve in curves):
        handles.append(Line2D([], [], color="black", linestyle=_DASHES, linewidth=1.2, label="prior"))
    if refiners:
        handles.append(Line2D([], [], color="black", label=refiners[0] if len(refiners) == 1 else "refined"))
    return handles


def _crop(axes: Axes, curves: list[tuple[Points, Points]]) -> None:
    """Set the limits, on tenths and shared by all panels, to the curves.

    Points below recall 0.1 do not widen the precision axis: where most maps of a set select nothing any more, mean
    precision falls to 0 with mean recall.
    """
    recall = np.concatenate([r for r, _ in curves])
    precision = np.concatenate([p for _, p in curves])
    told = precision[recall >= 0.1] if (recall >= 0.1).any() else precision
    axes.set_xlim(np.floor(recall.min() * 10) / 10, 1.0)
    axes.set_ylim(np.floor(told.min() * 10) / 10, np.ceil(told.max() * 10) / 10)


def _distinct(names: Iterable[str | None]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name is not None]
