"""E-measure (enhanced alignment): at the adaptive threshold, and mean and maximum over the thresholds.

Source: D.-P. Fan, C. Gong, Y. Cao, B. Ren, M.-M. Cheng, A. Borji, "Enhanced-alignment Measure for Binary Foreground Map
Evaluation", IJCAI 2018. Divided by N - 1 as in its authors' code, so that a perfect map scores a little above 1.
"""

from typing import NamedTuple

from sodlift.metrics._base import EPS, Curve, ImageScore, Means, Metric
from sodlift.metrics._pair import Counts, Floats, Pair


def e_measure(counts: Counts) -> Curve:
    """Return the E-measure of binary maps, one a threshold, for images of two pixels or more.

    Within one of the four parts (predicted foreground or not) x (ground truth or not) all pixels align alike, so that
    the sum over pixels is a sum over parts.
    """
    size = counts.positives + counts.negatives
    foreground = counts.tp + counts.fp
    background = size - foreground
    if counts.positives == 0:
        return background / (size - 1 + EPS)
    if counts.negatives == 0:
        return foreground / (size - 1 + EPS)
    # mean-removed values of prediction and ground truth, in foreground and background
    mean_p, mean_g = foreground / size, counts.positives / size
    p1, p0 = 1 - mean_p, 0 - mean_p
    g1, g0 = 1 - mean_g, 0 - mean_g
    missed = counts.positives - counts.tp
    total = (
        _enhanced(p1, g1) * counts.tp
        + _enhanced(p1, g0) * counts.fp
        + _enhanced(p0, g1) * missed
        + _enhanced(p0, g0) * (background - missed)
    )
    return total / (size - 1 + EPS)


def _enhanced(a: Floats, b: float) -> Floats:
    """Alignment ``2ab / (a^2 + b^2)`` (Eq. 3), enhanced to ``(phi + 1)^2 / 4`` (Eq. 4)."""
    alignment = 2 * (a * b) / (a**2 + b**2 + EPS)
    enhanced: Floats = (alignment + 1) ** 2 / 4
    return enhanced


def _validate(pair: Pair) -> str:
    return "an image of one pixel has no E-measure: N - 1 = 0" if pair.truth.size == 1 else ""


class _Data(NamedTuple):
    curve: Counts
    adaptive: Counts


def _format(pair: Pair) -> _Data:
    return _Data(pair.curve, pair.adaptive)


def _update(data: _Data) -> ImageScore:
    e = e_measure(data.curve)
    adaptive = e_measure(data.adaptive)
    return ImageScore({"adpE": float(adaptive[0]), "meanE": float(e.mean()), "maxE": float(e.max())}, {"E": e})


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
