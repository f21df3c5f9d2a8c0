"""The leakage report of a run: images that its data sets share, and whether anything is tested on what it has seen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sodlift.datasets.manifest import Manifest
from sodlift.datasets.near_duplicates import leakage, leakage_table
from sodlift.datasets.report import Kind, Remark, Report, findings, raise_errors, saved_findings
from sodlift.errors import listed
from sodlift.registry import unknown_name

SUBJECT = "data sets of the run"

Known = Mapping[str, Mapping[str, int]]
"""By training set and test set, how many test images may have a near-identical training image."""

KINDS: dict[str, Kind] = {
    "leak": Kind(
        "error",
        "test images that are near-identical to training images",
        "take the images out of one of the two with `subset`, use other data, list a refiner's test set in "
        "`baseline_only`, or accept the number in `known_leaks`",
    ),
    "accepted": Kind("warning", "test images that leak and are accepted", "none needed; tables say so in a footnote"),
    "across": Kind(
        "warning",
        "images that two data sets share",
        "none needed as long as nothing is trained on one and tested on the other",
    ),
    "within": Kind("warning", "images that a data set holds more than once", "keep one of each, or count them as one"),
}
"""Every kind of finding, in the order in which the report lists them."""


@dataclass(frozen=True)
class Trained:
    """What one detector or refiner is trained on and tested on: names of data sets."""

    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True)
class Leak:
    """How many of the ``images`` of a test set something has seen in training, and how many it may have seen."""

    trained: str
    train: str
    test: str
    leaking: int
    images: int
    accepted: int


_SEEN = """
| detector or refiner | trained on | tested on | images seen | of | accepted |
|---|---|---|---:|---:|---:|
"""


@dataclass(frozen=True)
class LeakageReport(Report):
    """What the data sets of a run share.

    Attributes
    ----------
    images : dict of str to int
        Number of images of each data set.
    leaks : tuple of Leak
        Of each trained detector and refiner, every training set with every test set.
    pairs : list of dict
        Every two near-identical images, as ``near_duplicates.leakage`` finds them.
    table : str
        In Markdown, how many images of each data set (column) each other (row) holds too.
    """

    images: dict[str, int]
    leaks: tuple[Leak, ...]
    pairs: list[dict[str, Any]]
    table: str

    @property
    def subject(self) -> str:
        """The data sets."""
        return SUBJECT

    def facts(self) -> Mapping[str, str]:
        """Return the sizes of the data sets and of what they share."""
        return {
            "Images": ", ".join(f"{name}: {count}" for name, count in self.images.items()),
            "Near-identical pairs": str(len(self.pairs)),
        }

    def to_markdown(self) -> str:
        """Return the report as Markdown, with what has been seen in training and what each data set holds of each."""
        parts = [super().to_markdown()]
        if self.leaks:
            parts += ["## Test images seen in training", _SEEN + "".join(f"| {_row(leak)} |\n" for leak in self.leaks)]
        return "\n".join([*parts, "## Images of each data set (column) that each (row) holds too\n", self.table])


def leakage_report(
    manifests: Mapping[str, Manifest],
    trained: Mapping[str, Trained],
    known: Known,
    workers: int = 1,
    progress: bool = False,
) -> tuple[pd.DataFrame, LeakageReport]:
    """Compare all images of some data sets, and hold the result against what is trained and tested on them.

    Parameters
    ----------
    manifests : mapping of str to Manifest
        The data sets, by name.
    trained : mapping of str to Trained
        The trained detectors and refiners, by name.
    known : mapping
        What is accepted.
    workers, progress
        As ``near_duplicates.thumbnails`` takes them.

    Returns
    -------
    pairs : DataFrame
        What ``near_duplicates.leakage`` returns.
    report : LeakageReport
        More leaking images than are accepted are an error.

    Raises
    ------
    DataError
        If an image is missing or broken.
    UnknownNameError
        If one is trained or tested on a data set that is not among ``manifests``.
    """
    for name in (name for sets in trained.values() for name in (*sets.train, *sets.test)):
        if name not in manifests:
            raise unknown_name("data set in the comparison", name, manifests)
    pairs = leakage(manifests, workers, progress)
    images = {name: len(manifest.entries) for name, manifest in manifests.items()}
    named = _by_sets(pairs)
    leaks = tuple(
        Leak(name, a, b, _leaking(a, b, named, images), images[b], known.get(a, {}).get(b, 0))
        for name, sets in trained.items()
        for a in sets.train
        for b in sets.test
    )
    report = LeakageReport(
        findings=findings(KINDS, _remarks(named, leaks)),
        images=images,
        leaks=leaks,
        pairs=[{str(name): value for name, value in pair.items()} for pair in pairs.to_dict("records")],
        table=leakage_table(pairs, list(images), list(images)),
    )
    return pairs, report


def refuse_leaks(report: str | Path) -> None:
    """Raise DataError if the leakage report that was saved as JSON holds errors; one message lists them all."""
    raise_errors(SUBJECT, saved_findings(report), where=report)


def _by_sets(pairs: pd.DataFrame) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return the pairs of stems by their two data sets, in either order."""
    named: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for a, first, b, second in pairs.iloc[:, :4].itertuples(index=False, name=None):
        named.setdefault((a, b), []).append((first, second))
        if a != b:
            named.setdefault((b, a), []).append((second, first))
    return named


def _leaking(
    train: str, test: str, named: Mapping[tuple[str, str], list[tuple[str, str]]], images: Mapping[str, int]
) -> int:
    """Return how many images of a test set are in a training set: all, where the two are one."""
    return images[test] if train == test else len({stem for _, stem in named.get((train, test), ())})


def _row(leak: Leak) -> str:
    return " | ".join(map(str, astuple(leak)))


def _remarks(named: Mapping[tuple[str, str], list[tuple[str, str]]], leaks: Sequence[Leak]) -> Iterator[Remark]:
    for leak in leaks:
        if leak.leaking:
            which = "all" if leak.train == leak.test else _listed(named[leak.train, leak.test])
            yield (
                "leak" if leak.leaking > leak.accepted else "accepted",
                f"{leak.leaking} of {leak.images} in '{leak.test}' from '{leak.train}', which '{leak.trained}' is "
                f"trained on ({leak.accepted} accepted): {which}",
            )
    for (a, b), stems in named.items():
        if a <= b:
            yield ("within", f"{a}: {_listed(stems)}") if a == b else ("across", f"{a} and {b}: {_listed(stems)}")


def _listed(stems: Sequence[tuple[str, str]]) -> str:
    return listed(f"{a} ~ {b}" for a, b in sorted(stems))
