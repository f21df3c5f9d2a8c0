"""What a metric is, and the running means over a data set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.metrics._pair import Pair, Thresholds

Curve = npt.NDArray[np.float64]

EPS = float(np.spacing(1))
"""Guard of the field's denominators, 2.2e-16."""


_NONE: Mapping[str, Any] = {}


class ImageScore(NamedTuple):
    """What a metric family says of one image.

    Attributes
    ----------
    values : mapping
        Numbers by name: the columns of the per-image table.
    curves : mapping
        Curves by name: one value a threshold of the protocol, ascending.
    totals : mapping
        Numbers that are summed over the images, such as counts of pixels, for what is pooled over a data set.
    flags : tuple of str
        What was odd about the image; images are counted by flag.
    """

    values: Mapping[str, float]
    curves: Mapping[str, Curve] = _NONE
    totals: Mapping[str, float] = _NONE
    flags: tuple[str, ...] = ()


@njit(cache=True)
def mean_and_max(curve: Curve) -> tuple[float, float]:
    """Return mean and maximum of a curve (T,), T at least 1."""
    total, largest = 0.0, curve[0]
    for value in curve:
        total += value
        largest = max(largest, value)
    return total / len(curve), largest


@dataclass
class Means:
    """Running means over images, each of equal weight; memory does not grow with their number.

    Curves are added one after another, as ``numpy.mean`` does along the first axis, so that means over a data set are
    those of the reference bit for bit.

    Attributes
    ----------
    thresholds : (T,) float64
        The thresholds of the curves on the scale 0 to 255.
    """

    thresholds: Curve = field(default_factory=lambda: Thresholds().values)
    count: int = 0
    _values: dict[str, float] = field(default_factory=dict)
    _curves: dict[str, Curve] = field(default_factory=dict)
    _totals: dict[str, float] = field(default_factory=dict)

    def add(self, score: ImageScore) -> None:
        """Take in one image."""
        self.count += 1
        for name, value in score.values.items():
            self._values[name] = self._values.get(name, 0.0) + value
        for name, curve in score.curves.items():
            if name in self._curves:
                self._curves[name] += curve
            else:
                self._curves[name] = curve.copy()
        for name, total in score.totals.items():
            self._totals[name] = self._totals.get(name, 0) + total

    def value(self, name: str) -> float:
        """Return the mean of a number over the images so far, at least one."""
        return self._values[name] / self.count

    def curve(self, name: str) -> Curve:
        """Return the mean of a curve over the images so far, at least one, threshold by threshold."""
        return self._curves[name] / self.count

    def total(self, name: str) -> float:
        """Return the sum of a number over the images so far."""
        return self._totals[name]

    def threshold(self, index: int) -> float:
        """Return a threshold of the curves on the scale 0 to 255."""
        return float(self.thresholds[index])

    def curves(self) -> dict[str, Curve]:
        """Return the means of all curves."""
        return {name: self.curve(name) for name in self._curves}


@dataclass(frozen=True)
class Metric:
    """One metric family: four pure stages, each of use alone.

    Attributes
    ----------
    title, source : str
        What papers call it; authors, venue and year.
    order : int
        Place of the family among the columns of results.
    names : tuple of str
        The numbers it gives over a data set, such as ``maxF``.
    image_names : tuple of str
        The numbers it gives for an image.
    validate : callable
        ``validate(pair) -> reason``: why the metric is undefined for the pair; empty where it is defined.
    format : callable
        ``format(pair) -> data``: what the metric needs of a prepared pair.
    update : callable
        ``update(data) -> ImageScore``: the metric of one image.
    compute : callable
        ``compute(means) -> {name: value}``: the metric of the data set, from the means over its images.
    extra : bool
        Whether it is computed only where it is asked for.
    on_empty : bool
        Whether it has a rule of its own for an empty ground truth; see ``Protocol.empty_gt``.
    """

    title: str
    source: str
    order: int
    names: tuple[str, ...]
    image_names: tuple[str, ...]
    validate: Callable[[Pair], str]
    format: Callable[[Pair], Any]
    update: Callable[[Any], ImageScore]
    compute: Callable[[Means], dict[str, float]]
    extra: bool = False
    on_empty: bool = True

    def score(self, pair: Pair) -> ImageScore | None:
        """Return the metric of one prepared pair, None where it is undefined."""
        if pair.truth.positives == 0 and pair.choices.empty_gt == "special" and not self.on_empty:
            return None
        return None if self.validate(pair) else self.update(self.format(pair))


def always_defined(_pair: Pair) -> str:
    """Stage ``validate`` of a metric that every pair has."""
    return ""


def mean_over_images(name: str) -> Callable[[Means], dict[str, float]]:
    """Return the stage ``compute`` of a metric that is the mean of its images' values."""
    return lambda means: {name: means.value(name)}
