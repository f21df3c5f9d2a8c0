"""A saliency map beside its ground truth, prepared once for all metrics.

A prediction enters as the table of its grey values and one histogram of them inside and one outside the ground truth:
most metrics follow from these alone. Normalisation acts on the table, with the reference's own floating-point
operations, so that thresholds fall between the same grey values as there. 8-bit files have 256 grey values; a float
map has as many as it has different numbers, and takes the same path.

Reference: PySODMetrics 1.6.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Grey, Mask

T = TypeVar("T")

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_NEAR = 1e-11
"""A grey value nearer than this to an adaptive threshold may change sides with the order of a summation."""

NORMS: dict[str, Callable[[Floats, float, float], Floats]] = {
    # (grey values in [0, 1], smallest, largest of the map) -> normalised grey values
    "none": lambda values, low, high: values,
    "max": lambda values, low, high: values / high if high > 0 else values,
    "minmax": lambda values, low, high: (values - low) / (high - low) if high != low else values,
    # (x - min) / (max - min + eps): its one effect above 1e-12 is that a constant map becomes 0
    "minmax_zero": lambda values, low, high: (values - low) / (high - low) if high != low else 0 * values,
}
"""Normalisations of a prediction."""

LEVELS: dict[str, Callable[[Floats], Floats]] = {
    # a stretched grey value may come out just under a whole number, and then loses one: the reference does so too
    "trunc8": lambda values: np.trunc(values * 255),
    "float": lambda values: values * 255,
}
"""What a curve's thresholds, scaled to 0..255, are compared with."""

COMPARISONS = {"ge": "left", "gt": "right"}
"""Foreground is ``x >= t`` or ``x > t``, as the side of ``numpy.searchsorted``."""


@dataclass(frozen=True)
class Thresholds:
    """How a soft prediction becomes binary ones.

    Attributes
    ----------
    count : int
        Number of thresholds of a curve, evenly spaced from 0 to 1.
    levels : str
        One of ``LEVELS``.
    comparison : str
        One of ``COMPARISONS``, for the curve and for the adaptive threshold.
    cap : float
        What an adaptive threshold (twice the mean of the map) above 1 becomes.
    """

    count: int = 256
    levels: str = "trunc8"
    comparison: str = "ge"
    cap: float = 1.0

    @property
    def values(self) -> Floats:
        """The curve's thresholds on the scale 0..255, ascending."""
        return np.arange(self.count) * 255 / (self.count - 1)


@dataclass(frozen=True)
class Counts:
    """Confusion counts of binary predictions, one a threshold.

    Attributes
    ----------
    tp, fp : (T,) int64
        Predicted foreground inside and outside the ground truth.
    positives, negatives : int
        Pixels inside and outside the ground truth.
    """

    tp: Integers
    fp: Integers
    positives: int
    negatives: int


class GroundTruth:
    """A binary ground truth and what metrics derive of it, made once and shared by all maps of the image.

    Parameters
    ----------
    mask : (H, W) bool
        The ground truth.
    """

    def __init__(self, mask: Mask) -> None:
        self.mask = np.ascontiguousarray(mask, dtype=bool)
        self.size = int(mask.size)
        self.positives = int(np.count_nonzero(mask))
        self._parts: dict[Callable[..., Any], Any] = {}

    @property
    def negatives(self) -> int:
        """Number of background pixels."""
        return self.size - self.positives

    @property
    def one_class(self) -> bool:
        """Whether the ground truth is empty or full."""
        return self.positives in {0, self.size}

    def part(self, make: Callable[[Mask], T]) -> T:
        """Return ``make(mask)``, computed at the first call."""
        if make not in self._parts:
            self._parts[make] = make(self.mask)
        return cast(T, self._parts[make])


class Pair:
    """A normalised prediction and its ground truth.

    Parameters
    ----------
    levels : (H, W) integer
        Index of each pixel's grey value.
    table : (L,) float64
        The normalised grey values, ascending.
    inside, outside : (L,) int64
        Histograms of ``levels`` inside and outside the ground truth.
    truth : GroundTruth
        The ground truth, (H, W).
    thresholds : Thresholds
        How the prediction is made binary.
    """

    def __init__(
        self,
        levels: npt.NDArray[Any],
        table: Floats,
        inside: Integers,
        outside: Integers,
        truth: GroundTruth,
        thresholds: Thresholds,
    ) -> None:
        self.levels, self.table, self.inside, self.outside = levels, table, inside, outside
        self.truth, self.thresholds = truth, thresholds

    @cached_property
    def prediction(self) -> Floats:
        """The normalised prediction: (H, W) float64."""
        prediction: Floats = self.table[self.levels]
        return prediction

    @cached_property
    def curve(self) -> Counts:
        """Counts at the thresholds of the curves, ascending."""
        return self._count(LEVELS[self.thresholds.levels](self.table), self.thresholds.values)

    @cached_property
    def adaptive(self) -> Counts:
        """Counts at the adaptive threshold: arrays of length 1."""
        return self._count(self.table, np.array([self.adaptive_threshold]))

    @cached_property
    def adaptive_threshold(self) -> float:
        """Twice the mean of the prediction, capped."""
        histogram = self.inside + self.outside
        threshold = 2 * float(histogram @ self.table) / self.truth.size
        if (np.abs(self.table[histogram > 0] - threshold) < _NEAR).any():
            threshold = float(2 * self.prediction.mean())  # the reference's own order of summation
        return self.thresholds.cap if threshold > 1 else threshold

    def _count(self, values: Floats, thresholds: Floats) -> Counts:
        first = np.searchsorted(values, thresholds, side=cast(Any, COMPARISONS[self.thresholds.comparison]))
        tp, fp = (np.append(h[::-1].cumsum()[::-1], 0)[first] for h in (self.inside, self.outside))
        return Counts(tp, fp, self.truth.positives, self.truth.negatives)


def prepare(grey: Grey, truth: GroundTruth, norm: str = "minmax", thresholds: Thresholds | None = None) -> Pair:
    """Prepare a map for all metrics.

    Parameters
    ----------
    grey : Grey
        The map as stored, of the ground truth's size.
    truth : GroundTruth
        The ground truth.
    norm : str
        One of ``NORMS``.
    thresholds : Thresholds, optional
        How the map is made binary; the reference's by default.
    """
    if grey.values.dtype == np.uint8 and grey.full == 255:
        levels, stored = np.ascontiguousarray(grey.values), np.arange(256) / 255
    else:
        stored, levels = np.unique(np.asarray(grey.values, dtype=np.float64) / grey.full, return_inverse=True)
        levels = levels.reshape(grey.values.shape)
    inside, outside = _histograms(levels, truth.mask, len(stored))
    occupied = np.flatnonzero(inside + outside)
    table = NORMS[norm](stored, stored[occupied[0]], stored[occupied[-1]])
    return Pair(levels, table, inside, outside, truth, thresholds or Thresholds())


@njit(cache=True)
def _histograms(levels: npt.NDArray[Any], mask: Mask, count: int) -> tuple[Integers, Integers]:
    inside, outside = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for row in range(levels.shape[0]):
        for column in range(levels.shape[1]):
            if mask[row, column]:
                inside[levels[row, column]] += 1
            else:
                outside[levels[row, column]] += 1
    return inside, outside
