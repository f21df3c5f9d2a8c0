"""Weighted F-measure: errors weighted by their neighbourhood and their distance to the object.

Source: R. Margolin, L. Zelnik-Manor, A. Tal, "How to Evaluate Foreground Maps?", CVPR 2014, with beta^2 = 1.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Mask
from sodlift.metrics._base import EPS, ImageScore, Metric, always_defined, mean_over_images
from sodlift.metrics._distance import candidates, cells, envelope, nearest_foreground, nearest_rows, parabolas
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
    return Importance(*_importance(mask, _weights(), 2 * RADIUS**2))


@cache
def _weights() -> Floats:
    """Return B by squared distance: 0 in the foreground, else ``2 - 0.5^(d / 5)``.

    Beyond the last, 300 pixels away, B is 2 in double precision, as the last one is.
    """
    return np.append(0.0, 2 - np.exp(np.log(0.5) / 5 * np.sqrt(np.arange(1, 300**2 + 1))))


@njit(cache=True)
def _importance(mask: Mask, table: Floats, reach: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]:
    height, width = mask.shape
    rows = nearest_rows(mask)
    # seen from the image's border the nearest row is the foreground's first in the column, or its last
    top, bottom = height, rows[height - 1].max() + 1
    for x in range(width):
        if rows[0, x] >= 0:
            top = min(top, rows[0, x])
    weight = np.empty((height, width))
    band, source = np.empty((height * width, 2), np.int32), np.empty((height * width, 2), np.int32)
    columns, nearest = np.empty(width, np.int32), np.empty(width, np.int32)
    heights, starts, keep = np.empty(width), np.empty(width + 1, np.int32), np.empty(width, np.bool_)
    found, count, last = 0, 0, len(table) - 1
    for step in range(height):
        # from the foreground's first row to its last, then outward above it and below it
        if step < bottom - top:
            y = top + step
        elif step < bottom:
            y = bottom - 1 - step
        else:
            y = step
        parabolas(rows[y], y, heights)
        if top <= y < bottom or y in (top - 1, bottom):
            count = candidates(rows[y], y, heights, columns, keep)
        count = envelope(heights, columns, count)
        kept = cells(heights, columns, count, nearest, starts)
        for k in range(kept):
            i = np.int64(nearest[k])
            aside = (y - rows[y, i]) ** 2
            for x in range(starts[k], starts[k + 1]):
                squared = 0 if mask[y, x] else (x - i) ** 2 + aside
                weight[y, x] = table[np.uint32(min(squared, last))]
                if 0 < squared <= reach:
                    band[found, 0], band[found, 1] = y, x
                    source[found, 0], source[found, 1] = nearest_foreground(rows, y, x, squared)
                    found += 1
    return band[:found].copy(), source[:found].copy(), weight


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
        inside, e = mask[y + top], error[y + radius]
        for x in range(width):
            blurred = (
                a * (rows[y, x] + rows[y + 6, x])
                + b * (rows[y + 1, x] + rows[y + 5, x])
                + c * (rows[y + 2, x] + rows[y + 4, x])
                + d * rows[y + 3, x]
            )
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


METRIC = Metric(
    title="weighted F-measure",
    source="Margolin, Zelnik-Manor, Tal, CVPR 2014",
    order=40,
    names=("wF",),
    image_names=("wF",),
    validate=always_defined,
    format=_format,
    update=_update,
    compute=mean_over_images("wF"),
    on_empty=False,
)
