"""One set of maps under several protocols: what each image scores, and the running result over images."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from typing import Protocol as Structure

import pandas as pd

from sodlift.arrays import Grey, check_fit, read_grey
from sodlift.errors import ConfigError
from sodlift.evaluation.fit import Size, resized
from sodlift.evaluation.protocols import Protocol, Role
from sodlift.evaluation.scores import COUNTS, CellScores, Rows, Score
from sodlift.evaluation.truth import Truth
from sodlift.metrics._base import ImageScore, Means, Metric
from sodlift.metrics._pair import GroundTruth, prepare
from sodlift.registry import unknown_name


class Maps(Structure):
    """A folder of maps, such as a ``MapSet``."""

    @property
    def folder(self) -> Path:
        """Where they lie."""

    def usable(self, stems: Iterable[str]) -> list[str]:
        """Return those of ``stems`` that have a map."""

    def path(self, stem: str) -> Path:
        """Return the file of a map."""


class Outcome(NamedTuple):
    """What one image gives under one protocol.

    Attributes
    ----------
    counts : tuple of str
        Which of ``COUNTS`` it adds to.
    scores : mapping or None
        Scores by the metrics' titles (None where a metric is undefined); None where the image is not scored.
    """

    counts: tuple[str, ...]
    scores: Mapping[str, ImageScore | None] | None


@dataclass(frozen=True)
class Method:
    """One set of maps to score.

    Attributes
    ----------
    name : str
        Its name.
    maps : Maps
        The maps.
    prior : Maps or None
        The prior maps behind refined ones; needed where a protocol drops images by their prior.
    role : str
        ``prior`` or ``refined``.

    Raises
    ------
    UnknownNameError
        If the role is another word.
    """

    name: str
    maps: Maps
    prior: Maps | None = None
    role: Role = "prior"

    def __post_init__(self) -> None:
        if self.role not in {"prior", "refined"}:
            raise unknown_name("role", self.role, ("prior", "refined"))

    @property
    def judged(self) -> Maps | None:
        """The maps by which a protocol's drop rule goes."""
        return self.maps if self.role == "prior" else self.prior

    def require(self, protocols: Sequence[Protocol]) -> None:
        """Raise ConfigError if no protocol is given, one twice, or one needs prior maps that are not given."""
        names = [protocol.name for protocol in protocols]
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"protocols given: {', '.join(names) or '(none)'}", expected="at least one, each once")
        for protocol in protocols:
            if protocol.drop and self.judged is None:
                raise ConfigError(
                    f"protocol '{protocol.name}' drops images by their prior map, and no prior maps are given",
                    where=self.maps.folder,
                    mend="give the set of prior maps, or take a protocol without a drop rule",
                )

    def score(self, truth: Truth, protocols: Sequence[Protocol], metrics: Sequence[Metric]) -> list[Outcome]:
        """Return what the map of one image gives under each protocol.

        Raises
        ------
        MapError
            If the map is missing, broken or does not fit.
        """
        outcomes: list[Outcome | None] = [self._unscored(truth.stem, protocol) for protocol in protocols]
        if all(outcomes):
            return [outcome for outcome in outcomes if outcome]
        path = self.maps.path(truth.stem)
        grey = read_grey(path)
        known: dict[Any, Mapping[str, ImageScore | None]] = {}
        return [
            outcome or self._scored(grey, path, truth, protocol, metrics, known)
            for outcome, protocol in zip(outcomes, protocols, strict=True)
        ]

    def _unscored(self, stem: str, protocol: Protocol) -> Outcome | None:
        """Return the outcome of an image that the protocol drops, or that has no map; None where it is scored."""
        # an image without a prior map has no refined one either: it is left out
        judged = self.judged if protocol.drop and self.judged and self.judged.usable([stem]) else None
        if protocol.drop and judged and protocol.drop.drops(read_grey(judged.path(stem))):
            return Outcome(("dropped",), None)
        if not self.maps.usable([stem]):
            return Outcome(("left_out" if protocol.missing == "error" else "missing",), None)
        return None

    def _scored(
        self,
        grey: Grey,
        path: Path,
        truth: Truth,
        protocol: Protocol,
        metrics: Sequence[Metric],
        known: dict[Any, Mapping[str, ImageScore | None]],
    ) -> Outcome:
        size = truth.size(protocol)
        check_fit(grey.values, size, path)
        binary = truth.under(protocol)
        counts = (*_oddities(grey, size, binary), *truth.oddities)
        if binary.positives == 0 and protocol.empty_gt == "skip":
            return Outcome(counts, None)
        # protocols that differ in other choices only, such as who is dropped, share the scores
        choices = protocol.choices(self.role)
        key = (id(binary), size, protocol.quantise, protocol.resize, choices)
        if key not in known:
            fitted = resized(protocol.quantised(grey), size, protocol.resize, path)
            pair = prepare(fitted, binary, choices)
            known[key] = {metric.title: metric.score(pair) for metric in metrics}
        return Outcome(counts, known[key])


def _oddities(grey: Grey, size: Size, truth: GroundTruth) -> list[str]:
    """Return which of ``COUNTS`` the map as stored, and its ground truth, add to."""
    low, high = grey.values.min(), grey.values.max()
    odd = {
        "empty_gt": truth.positives == 0,
        "constant": low == high,
        "all_zero": high == 0,
        "resized": grey.values.shape != size,
        "partial_range": low > 0 or high < grey.full,
    }
    return [name for name, is_so in odd.items() if is_so] + [f"map_{note}" for note in grey.notes]


@dataclass
class _Tally:
    """Running result of one protocol."""

    protocol: Protocol
    metrics: Sequence[Metric]
    counts: Counter[str] = field(default_factory=Counter)
    undefined: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        thresholds = self.protocol.thresholds.values
        self.means = {metric.title: Means(thresholds) for metric in self.metrics}
        self.rows = Rows([name for metric in self.metrics for name in metric.image_names])

    def add(self, stem: str, outcome: Outcome) -> None:
        self.counts.update(outcome.counts)
        if outcome.scores is None:
            return
        values: dict[str, float] = {}
        for title, score in outcome.scores.items():
            if score is None:
                self.undefined[title] += 1
                continue
            self.means[title].add(score)
            values |= score.values
            self.counts.update(score.flags)
        self.rows.add(stem, values)


class Cell:
    """Running result of one method over images, under several protocols.

    Parameters
    ----------
    protocols : sequence of Protocol
        Under which its maps are scored.
    metrics : sequence of Metric
        By which.
    """

    def __init__(self, protocols: Sequence[Protocol], metrics: Sequence[Metric]) -> None:
        self._metrics = metrics
        self._tallies = [_Tally(protocol, metrics) for protocol in protocols]
        self._images = 0

    def add(self, stem: str, outcomes: Sequence[Outcome]) -> None:
        """Take in what one image gave under each protocol."""
        self._images += 1
        for tally, outcome in zip(self._tallies, outcomes, strict=True):
            tally.add(stem, outcome)

    def scores(self) -> CellScores:
        """Return the scores over the images so far."""
        frames = [tally.rows.frame(tally.protocol.name) for tally in self._tallies]
        curves = {
            f"{tally.protocol.name}/{name}": curve
            for tally in self._tallies
            for means in tally.means.values()
            if means.count
            for name, curve in means.curves().items()
        }
        scores = [
            score for tally in self._tallies for metric in self._metrics for score in self._dataset(metric, tally)
        ]
        return CellScores(pd.concat(frames, ignore_index=True), curves, tuple(scores))

    def _dataset(self, metric: Metric, tally: _Tally) -> Iterable[Score]:
        means = tally.means[metric.title]
        values = metric.compute(means) if means.count else dict.fromkeys(metric.names, math.nan)
        counts = {name: tally.counts[name] for name in COUNTS} | {"undefined": tally.undefined[metric.title]}
        for name in metric.names:
            finite = math.isfinite(values[name])
            yield Score(
                protocol=tally.protocol.name,
                protocol_hash=tally.protocol.hash,
                metric=name,
                value=values[name] if finite else None,
                n_used=means.count,
                n_expected=self._images,
                status="ok" if finite else "failed",
                counts=counts,
            )
