"""F-measure: at the adaptive threshold and along the precision-recall curve.

Source: R. Achanta, S. Hemami, F. Estrada, S. Süsstrunk, "Frequency-tuned Salient Region Detection", CVPR 2009, with
their beta^2 = 0.3 and adaptive threshold of twice the map's mean.

Three numbers go by the name "max F" over a data set. ``maxF`` is the maximum of the mean F curve, ``maxF_PR`` the
maximal F of the mean precision and recall, and ``maxF_image`` the mean of the images' own maxima. ``P_``, ``R_`` and
``T_`` before the first two are precision, recall and threshold (0 to 255) at that maximum.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sodlift.metrics._base import Curve, ImageScore, Means, Metric, always_defined, mean_and_max
from sodlift.metrics._pair import Counts, Integers, Pair

BETA2 = 0.3


def precision_recall(counts: Counts, precision_of_nothing: float = 0.0) -> tuple[Curve, Curve]:
    """Return precision and recall, one a threshold.

    Recall is 0 where the ground truth is empty, precision ``precision_of_nothing`` where nothing is predicted.
    """
    return _precision_recall(counts.tp, counts.fp, counts.positives, precision_of_nothing)


@njit(cache=True)
def _precision_recall(tp: Integers, fp: Integers, positives: int, nothing: float) -> tuple[Curve, Curve]:
    precision, recall = np.empty(len(tp)), np.empty(len(tp))
    for i in range(len(tp)):
        predicted = tp[i] + fp[i]
        precision[i] = tp[i] / predicted if predicted else nothing
        recall[i] = tp[i] / max(positives, 1)
    return precision, recall


@njit(cache=True)
def f_beta(precision: Curve, recall: Curve) -> Curve:
    """Return ``(1 + beta^2) P R / (beta^2 P + R)`` with beta^2 = 0.3, 0 where P R = 0."""
    f = np.zeros(len(precision))
    for i in range(len(f)):
        numerator = (1 + BETA2) * precision[i] * recall[i]
        if numerator != 0:
            f[i] = numerator / (BETA2 * precision[i] + recall[i])
    return f


class _Data(NamedTuple):
    curve: Counts
    adaptive: Counts
    precision_of_nothing: float


def _format(pair: Pair) -> _Data:
    return _Data(pair.curve, pair.adaptive, pair.choices.precision_of_nothing)


def _update(data: _Data) -> ImageScore:
    precision, recall = precision_recall(data.curve, data.precision_of_nothing)
    f = f_beta(precision, recall)
    mean, largest = mean_and_max(f)
    adaptive = f_beta(*precision_recall(data.adaptive))
    return ImageScore(
        {"adpF": float(adaptive[0]), "meanF": mean, "maxF": largest},
        {"P": precision, "R": recall, "F": f},
    )


def _compute(means: Means) -> dict[str, float]:
    precision, recall, f = means.curve("P"), means.curve("R"), means.curve("F")
    f_of_means = f_beta(precision, recall)
    values = {
        "adpF": means.value("adpF"),
        "meanF": float(f.mean()),
        "maxF": float(f.max()),
        "maxF_PR": float(f_of_means.max()),
        "maxF_image": means.value("maxF"),
        "meanF_PR": float(f_of_means.mean()),
    }
    for name, curve in (("maxF", f), ("maxF_PR", f_of_means)):
        at = len(curve) - 1 - int(curve[::-1].argmax())  # of equal maxima the one at the highest threshold
        values |= {
            f"P_{name}": float(precision[at]),
            f"R_{name}": float(recall[at]),
            f"T_{name}": float(means.threshold(at)),
        }
    return values


METRIC = Metric(
    title="F-measure",
    source="Achanta et al., CVPR 2009",
    order=10,
    names=(
        *("adpF", "meanF", "maxF", "maxF_PR", "maxF_image", "meanF_PR"),
        *("P_maxF", "R_maxF", "T_maxF", "P_maxF_PR", "R_maxF_PR", "T_maxF_PR"),
    ),
    image_names=("adpF", "meanF", "maxF"),
    validate=always_defined,
    format=_format,
    update=_update,
    compute=_compute,
    on_empty=False,
)
