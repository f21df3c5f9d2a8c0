"""S-measure: object-aware and region-aware structural similarity.

Source: D.-P. Fan, M.-M. Cheng, Y. Liu, T. Li, A. Borji, "Structure-measure: A New Way to Evaluate Foreground Maps",
ICCV 2017, with alpha = 0.5.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sodlift.metrics._base import EPS, ImageScore, Metric, always_defined, mean_over_images
from sodlift.metrics._pair import Floats, Integers, Pair

ALPHA = 0.5
UNDEFINED_QUADRANT = "nan_s"
"""Flag of an image with a quadrant without pixels, for which the reference returns NaN."""


class _Data(NamedTuple):
    pair: Pair
    strict: bool


def s_measure(pair: Pair) -> tuple[float, bool]:
    """Return the S-measure, at least 0, and whether every quadrant was defined.

    A quadrant without pixels weighs nothing; one of a single pixel counts as of no variance.
    """
    truth = pair.truth
    if truth.one_class:
        mean = float((pair.inside + pair.outside) @ pair.table) / truth.size
        return (mean if truth.positives else 1 - mean), True
    region, defined = s_region(pair)
    return max(0.0, ALPHA * s_object(pair.table, pair.inside, pair.outside) + (1 - ALPHA) * region), defined


@njit(cache=True)
def s_object(table: Floats, inside: Integers, outside: Integers) -> float:
    """Return S_o (Eq. 5): the similarity in foreground and in background, weighted by their areas.

    Parameters
    ----------
    table : (L,) float64
        Grey values in [0, 1].
    inside, outside : (L,) int64
        Their histograms in foreground and background.
    """
    foreground, background = inside.sum(), outside.sum()
    weight = foreground / (foreground + background)
    inner, outer = _uniformity(table, inside, foreground), _uniformity(1 - table, outside, background)
    return float(weight * inner + (1 - weight) * outer)


@njit(cache=True)
def _uniformity(values: Floats, histogram: Integers, count: int) -> float:
    """Eq. 4: ``2m / (m^2 + 1 + s)`` with mean m and sample standard deviation s."""
    mean = (histogram * values).sum() / count
    deviation = np.sqrt((histogram * (values - mean) ** 2).sum() / (count - 1)) if count > 1 else 0.0
    return float(2 * mean / (mean**2 + 1 + deviation + EPS))


def s_region(pair: Pair) -> tuple[float, bool]:
    """Return S_r (Eq. 8), quadrants cut at the ground truth's centroid, and whether every quadrant was defined."""
    (height, width), (y, x) = pair.truth.mask.shape, pair.truth.cut
    sides = (((0, y), (0, x)), ((0, y), (x, width)), ((y, height), (0, x)), ((y, height), (x, width)))
    total, weights, defined = 0.0, 1.0, True
    for quadrant, (rows, columns) in enumerate(sides):
        pixels = (rows[1] - rows[0]) * (columns[1] - columns[0])
        defined &= pixels > 0
        weight = weights if quadrant == 3 else pixels / pair.truth.size
        weights -= weight
        if pixels:
            score, noisy = _similarity(pair.table, pair.split[2 * quadrant], pair.split[2 * quadrant + 1])
            total += weight * (_constant(pair, rows, columns) if noisy else score)
    return total, defined


@njit(cache=True)
def _similarity(table: Floats, outside: Integers, inside: Integers) -> tuple[float, bool]:
    """Eq. 6-7 on one quadrant: ``4 x y s_xy / ((x^2 + y^2) (s_x^2 + s_y^2))``, and whether rounding decides on it."""
    pixels, positives, total = 0, 0, 0.0
    low, high = np.inf, -np.inf
    for level in range(len(table)):
        count = inside[level] + outside[level]
        if count:
            pixels += count
            positives += inside[level]
            total += count * table[level]
            low, high = min(low, table[level]), max(high, table[level])
    x, y = total / pixels, positives / pixels
    of_one_class = positives in (0, pixels)
    if low == high and of_one_class:
        return 1.0, low not in (0.0, 1.0)
    if low == high or of_one_class:  # no covariance
        return 0.0, False
    s_xx, s_xy = 0.0, 0.0
    for level in range(len(table)):
        distance = table[level] - x
        s_xx += (inside[level] + outside[level]) * (distance * distance)
        s_xy += inside[level] * distance  # sum of (x - mean)(g - y) = sum of (x - mean) over the foreground
    alpha = 4 * x * y * s_xy / (pixels - 1)
    beta = (x * x + y * y) * (s_xx + pixels * y * (1 - y)) / (pixels - 1)
    return alpha / (beta + EPS), False


def _constant(pair: Pair, rows: tuple[int, int], columns: tuple[int, int]) -> float:
    """Score a quadrant in which both maps are constant as the reference's own summation does.

    It is 1 where the mean comes out exact, so that no variance is left, and 0 where rounding leaves some.
    """
    part = pair.table[pair.levels[slice(*rows), slice(*columns)]]
    mean = np.mean(part)
    y = float(pair.truth.mask[rows[0], columns[0]])
    return float((mean**2 + y**2) * np.sum((part - mean) ** 2) == 0)


def _format(pair: Pair) -> _Data:
    return _Data(pair, pair.choices.s_quadrant == "nan")


def _update(data: _Data) -> ImageScore:
    score, defined = s_measure(data.pair)
    value = np.nan if data.strict and not defined else score
    return ImageScore({"S": value}, flags=() if defined else (UNDEFINED_QUADRANT,))


METRIC = Metric(
    title="S-measure",
    source="Fan et al., ICCV 2017",
    order=20,
    names=("S",),
    image_names=("S",),
    validate=always_defined,
    format=_format,
    update=_update,
    compute=mean_over_images("S"),
)
