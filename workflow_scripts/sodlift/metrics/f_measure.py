"""F-measure: at the adaptive threshold and along the precision-recall curve.

Source: R. Achanta, S. Hemami, F. Estrada, S. Süsstrunk, "Frequency-tuned Salient Region Detection", CVPR 2009, with
their beta^2 = 0.3 and adaptive threshold of twice the map's mean.

Three numbers go by the name "max F". ``maxF`` over a data set is the maximum of the mean F curve; ``maxF_PR`` is the
maximal F of the mean precision and recall; the mean of the per-image ``maxF`` is the third.
"""

from typing import NamedTuple

import numpy as np

from sodlift.metrics._base import Curve, ImageScore, Means, Metric, always_defined
from sodlift.metrics._pair import Counts, Pair

BETA2 = 0.3


def precision_recall(counts: Counts) -> tuple[Curve, Curve]:
    """Return precision and recall, one a threshold: 0 where nothing is predicted or the ground truth is empty."""
    predicted = counts.tp + counts.fp
    return counts.tp / np.maximum(predicted, 1), counts.tp / max(counts.positives, 1)


def f_beta(precision: Curve, recall: Curve) -> Curve:
    """Return ``(1 + beta^2) P R / (beta^2 P + R)`` with beta^2 = 0.3, 0 where P R = 0."""
    numerator = (1 + BETA2) * precision * recall
    return numerator / np.where(numerator == 0, 1, BETA2 * precision + recall)


class _Data(NamedTuple):
    curve: Counts
    adaptive: Counts


def _format(pair: Pair) -> _Data:
    return _Data(pair.curve, pair.adaptive)


def _update(data: _Data) -> ImageScore:
    precision, recall = precision_recall(data.curve)
    f = f_beta(precision, recall)
    adaptive = f_beta(*precision_recall(data.adaptive))
    return ImageScore(
        {"adpF": float(adaptive[0]), "meanF": float(f.mean()), "maxF": float(f.max())},
        {"P": precision, "R": recall, "F": f},
    )


def _compute(means: Means) -> dict[str, float]:
    f = means.curve("F")
    return {
        "adpF": means.value("adpF"),
        "meanF": float(f.mean()),
        "maxF": float(f.max()),
        "maxF_PR": float(f_beta(means.curve("P"), means.curve("R")).max()),
    }


METRIC = Metric(
    title="F-measure",
    source="Achanta et al., CVPR 2009",
    order=10,
    names=("adpF", "meanF", "maxF", "maxF_PR"),
    image_names=("adpF", "meanF", "maxF"),
    validate=always_defined,
    format=_format,
    update=_update,
    compute=_compute,
)
