"""Weighted F-measure: errors weighted by their neighbourhood and their distance to the object.

Source: R. Margolin, L. Zelnik-Manor, A. Tal, "How to Evaluate Foreground Maps?", CVPR 2014, with beta^2 = 1.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Mask
from sodlift.metrics._base import EPS, ImageScore, Means, Metric, always_defined
from sodlift.metrics._distance import nearest_foreground
from sodlift.metrics._pair import Floats, GroundTruth, Integers, Pair

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
    box : tuple of int
        Top, bottom, left, right of the foreground, widened by the Gaussian's radius within the image.
    band, source : (K,) int64
        Flat indices of the background pixels that the Gaussian can reach, and of the foreground pixel nearest to each.
    weight : (H, W) float64
        B of Eq. 9 in the background: ``2 - 0.5^(d / 5)`` at distance d from the foreground; 0 in the foreground.
    """

    box: tuple[int, int, int, int]
    band: Integers
    source: Integers
    weight: Floats


def importance(mask: Mask) -> Importance:
    """Return what the metric takes from a ground truth (H, W) that has foreground."""
    height, width = mask.shape
    squared, nearest = nearest_foreground(mask)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, bottom = max(rows[0] - RADIUS, 0), min(rows[-1] + RADIUS + 1, height)
    left, right = max(columns[0] - RADIUS, 0), min(columns[-1] + RADIUS + 1, width)
    band = np.flatnonzero((squared > 0) & (squared <= 2 * RADIUS**2))
    by_distance = 2 - np.exp(np.log(0.5) / 5 * np.sqrt(np.arange(squared.max() + 1)))
    by_distance[0] = 0
    box = (int(top), int(bottom), int(left), int(right))
    return Importance(box, band, nearest.ravel()[band], by_distance[squared])


def weighted_f(prediction: Floats, truth: GroundTruth) -> float:
    """Return the weighted F-measure, in [0, 1]; 0 for an empty ground truth.

    Parameters
    ----------
    prediction : (H, W) float64
        Saliency in [0, 1].
    truth : GroundTruth
        The ground truth.
    """
    if truth.positives == 0:
        return 0.0
    wanted = truth.part(importance)
    errors = _foreground_errors(prediction, truth.mask, wanted.box, wanted.band, wanted.source, GAUSSIAN)
    false_positives = float((prediction * wanted.weight).sum())
    true_positives = truth.positives - errors
    recall = 1 - errors / truth.positives
    precision = true_positives / (true_positives + false_positives + EPS)
    return float((1 + BETA2) * recall * precision / (recall + BETA2 * precision + EPS))


@njit(cache=True)
def _foreground_errors(
    prediction: Floats,
    mask: Mask,
    box: tuple[int, int, int, int],
    band: Integers,
    source: Integers,
    gaussian: npt.NDArray[np.float64],
) -> float:
    """Sum over the foreground of ``min(E, E A)`` (Eq. 8), where B = 1."""
    top, bottom, left, right = box
    height, width = bottom - top, right - left
    # E in the box: background pixels take the error of the nearest foreground pixel; those out of reach stay 0
    error = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            if mask[y + top, x + left]:
                error[y, x] = 1 - prediction[y + top, x + left]
    stride = mask.shape[1]
    for at, of in zip(band, source):  # noqa: B905 - numba knows no strict zip
        y, x = at // stride - top, at % stride - left
        if 0 <= y < height and 0 <= x < width:
            error[y, x] = 1 - prediction[of // stride, of % stride]
    rows = _blur_rows(error, gaussian)
    blurred = _blur_rows(rows.T, gaussian).T
    total = 0.0
    for y in range(height):
        for x in range(width):
            if mask[y + top, x + left]:
                total += min(error[y, x], blurred[y, x])
    return total


@njit(cache=True)
def _blur_rows(values: Floats, gaussian: npt.NDArray[np.float64]) -> Floats:
    """Convolve each row; beyond the box is zero, be it beyond the image or out of reach."""
    height, width = values.shape
    radius = len(gaussian) // 2
    blurred = np.zeros((height, width))
    for y in range(height):
        for k in range(-radius, radius + 1):
            for x in range(max(0, -k), min(width, width - k)):
                blurred[y, x] += gaussian[k + radius] * values[y, x + k]
    return blurred


class _Data(NamedTuple):
    prediction: Floats
    truth: GroundTruth


def _format(pair: Pair) -> _Data:
    return _Data(pair.prediction, pair.truth)


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
)
