"""A saliency map beside its ground truth, prepared once for all metrics.

A prediction enters as the table of its grey values and their histograms, one for each part of the image: inside and
outside the ground truth, in each of the four quadrants around its centroid. Most metrics follow from these alone.
Normalisation acts on the table, with the reference's own floating-point operations, so that thresholds fall between the
same grey values as there. 8-bit files have 256 grey values; a float map has as many as it has different numbers, and
takes the same path.

Reference: PySODMetrics 1.6.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Grey, Mask

T = TypeVar("T")

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

HALF = 0.5
"""Threshold of the metrics on one binary map: ``x > 0.5``, after normalisation."""

_EIGHT_BITS = np.arange(256) / 255

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
    "round8": lambda values: np.rint(values * 255),
    "float": lambda values: values * 255,
    "exact": lambda values: _whole(values * 255),
}
"""What a curve's thresholds, scaled to 0..255, are compared with."""


def _whole(levels: Floats) -> Floats:
    """Return levels, those that rounding moved off a whole number put back."""
    nearest = np.rint(levels)
    return np.where(np.abs(levels - nearest) < _NEAR * 255, nearest, levels)


COMPARISONS = {"ge": False, "gt": True}
"""Foreground is ``x >= t`` or, strictly, ``x > t``."""


@dataclass(frozen=True)
class Thresholds:
    """How a soft prediction becomes binary ones.

    Attributes
    ----------
    count : int
        Number of thresholds of a curve, evenly spaced from 0 to ``top``.
    top : float
        The largest of them, on the scale 0 to 255.
    levels : str
        One of ``LEVELS``.
    comparison, e_comparison : str
        One of ``COMPARISONS``, for the curves and for the adaptive threshold; the second is the E-measure's.
    cap : float
        What an adaptive threshold (twice the mean of the map) above 1 becomes.
    """

    count: int = 256
    top: float = 255.0
    levels: str = "trunc8"
    comparison: str = "ge"
    e_comparison: str = "ge"
    cap: float = 1.0

    @property
    def values(self) -> Floats:
        """The curve's thresholds on the scale 0..255, ascending."""
        return np.arange(self.count) * self.top / (self.count - 1)


class Counts(NamedTuple):
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

    Attributes
    ----------
    size, positives : int
        Numbers of pixels, in all and in the foreground.
    box : tuple of int
        Top, bottom, left, right of the foreground: ``mask[top:bottom, left:right]`` holds all of it.
    """

    def __init__(self, mask: Mask) -> None:
        self.mask = np.ascontiguousarray(mask, dtype=bool)
        self.size = int(mask.size)
        self.positives, self.box, self._sums = _survey(self.mask)
        self._parts: dict[Callable[..., Any], Any] = {}

    @property
    def negatives(self) -> int:
        """Number of background pixels."""
        return self.size - self.positives

    @property
    def one_class(self) -> bool:
        """Whether the ground truth is empty or full."""
        return self.positives in {0, self.size}

    @property
    def cut(self) -> tuple[int, int]:
        """Row and column after the centroid: the mean index rounded half to even, plus 1 (MATLAB counts from 1).

        Behind the last pixel where there is no foreground, so that the first quadrant is the whole image.
        """
        if self.positives == 0:
            return self.mask.shape[0], self.mask.shape[1]
        return round(self._sums[0] / self.positives) + 1, round(self._sums[1] / self.positives) + 1

    @cached_property
    def parts(self) -> npt.NDArray[np.uint8]:
        """Of each pixel twice its quadrant (0 to 3, row by row), plus 1 inside the ground truth: (H, W) uint8."""
        return _parts(self.mask, *self.cut)

    def part(self, make: Callable[[Mask], T]) -> T:
        """Return ``make(mask)``, computed at the first call."""
        if make not in self._parts:
            self._parts[make] = make(self.mask)
        return cast(T, self._parts[make])


@dataclass(frozen=True)
class Choices:
    """What a protocol says to metrics beside the thresholds; see ``evaluation.protocols.Protocol``."""

    norm: str = "minmax"
    thresholds: Thresholds = Thresholds()
    precision_of_nothing: float = 0.0
    empty_gt: str = "keep"
    s_quadrant: str = "ignore"


REFERENCE = Choices()
"""PySODMetrics' choices."""


class Pair:
    """A normalised prediction and its ground truth.

    Parameters
    ----------
    levels : (H, W) integer
        Index of each pixel's grey value.
    table : (L,) float64
        The normalised grey values, ascending.
    split : (8, L) int64
        Histograms of ``levels``, one for each of ``GroundTruth.parts``.
    truth : GroundTruth
        The ground truth, (H, W).
    choices : Choices
        How it is scored.
    """

    def __init__(
        self, levels: npt.NDArray[Any], table: Floats, split: Integers, truth: GroundTruth, choices: Choices = REFERENCE
    ) -> None:
        self.levels, self.table, self.split = levels, table, split
        self.truth, self.choices, self.thresholds = truth, choices, choices.thresholds
        self.outside, self.inside = split.reshape(4, 2, -1).sum(axis=0)

    @cached_property
    def prediction(self) -> Floats:
        """The normalised prediction: (H, W) float64."""
        prediction: Floats = self.table[self.levels]
        return prediction

    @cached_property
    def binary(self) -> Mask:
        """Where the normalised prediction is above one half: (H, W) bool."""
        binary: Mask = (self.table > HALF)[self.levels]
        return binary

    @cached_property
    def half(self) -> Counts:
        """Counts of ``binary``: arrays of length 1."""
        return self._count(self.table, np.array([HALF]), True)

    @cached_property
    def curve(self) -> Counts:
        """Counts at the thresholds of the curves, ascending."""
        return self._curve(self.thresholds.comparison)

    @cached_property
    def e_curve(self) -> Counts:
        """The same as the E-measure wants them."""
        same = self.thresholds.comparison == self.thresholds.e_comparison
        return self.curve if same else self._curve(self.thresholds.e_comparison)

    @cached_property
    def adaptive(self) -> Counts:
        """Counts at the adaptive threshold: arrays of length 1."""
        return self._adaptive(self.thresholds.comparison)

    @cached_property
    def e_adaptive(self) -> Counts:
        """The same as the E-measure wants them."""
        same = self.thresholds.comparison == self.thresholds.e_comparison
        return self.adaptive if same else self._adaptive(self.thresholds.e_comparison)

    @cached_property
    def adaptive_threshold(self) -> float:
        """Twice the mean of the prediction, capped."""
        threshold, near = _twice_the_mean(self.table, self.inside, self.outside, _NEAR)
        if near:
            threshold = float(2 * self.prediction.mean())  # the reference's own order of summation
        return self.thresholds.cap if threshold > 1 else threshold

    def _curve(self, comparison: str) -> Counts:
        return self._count(LEVELS[self.thresholds.levels](self.table), self.thresholds.values, COMPARISONS[comparison])

    def _adaptive(self, comparison: str) -> Counts:
        return self._count(self.table, np.array([self.adaptive_threshold]), COMPARISONS[comparison])

    def _count(self, values: Floats, thresholds: Floats, strictly: bool) -> Counts:
        tp, fp = _above(values, self.inside, self.outside, thresholds, strictly)
        return Counts(tp, fp, self.truth.positives, self.truth.negatives)


def prepare(grey: Grey, truth: GroundTruth, choices: Choices = REFERENCE) -> Pair:
    """Prepare a map for all metrics.

    Parameters
    ----------
    grey : Grey
        The map as stored, of the ground truth's size.
    truth : GroundTruth
        The ground truth.
    choices : Choices
        How it is scored; the reference's way by default.
    """
    if grey.values.dtype == np.uint8 and grey.full == 255:
        levels, stored = np.ascontiguousarray(grey.values), _EIGHT_BITS
        split = _split(levels.ravel(), truth.parts.ravel())
    else:
        stored, levels = np.unique(np.asarray(grey.values, dtype=np.float64) / grey.full, return_inverse=True)
        levels = levels.reshape(grey.values.shape)
        places = truth.parts.astype(np.int64) * len(stored) + levels
        split = np.bincount(places.ravel(), minlength=8 * len(stored)).reshape(8, -1)
    low, high = _extremes(split)
    return Pair(levels, NORMS[choices.norm](stored, stored[low], stored[high]), split, truth, choices)


@njit(cache=True)
def _survey(mask: Mask) -> tuple[int, tuple[int, int, int, int], tuple[int, int]]:
    """Number of foreground pixels, their box, and the sums of their rows and of their columns."""
    height, width = mask.shape
    in_column = np.zeros(width, np.int64)
    total, rows, top, bottom = 0, 0, height, 0
    for y in range(height):
        count = 0
        for x in range(width):
            in_column[x] += mask[y, x]
            count += mask[y, x]
        if count:
            total += count
            rows += y * count
            top, bottom = min(top, y), y + 1
    columns, left, right = 0, width, 0
    for x in range(width):
        if in_column[x]:
            columns += x * in_column[x]
            left, right = min(left, x), x + 1
    return total, (top, bottom, left, right), (rows, columns)


@njit(cache=True)
def _parts(mask: Mask, y: int, x: int) -> npt.NDArray[np.uint8]:
    parts = np.empty(mask.shape, np.uint8)
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            parts[row, column] = 4 * (row >= y) + 2 * (column >= x) + mask[row, column]
    return parts


@njit(cache=True)
def _split(levels: npt.NDArray[np.uint8], parts: npt.NDArray[np.uint8]) -> Integers:
    """Histograms of 8-bit levels by part; neighbours, often alike, count in tables of their own."""
    counts = np.zeros((2, 8 * 256), np.int64)
    even = levels.size // 2 * 2
    for i in range(0, even, 2):
        counts[0, np.uint32(256) * parts[i] + levels[i]] += 1
        counts[1, np.uint32(256) * parts[i + 1] + levels[i + 1]] += 1
    if even < levels.size:
        counts[0, np.uint32(256) * parts[even] + levels[even]] += 1
    both: Integers = (counts[0] + counts[1]).reshape(8, 256)
    return both


@njit(cache=True)
def _extremes(split: Integers) -> tuple[int, int]:
    """Smallest and largest level that occurs."""
    low, high = split.shape[1], -1
    for part in range(split.shape[0]):
        for level in range(split.shape[1]):
            if split[part, level] > 0:
                low, high = min(low, level), max(high, level)
    return low, high


@njit(cache=True)
def _above(
    values: Floats, inside: Integers, outside: Integers, thresholds: Floats, strictly: bool
) -> tuple[Integers, Integers]:
    """Count pixels of values ``>= t``, or ``> t``, for ascending thresholds, by one walk down the ascending values."""
    tp, fp = np.empty(len(thresholds), np.int64), np.empty(len(thresholds), np.int64)
    level, inner, outer = len(values) - 1, 0, 0
    for i in range(len(thresholds) - 1, -1, -1):
        while level >= 0 and (values[level] > thresholds[i] or (values[level] == thresholds[i] and not strictly)):
            inner += inside[level]
            outer += outside[level]
            level -= 1
        tp[i], fp[i] = inner, outer
    return tp, fp


@njit(cache=True)
def _twice_the_mean(table: Floats, inside: Integers, outside: Integers, near: float) -> tuple[float, bool]:
    """Twice the mean grey value, and whether a grey value of the map is within ``near`` of it."""
    total, pixels = 0.0, 0
    for level in range(len(table)):
        count = inside[level] + outside[level]
        total += count * table[level]
        pixels += count
    threshold = 2 * total / pixels
    for level in range(len(table)):
        if inside[level] + outside[level] > 0 and abs(table[level] - threshold) < near:
            return threshold, True
    return threshold, False
