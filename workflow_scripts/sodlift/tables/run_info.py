"""What a run consists of, as far as tables need to know it: plain facts, taken from the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sodlift.tables.summary import BASELINE


@dataclass(frozen=True)
class RefinerInfo:
    """One refiner of the run.

    Attributes
    ----------
    type : str
        Its registered type, such as ``mirm``.
    title : str
        Its name in tables.
    backbone : str
        Its backbone, such as ``mobilenet_v2``; empty where it has none.
    training_sets : tuple of str
        What it was trained on: ``<data set>/<detector of the priors>``, or ``<data set>/masks`` with ground truth.
    settings : mapping
        Further facts that a table's row may select or compare by, such as ``{"theta_fg": 0.8, "weights": "imagenet"}``.
    """

    type: str
    title: str
    backbone: str = ""
    training_sets: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetInfo:
    """One data set of the run.

    Attributes
    ----------
    title : str
        Its name in tables.
    paper : str
        The name under which papers print it, in the spelling of the values' CSV files; empty where none does.
    complete : bool
        Whether it is all of that set; a part has no printed value.
    note : str
        What is special about it, such as "108 of the 850 images of PASCAL-S".
    leaks : mapping of str to int
        By title of another set, trained on, how many of its images are accepted as near-identical to training images.
    learners : tuple of str
        Titles of what was trained on this very set and is scored on it all the same.
    """

    title: str
    paper: str = ""
    complete: bool = True
    note: str = ""
    leaks: Mapping[str, int] = field(default_factory=dict)
    learners: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunInfo:
    """A run: everything by id, in the order in which tables list it.

    Attributes
    ----------
    detectors : tuple of str
        Ids of the prior sources.
    refiners : mapping of str to RefinerInfo
        The refiners, without the baseline ``none``.
    datasets : mapping of str to DatasetInfo
        The test sets.
    protocols : mapping of str to str
        The protocols that were evaluated and, of each, one line that says what it does.
    seeds : tuple of int
        Seeds of the trainable refiners.
    """

    detectors: tuple[str, ...]
    refiners: Mapping[str, RefinerInfo]
    datasets: Mapping[str, DatasetInfo]
    protocols: Mapping[str, str]
    seeds: tuple[int, ...] = (0,)

    def refiner(self, name: str) -> RefinerInfo:
        """Return the refiner ``name``; the baseline is one whose type is ``none``."""
        return RefinerInfo(BASELINE, "baseline") if name == BASELINE else self.refiners[name]


Labels = Mapping[str, Mapping[str, str]]
"""Names of the detectors: by detector id, then by paper ("MIRM": the label in its tables) or "title" (ours)."""
