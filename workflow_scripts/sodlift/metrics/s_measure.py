"""S-measure: object-aware and region-aware structural similarity.

Source: D.-P. Fan, M.-M. Cheng, Y. Liu, T. Li, A. Borji, "Structure-measure: A New Way to Evaluate Foreground Maps",
ICCV 2017, with alpha = 0.5.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Mask
from sodlift.metrics._base import EPS, ImageScore, Means, Metric, always_defined
from sodlift.metrics._pair import Floats, GroundTruth, Integers, Pair

ALPHA = 0.5
UNDEFINED_QUADRANT = "nan_s"
"""Flag of an image with a quadrant of fewer than two pixels, for which the reference returns NaN."""


class _Data(NamedTuple):
    table: Floats
    inside: Integers
    outside: Integers
    prediction: Floats
    truth: GroundTruth


def s_measure(data: _Data) -> tuple[float, bool]:
    """Return the S-measure, at least 0, and whether every quadrant was defined.

    A quadrant without pixels weighs nothing; one of a single pixel counts as of no variance.
    """
    truth = data.truth
    mean = float((data.inside + data.outside) @ data.table) / truth.size
    if truth.positives == 0:
        return 1 - mean, True
    if truth.negatives == 0:
        return mean, True
    region, defined = s_region(data.prediction, truth)
    return max(0.0, ALPHA * s_object(data.table, data.inside, data.outside) + (1 - ALPHA) * region), defined


def s_object(table: Floats, inside: Integers, outside: Integers) -> float:
    """Return S_o (Eq. 5): the similarity in foreground and in background, weighted by their areas.

    Parameters
    ----------
    table : (L,) float64
        Grey values in [0, 1].
    inside, outside : (L,) int64
        Their histograms in foreground and background.
    """
    foreground, background = int(inside.sum()), int(outside.sum())
    weight = foreground / (foreground + background)
    return weight * _uniformity(table, inside, foreground) + (1 - weight) * _uniformity(1 - table, outside, background)


def _uniformity(values: Floats, histogram: Integers, count: int) -> float:
    """Eq. 4: ``2m / (m^2 + 1 + s)`` with mean m and sample standard deviation s."""
    mean = float(histogram @ values) / count
    deviation = float(np.sqrt(histogram @ (values - mean) ** 2 / (count - 1))) if count > 1 else 0.0
    return 2 * mean / (mean**2 + 1 + deviation + EPS)


def s_region(prediction: Floats, truth: GroundTruth) -> tuple[float, bool]:
    """Return S_r (Eq. 8), quadrants cut at the ground truth's centroid, and whether every quadrant was defined."""
    height, width = truth.mask.shape
    y, x = truth.part(_cut)
    total, weights, defined = 0.0, 1.0, True
    for rows, columns in (((0, y), (0, x)), ((0, y), (x, width)), ((y, height), (0, x)), ((y, height), (x, width))):
        pixels = (rows[1] - rows[0]) * (columns[1] - columns[0])
        defined &= pixels > 1
        last = (rows[1], columns[1]) == (height, width)
        weight = weights if last else pixels / truth.size
        weights -= weight
        if pixels:
            total += weight * _similarity(prediction, truth.mask, rows, columns)
    return total, defined


def _cut(mask: Mask) -> tuple[int, int]:
    """Row and column after the centroid: the mean index rounded half to even, plus 1 (MATLAB counts from 1)."""
    return tuple(int(np.round(index.mean())) + 1 for index in np.nonzero(mask))  # type: ignore[return-value]


def _similarity(prediction: Floats, mask: Mask, rows: tuple[int, int], columns: tuple[int, int]) -> float:
    """Eq. 6-7 on one quadrant: ``4 x y s_xy / ((x^2 + y^2) (s_x^2 + s_y^2))``."""
    pixels = (rows[1] - rows[0]) * (columns[1] - columns[0])
    x, y, s_xx, s_xy, constant = _moments(prediction, mask, *rows, *columns)
    if constant and y in {0.0, 1.0}:
        # Both constant. The reference scores 1 where its own mean comes out exact, so that no variance is left, and 0
        # where rounding leaves some; its summation decides.
        part: npt.NDArray[np.float64] = prediction[slice(*rows), slice(*columns)]
        mean = np.mean(part)
        return float((mean**2 + y**2) * np.sum((part - mean) ** 2) == 0)
    if constant or y in {0.0, 1.0}:  # no covariance
        return 0.0
    s_yy = pixels * y * (1 - y)
    alpha = 4 * x * y * s_xy / (pixels - 1)
    beta = (x**2 + y**2) * (s_xx + s_yy) / (pixels - 1)
    return alpha / (beta + EPS)


@njit(cache=True)
def _moments(
    prediction: Floats, mask: Mask, top: int, bottom: int, left: int, right: int
) -> tuple[float, float, float, float, bool]:
    """Mean of prediction and ground truth, sums of squares and of products about them, and whether x is constant."""
    pixels = (bottom - top) * (right - left)
    total, positives = 0.0, 0
    first = prediction[top, left]
    constant = True
    for row in range(top, bottom):
        for column in range(left, right):
            value = prediction[row, column]
            total += value
            constant &= value == first
            positives += mask[row, column]
    x, y = total / pixels, positives / pixels
    s_xx, s_x1 = 0.0, 0.0
    for row in range(top, bottom):
        for column in range(left, right):
            distance = prediction[row, column] - x
            s_xx += distance * distance
            if mask[row, column]:
                s_x1 += distance
    # sum of (x - mean)(g - y) over all pixels = sum of (x - mean) over the foreground
    return x, y, s_xx, s_x1, constant


def _format(pair: Pair) -> _Data:
    return _Data(pair.table, pair.inside, pair.outside, pair.prediction, pair.truth)


def _update(data: _Data) -> ImageScore:
    score, defined = s_measure(data)
    return ImageScore({"S": score}, flags=() if defined else (UNDEFINED_QUADRANT,))


def _compute(means: Means) -> dict[str, float]:
    return {"S": means.value("S")}


METRIC = Metric(
    title="S-measure",
    source="Fan et al., ICCV 2017",
    order=20,
    names=("S",),
    image_names=("S",),
    validate=always_defined,
    format=_format,
    update=_update,
    compute=_compute,
)
