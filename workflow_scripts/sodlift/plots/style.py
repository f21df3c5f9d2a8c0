"""The look of all figures, and how they are saved: same input, same bytes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple, cast

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sodlift.atomic import atomic_file

COLOURS = (
    "#0077BB",  # blue
    "#EE7733",  # orange
    "#009988",  # teal
    "#CC3311",  # red
    "#33BBEE",  # cyan
    "#AA3377",  # purple
    "#777777",  # grey
    "#999933",  # olive
    "#332288",  # indigo
    "#EE99AA",  # rose
    "#225522",  # green
    "#663333",  # brown
)
"""Colours that stay apart for colour-blind readers, after Paul Tol's schemes "vibrant", "muted" and "dark"."""

MARKERS = ("", "s", "^", "D", "v")
"""Marks on lines that tell those of one colour apart."""

MARKER_SIZE = 3.5  # points

FORMATS = ("pdf", "png")

_ENTRY = 0.18  # inches: the height of a legend's line

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine has it
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "pdf.fonttype": 42,  # text stays text
    "savefig.dpi": 200,
}

# neither time nor version goes into a file
_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": "sodlift", "Producer": "sodlift"},
    "png": {"Software": None},
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Set matplotlib to the look of our figures, whatever the user's own settings, for the block."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(cast(Any, _STYLE))
        yield


def colours(n: int) -> list[str]:
    """Return ``n`` colours; beyond the palette's length they come again."""
    return list(islice(cycle(COLOURS), n))


class Look(NamedTuple):
    """How a line looks: its colour, and its marker, empty for none."""

    colour: str
    marker: str


def looks(names: Sequence[str]) -> dict[str, Look]:
    """Return a look for each name: the palette's colours, and beyond its length the same ones with other markers."""
    given = enumerate(zip(names, colours(len(names)), strict=True))
    return {name: Look(colour, MARKERS[i // len(COLOURS) % len(MARKERS)]) for i, (name, colour) in given}


def line_handles(look: Mapping[str, Look]) -> list[Line2D]:
    """Return a legend's entries of lines that have these looks."""
    return [
        Line2D([], [], color=colour, marker=marker, markersize=MARKER_SIZE, label=name)
        for name, (colour, marker) in look.items()
    ]


def legend_columns(entries: int, height: float) -> int:
    """Return in how many columns a legend beside axes of a height in inches holds its entries."""
    return -(-entries // max(1, int(height / _ENTRY)))


def save_figure(figure: Figure, target: str | Path, formats: tuple[str, ...] = FORMATS) -> tuple[Path, ...]:
    """Write ``target`` with the suffix of each format, each whole or not at all; return the paths."""
    paths = tuple(Path(f"{target}.{name}") for name in formats)
    with figure_style():
        for path, name in zip(paths, formats, strict=True):
            with atomic_file(path) as part:
                figure.savefig(part, format=name, metadata=_METADATA[name], bbox_inches="tight", pad_inches=0.05)
    return paths
