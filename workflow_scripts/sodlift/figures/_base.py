"""What a type of figure is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodlift.config.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Files = Mapping[str, Path | list[Path]]
"""Files and folders of a run, by names of a figure type's own."""


def scores(options: Any, run: Run) -> Files:
    """Return the ``scores`` of all cells of the run, which most figures are drawn of."""
    return {"scores": [run.evaluation_folder(cell) / "scores.json" for cell in run.scored_cells]}


@dataclass(frozen=True)
class FigureType:
    """One registered kind of figure; rows of ``figures.yaml`` give it options.

    Attributes
    ----------
    title : str
        What it shows, in a few words.
    options : type
        Frozen dataclass of its options.
    draw : callable
        ``draw(options, run, title) -> Figure`` of a run whose ``inputs`` are there. Raises DataError if files are
        missing, or if the run has nothing that the figure shows.
    inputs : callable
        ``inputs(options, run) -> Files``: what has to be there to draw it. Asked when a run is read: raises DataError
        or UnknownNameError if the run makes no such thing.
    """

    title: str
    options: type
    draw: "Callable[[Any, Run, str], Figure]"
    inputs: Callable[[Any, Run], Files] = scores
