"""Area under the ROC curve.

The trapezoids over the protocol's thresholds, the point (0, 0) included: with 256 thresholds on an 8-bit map the area
of one image is the rank statistic of Mann and Whitney, ties shared. Over a data set ``AUC`` is the area under the mean
curve, threshold by threshold, and ``AUC_image`` the mean of the images' areas. An image whose ground truth is empty or
full has no curve and takes no part.

Source: A. Borji, M.-M. Cheng, H. Jiang, J. Li, "Salient Object Detection: A Benchmark", TIP 2015.
"""

from numba import njit

from sodlift.metrics._base import Curve, ImageScore, Means, Metric
from sodlift.metrics._pair import Counts, Pair


def rates(counts: Counts) -> tuple[Curve, Curve]:
    """Return the false and the true positive rate, one a threshold; the ground truth must have both classes."""
    return counts.fp / counts.negatives, counts.tp / counts.positives


@njit(cache=True)
def area_under_roc(false_positive_rate: Curve, true_positive_rate: Curve) -> float:
    """Return the area in [0, 1] under the curve of both rates, which are given by ascending threshold."""
    area, x, y = 0.0, 0.0, 0.0
    for i in range(len(false_positive_rate) - 1, -1, -1):
        area += (false_positive_rate[i] - x) * (true_positive_rate[i] + y) / 2
        x, y = false_positive_rate[i], true_positive_rate[i]
    return area


def _validate(pair: Pair) -> str:
    return "the ground truth is empty or full" if pair.truth.one_class else ""


def _format(pair: Pair) -> Counts:
    return pair.curve


def _update(counts: Counts) -> ImageScore:
    false_positive_rate, true_positive_rate = rates(counts)
    return ImageScore(
        {"AUC": area_under_roc(false_positive_rate, true_positive_rate)},
        {"FPR": false_positive_rate, "TPR": true_positive_rate},
    )


def _compute(means: Means) -> dict[str, float]:
    return {"AUC": area_under_roc(means.curve("FPR"), means.curve("TPR")), "AUC_image": means.value("AUC")}


METRIC = Metric(
    title="AUC",
    source="Borji, Cheng, Jiang, Li, TIP 2015",
    order=50,
    names=("AUC", "AUC_image"),
    image_names=("AUC",),
    validate=_validate,
    format=_format,
    update=_update,
    compute=_compute,
    on_empty=False,
)
