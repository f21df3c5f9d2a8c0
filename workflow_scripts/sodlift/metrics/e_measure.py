"""E-measure (enhanced alignment): at the adaptive threshold, and mean and maximum over the thresholds.

Source: D.-P. Fan, C. Gong, Y. Cao, B. Ren, M.-M. Cheng, A. Borji, "Enhanced-alignment Measure for Binary Foreground Map
Evaluation", IJCAI 2018. Divided by N - 1 as in its authors' code, so that a perfect map scores a little above 1.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sodlift.metrics._base import EPS, Curve, ImageScore, Means, Metric, mean_and_max
from sodlift.metrics._pair import Counts, Integers, Pair


def e_measure(counts: Counts) -> Curve:
    """Return the E-measure of binary maps, one a threshold, for images of two pixels or more.

    Within one of the four parts (predicted foreground or not) x (ground truth or not) all pixels align alike, so that
    the sum over pixels is a sum over parts.
    """
    return _e_measure(counts.tp, counts.fp, counts.positives, counts.negatives)


@njit(cache=True)
def _e_measure(tp: Integers, fp: Integers, positives: int, negatives: int) -> Curve:
    size = positives + negatives
    g1, g0 = 1 - positives / size, 0 - positives / size
    e = np.empty(len(tp))
    for i in range(len(tp)):
        foreground = tp[i] + fp[i]
        background = size - foreground
        if positives == 0:
            total = float(background)
        elif negatives == 0:
            total = float(foreground)
        else:
            # mean-removed values of the prediction, in its foreground and in its background
            p1, p0 = 1 - foreground / size, 0 - foreground / size
            missed = positives - tp[i]
            total = (
                _enhanced(p1, g1) * tp[i]
                + _enhanced(p1, g0) * fp[i]
                + _enhanced(p0, g1) * missed
                + _enhanced(p0, g0) * (background - missed)
            )
        e[i] = total / (size - 1 + EPS)
    return e


@njit(cache=True)
def _enhanced(a: float, b: float) -> float:
    """Alignment ``2ab / (a^2 + b^2)`` (Eq. 3), enhanced to ``(phi + 1)^2 / 4`` (Eq. 4)."""
    alignment = 2 * (a * b) / (a * a + b * b + EPS)
    return (alignment + 1) * (alignment + 1) / 4


def _validate(pair: Pair) -> str:
    return "an image of one pixel has no E-measure: N - 1 = 0" if pair.truth.size == 1 else ""


class _Data(NamedTuple):
    curve: Counts
    adaptive: Counts


def _format(pair: Pair) -> _Data:
    return _Data(pair.e_curve, pair.e_adaptive)


def _update(data: _Data) -> ImageScore:
    e = e_measure(data.curve)
    adaptive = e_measure(data.adaptive)
    mean, largest = mean_and_max(e)
    return ImageScore({"adpE": float(adaptive[0]), "meanE": mean, "maxE": largest}, {"E": e})


def _compute(means: Means) -> dict[str, float]:
    e = means.curve("E")
    return {"adpE": means.value("adpE"), "meanE": float(e.mean()), "maxE": float(e.max())}


METRIC = Metric(
    title="E-measure",
    source="Fan et al., IJCAI 2018",
    order=30,
    names=("adpE", "meanE", "maxE"),
    image_names=("adpE", "meanE", "maxE"),
    validate=_validate,
    format=_format,
    update=_update,
    compute=_compute,
)
