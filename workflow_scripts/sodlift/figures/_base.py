"""What a type of figure is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sodlift.config.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
        ``draw(options, run, title) -> Figure`` of a run whose cells are evaluated. Raises DataError if their files are
        missing, or if the run has nothing that the figure shows.
    """

    title: str
    options: type
    draw: "Callable[[Any, Run, str], Figure]"
