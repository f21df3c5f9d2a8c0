"""Groups of horizontal bars, from 0 on, each with its value: a column a data set, a group a detector."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sodlift.errors import DataError
from sodlift.plots.style import colours, figure_style

_PANELS_A_ROW = 4
_WIDTH, _LEAST = 2.3, 0.5  # inches: of a panel, and the least height of its axes
_THICK, _GAP, _AROUND = 0.105, 0.07, 0.75  # inches: a bar, between two groups, a panel's title and ticks
_LINE, _LETTER = 0.18, 0.07  # inches: a line of a title or a legend, and a letter there
_VALUE = 6.0  # points
_ROOM = 1.17  # of the longest bar: for the value beside it


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes
    ----------
    panel : str
        What the panel shows; panels of several kinds have rows of their own, and scales of their own. Where there is
        one kind, it is said in the heading, if it has a name.
    dataset : str
        The panel's column.
    group : str
        The group, such as a detector.
    name : str
        Which bar of the group it is, by its colour. Where there is one, it is said in the heading, if it has a name.
    value : float or None
        Its length, at least 0; None where there is no such number.
    """

    panel: str
    dataset: str
    group: str
    name: str
    value: float | None


def bars_figure(bars: Sequence[Bar], title: str = "") -> Figure:
    """Draw the bars.

    Panels, groups, and bars in a group are in the order of ``bars``. A value of None is marked by a dash; a bar that is
    not among ``bars`` leaves its place empty.

    Raises
    ------
    DataError
        If there is no bar, or several have one place.
    """
    if not bars:
        raise DataError("no bars to draw", expected="at least one")
    _check_places(bars)
    kinds, datasets, groups, names = (
        list(dict.fromkeys(getattr(bar, what) for bar in bars)) for what in ("panel", "dataset", "group", "name")
    )
    panels = [(kind, dataset) for kind in kinds for dataset in datasets]
    per_row = len(datasets) if len(kinds) > 1 and len(panels) > _PANELS_A_ROW else min(len(panels), _PANELS_A_ROW)
    rows = -(-len(panels) // per_row)
    width = _WIDTH * per_row + 1.2
    height = _AROUND + _LINE * (len(kinds) > 1) + max(_LEAST, len(groups) * (len(names) * _THICK + _GAP))
    columns = max(1, min(len(names), int(width / (0.5 + _LETTER * max(map(len, names))))))
    colour = dict(zip(names, colours(len(names)), strict=True))
    with figure_style():
        figure = Figure(figsize=(width, height * rows + _LINE * -(-len(names) // columns)), layout="constrained")
        grid = figure.subplots(rows, per_row, squeeze=False, sharey=True)
        for axes, (kind, dataset) in zip(grid.flat, panels, strict=False):
            _panel(axes, [bar for bar in bars if (bar.panel, bar.dataset) == (kind, dataset)], groups, colour)
            longest = max((bar.value or 0.0 for bar in bars if bar.panel == kind), default=0.0)
            axes.set_xlim(0, _ROOM * longest or 1.0)
            axes.set_title(f"{dataset}\n{kind}" if len(kinds) > 1 else dataset)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        grid[0, 0].set_yticks(range(len(groups)), groups)
        grid[0, 0].set_ylim(len(groups) - 0.5, -0.5)
        if len(names) > 1:
            handles = [Patch(color=colour[name], label=name) for name in names]
            figure.legend(handles=handles, loc="outside lower center", ncols=columns)
        said_once = [words[0] for words in (kinds, names) if len(words) == 1]  # neither by panels nor by a legend
        figure.suptitle(": ".join(filter(None, (title, ", ".join(filter(None, said_once))))), fontsize=10)
    return figure


def _check_places(bars: Sequence[Bar]) -> None:
    for bar, times in Counter(replace(bar, value=None) for bar in bars).items():
        if times > 1:
            words = ", ".join(filter(None, (bar.dataset, bar.group, bar.panel, bar.name)))
            raise DataError(f"{times} bars in one place: {words}", mend="give the rows titles of their own")


def _panel(axes: Axes, bars: Sequence[Bar], groups: list[str], colour: dict[str, str]) -> None:
    """Draw the bars of one panel, a unit of y a group, from the top."""
    names = list(colour)
    thick = _THICK / (len(names) * _THICK + _GAP)
    for bar in bars:
        y = groups.index(bar.group) + (names.index(bar.name) - (len(names) - 1) / 2) * thick
        axes.barh(y, bar.value or 0.0, height=thick, color=colour[bar.name], edgecolor="white", linewidth=0.3)
        text = "–" if bar.value is None else f"{bar.value:.3f}".removeprefix("0")
        end = (bar.value or 0.0, y)
        axes.annotate(text, end, (1.5, -0.3), textcoords="offset points", va="center", fontsize=_VALUE)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
