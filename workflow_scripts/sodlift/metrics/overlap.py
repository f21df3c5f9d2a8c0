"""Overlap of one binary map with the ground truth: IoU, Dice and balanced error rate, per image and pooled.

The map is binary at one half, ``x > 0.5`` after normalisation; ``maxIoU`` and ``meanIoU`` are of the curve over the
protocol's thresholds instead, averaged over images first. ``_pooled`` numbers come of the pixels of all images counted
together, so that large images and large objects weigh more. A ratio 0/0 counts 0, as in PySODMetrics: an empty
prediction of an empty ground truth has IoU 0, and a ground truth of one class a balanced error rate of at least 0.5.

Sources: P. Jaccard, 1912 (IoU); L. R. Dice, 1945; T. F. Y. Vicente, L. Hou, C.-P. Yu, M. Hoai, D. Samaras,
"Large-Scale Training of Shadow Detectors with Noisily-Annotated Shadow Examples", ECCV 2016 (BER).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit

from sodlift.metrics._base import Curve, ImageScore, Means, Metric, always_defined
from sodlift.metrics._pair import Counts, Integers, Pair
from sodlift.metrics.f_measure import BETA2


class Confusion(NamedTuple):
    """Confusion counts of one binary map, or of all maps of a data set together, in pixels.

    Attributes
    ----------
    tp, fp, fn, tn : float
        True positives, false positives, false negatives, true negatives.
    """

    tp: float
    fp: float
    fn: float
    tn: float


def confusion(counts: Counts) -> Confusion:
    """Return the confusion counts of the first of the binary maps."""
    tp, fp = int(counts.tp[0]), int(counts.fp[0])
    return Confusion(tp, fp, counts.positives - tp, counts.negatives - fp)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def precision(counts: Confusion) -> float:
    """Return ``TP / (TP + FP)``, 0 where nothing is predicted."""
    return _ratio(counts.tp, counts.tp + counts.fp)


def recall(counts: Confusion) -> float:
    """Return ``TP / (TP + FN)``, 0 where the ground truth is empty."""
    return _ratio(counts.tp, counts.tp + counts.fn)


def f_of_counts(counts: Confusion) -> float:
    """Return the F-measure with beta^2 = 0.3, 0 where there is no true positive."""
    return _ratio((1 + BETA2) * counts.tp, BETA2 * (counts.tp + counts.fn) + counts.tp + counts.fp)


def iou(counts: Confusion) -> float:
    """Return the intersection over the union, ``TP / (TP + FP + FN)``, 0 where both masks are empty."""
    return _ratio(counts.tp, counts.tp + counts.fp + counts.fn)


def dice(counts: Confusion) -> float:
    """Return ``2 TP / (2 TP + FP + FN)``, 0 where both masks are empty."""
    return _ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def balanced_error_rate(counts: Confusion) -> float:
    """Return ``1 - (TPR + TNR) / 2`` in [0, 1]; the rate of a class that the ground truth lacks counts 0."""
    return 1 - 0.5 * (recall(counts) + _ratio(counts.tn, counts.tn + counts.fp))


MEASURES: dict[str, Callable[[Confusion], float]] = {"IoU": iou, "Dice": dice, "BER": balanced_error_rate}
"""What is said of each image."""

POOLED: dict[str, Callable[[Confusion], float]] = {
    **{f"{name}_pooled": measure for name, measure in MEASURES.items()},
    "F_pooled": f_of_counts,
}
"""What is said of all images' pixels together."""


def iou_curve(counts: Counts) -> Curve:
    """Return the intersection over the union, one a threshold, 0 where both masks are empty."""
    return _iou_curve(counts.tp, counts.fp, counts.positives)


@njit(cache=True)
def _iou_curve(tp: Integers, fp: Integers, positives: int) -> Curve:
    curve = np.zeros(len(tp))
    for i in range(len(tp)):
        union = positives + fp[i]
        if union:
            curve[i] = tp[i] / union
    return curve


class _Data(NamedTuple):
    half: Counts
    curve: Counts


def _format(pair: Pair) -> _Data:
    return _Data(pair.half, pair.curve)


def _update(data: _Data) -> ImageScore:
    counts = confusion(data.half)
    values = {name: measure(counts) for name, measure in MEASURES.items()}
    return ImageScore(values, {"IoU": iou_curve(data.curve)}, counts._asdict())


def _compute(means: Means) -> dict[str, float]:
    together = Confusion(*(means.total(name) for name in Confusion._fields))
    curve = means.curve("IoU")
    return {
        **{name: means.value(name) for name in MEASURES},
        **{name: measure(together) for name, measure in POOLED.items()},
        "maxIoU": float(curve.max()),
        "meanIoU": float(curve.mean()),
    }


METRIC = Metric(
    title="overlap",
    source="Jaccard, 1912; Dice, 1945; Vicente et al., ECCV 2016",
    order=60,
    names=(*MEASURES, *POOLED, "maxIoU", "meanIoU"),
    image_names=tuple(MEASURES),
    validate=always_defined,
    format=_format,
    update=_update,
    compute=_compute,
    on_empty=False,
)
