"""The look of all figures, and how they are saved: same input, same bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
from matplotlib.figure import Figure

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

FORMATS = ("pdf", "png")

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


def save_figure(figure: Figure, target: str | Path, formats: tuple[str, ...] = FORMATS) -> tuple[Path, ...]:
    """Write ``target`` with the suffix of each format, each whole or not at all; return the paths."""
    paths = tuple(Path(f"{target}.{name}") for name in formats)
    with figure_style():
        for path, name in zip(paths, formats, strict=True):
            with atomic_file(path) as part:
                figure.savefig(part, format=name, metadata=_METADATA[name], bbox_inches="tight", pad_inches=0.05)
    return paths
