"""Weighted F-measure: errors weighted by their neighbourhood and their distance to the object.

Source: R. Margolin, L. Zelnik-Manor, A. Tal, "How to Evaluate Foreground Maps?", CVPR 2014, with beta^2 = 1.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Mask
from sodlift.metrics._base import EPS, ImageScore, Means, Metric, always_defined
from sodlift.metrics._distance import nearest_foreground, squared_distances
from sodlift.metrics._pair import Floats, GroundTruth, Pair

BETA2 = 1.0
RADIUS, SIGMA = 3, 5.0
"""The Gaussian of the dependency among pixels: 7 x 7, sigma 5."""

_taps = np.exp(-(np.arange(-RADIUS, RADIUS + 1) ** 2) / (2 * SIGMA**2))
GAUSSIAN: Floats = _taps / _taps.sum()
"""Its separable factor, of sum 1."""


class Importance(NamedTuple):
    """What the metric takes from the ground truth alone.

    Attributes
    ----------
    band, source : (K, 2) int32
        Rows and columns of the background pixels that the Gaussian can reach, and of the foreground pixel nearest to
        each.
    weight : (H, W) float64
        B of Eq. 9 in the background: ``2 - 0.5^(d / 5)`` at distance d from the foreground; 0 in the foreground.
    """

    band: npt.NDArray[np.int32]
    source: npt.NDArray[np.int32]
    weight: Floats


def importance(mask: Mask) -> Importance:
    """Return what the metric takes from a ground truth (H, W) that has foreground."""
    squared, rows = squared_distances(mask)
    return Importance(*_importance(squared, rows, _by_distance(int(squared.max()) + 1), 2 * RADIUS**2))


_known = np.zeros(0)


def _by_distance(count: int) -> Floats:
    """Return B by squared distance, for at least ``count`` of them; those of earlier images serve again."""
    global _known  # noqa: PLW0603 - a cache that only grows
    if len(_known) < count:
        _known = 2 - np.exp(np.log(0.5) / 5 * np.sqrt(np.arange(2 * count)))
        _known[0] = 0
    return _known


@njit(cache=True)
def _importance(
    squared: npt.NDArray[np.int32], rows: npt.NDArray[np.int32], by_distance: Floats, reach: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]:
    height, width = squared.shape
    weight = np.empty((height, width))
    band, source = np.empty((height * width, 2), np.int32), np.empty((height * width, 2), np.int32)
    count = 0
    for y in range(height):
        for x in range(width):
            distance = squared[y, x]
            weight[y, x] = by_distance[distance]
            if 0 < distance <= reach:
                band[count, 0], band[count, 1] = y, x
                source[count, 0], source[count, 1] = nearest_foreground(squared, rows, y, x)
                count += 1
    return band[:count].copy(), source[:count].copy(), weight


def weighted_f(levels: npt.NDArray[Any], table: Floats, truth: GroundTruth) -> float:
    """Return the weighted F-measure, in [0, 1]; 0 for an empty ground truth.

    Parameters
    ----------
    levels : (H, W) integer
        Index of each pixel's saliency in the table.
    table : (L,) float64
        Saliency in [0, 1].
    truth : GroundTruth
        The ground truth.
    """
    if truth.positives == 0:
        return 0.0
    band, source, weight = truth.part(importance)
    errors = _foreground_errors(levels, 1 - table, truth.mask, truth.box, band, source, GAUSSIAN)
    false_positives = _weighted_sum(levels, table, weight)
    true_positives = truth.positives - errors
    recall = 1 - errors / truth.positives
    precision = true_positives / (true_positives + false_positives + EPS)
    return float((1 + BETA2) * recall * precision / (recall + BETA2 * precision + EPS))


# `reassoc` lets sums run in vector registers: their order is another one than written, and the same at every run


@njit(cache=True, fastmath={"reassoc"})
def _weighted_sum(levels: npt.NDArray[Any], table: Floats, weight: Floats) -> float:
    total = 0.0
    for y in range(levels.shape[0]):
        for x in range(levels.shape[1]):
            total += table[levels[y, x]] * weight[y, x]
    return total


@njit(cache=True, fastmath={"reassoc"})
def _foreground_errors(
    levels: npt.NDArray[Any],
    errors: Floats,
    mask: Mask,
    box: tuple[int, int, int, int],
    band: npt.NDArray[np.int32],
    source: npt.NDArray[np.int32],
    gaussian: Floats,
) -> float:
    """Sum ``min(E, E A)`` over the foreground (Eq. 8), where B = 1; E is ``errors`` by level there.

    Background pixels within the Gaussian's reach take the error of the nearest foreground pixel; beyond them, and
    beyond the image, E is 0.
    """
    top, bottom, left, right = box
    height, width, radius = bottom - top, right - left, RADIUS
    error = np.zeros((height + 2 * radius, width + 2 * radius))
    for y in range(height):
        for x in range(width):
            if mask[y + top, x + left]:
                error[y + radius, x + radius] = errors[levels[y + top, x + left]]
    for k in range(len(band)):
        y, x = band[k, 0] - top + radius, band[k, 1] - left + radius
        if 0 <= y < error.shape[0] and 0 <= x < error.shape[1]:  # a pixel 4 above the foreground is beyond
            error[y, x] = errors[levels[source[k, 0], source[k, 1]]]
    a, b, c, d = gaussian[0], gaussian[1], gaussian[2], gaussian[3]
    rows = np.empty((height + 2 * radius, width))
    for y in range(height + 2 * radius):
        e, out = error[y], rows[y]
        for x in range(width):
            out[x] = a * (e[x] + e[x + 6]) + b * (e[x + 1] + e[x + 5]) + c * (e[x + 2] + e[x + 4]) + d * e[x + 3]
    total = 0.0
    for y in range(height):
        r0, r1, r2, r3, r4, r5, r6 = rows[y], rows[y + 1], rows[y + 2], rows[y + 3], rows[y + 4], rows[y + 5], rows[y + 6]
        inside, e = mask[y + top], error[y + radius]
        for x in range(width):
            blurred = a * (r0[x] + r6[x]) + b * (r1[x] + r5[x]) + c * (r2[x] + r4[x]) + d * r3[x]
            total += min(e[x + radius], blurred) if inside[x + left] else 0.0
    return total


class _Data(NamedTuple):
    levels: npt.NDArray[Any]
    table: Floats
    truth: GroundTruth


def _format(pair: Pair) -> _Data:
    return _Data(pair.levels, pair.table, pair.truth)


def _update(data: _Data) -> ImageScore:
    return ImageScore({"wF": weighted_f(*data)})


def _compute(means: Means) -> dict[str, float]:
    return {"wF": means.value("wF")}


METRIC = Metric(
    title="weighted F-measure",
    source="Margolin, Zelnik-Manor, Tal, CVPR 2014",
    order=40,
    names=("wF",),
    image_names=("wF",),
    validate=always_defined,
    format=_format,
    update=_update,
    compute=_compute,
    on_empty=False,
)
