"""Whether a gain over images could be chance: signed ranks, many tests at once, and who wins how often."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.stats

from sodlift.errors import DataError

ALPHA = 0.05
"""A difference counts as significant where its corrected p is below this."""

TIE = 1e-9
"""Scores of one image that differ by no more are equal: exact metrics of two programs agree to this."""

_EXACT = 50  # up to this many changed images the distribution of the rank sum is counted out


class WinTieLoss(NamedTuple):
    """Numbers of images that became better, stayed equal and became worse."""

    wins: int
    ties: int
    losses: int


def wilcoxon(differences: npt.ArrayLike, tolerance: float = TIE) -> float:
    """Return the two-sided p of the Wilcoxon signed-rank test of paired differences.

    Zeros, which are differences up to ``tolerance``, are left out as in Wilcoxon's paper; R and SciPy do so by default.
    Equal absolute differences share their mean rank. The distribution is exact for up to 50 nonzero differences without
    such ties, and else normal with the variance corrected for ties, without correction of continuity. Where no
    difference is left nothing speaks against chance, and p is 1.

    Source: F. Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1945.

    Parameters
    ----------
    differences : (n,) array_like
        One finite number an image.
    tolerance : float
        Largest absolute difference that counts as none.

    Raises
    ------
    DataError
        If a difference is not finite.
    """
    values = _finite(differences, "paired differences")
    changed = values[np.abs(values) > tolerance]
    if not changed.size:
        return 1.0
    tied = len(np.unique(np.abs(changed))) < len(changed)
    method = "exact" if len(changed) <= _EXACT and not tied else "asymptotic"
    return float(scipy.stats.wilcoxon(changed, method=method).pvalue)


def holm(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return p values corrected for their number, in the order given.

    The k-th smallest of m is multiplied by m - k + 1; none falls below a smaller one's, and none exceeds 1. Rejecting
    those below alpha keeps the chance of any false rejection among the m at most alpha, however they depend on each
    other, as those on the same images do.

    Source: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 1979.

    Raises
    ------
    DataError
        If a p value is not a number from 0 to 1.
    """
    values = _finite(p_values, "p values")
    if ((values < 0) | (values > 1)).any():
        raise DataError("a p value is outside 0..1", expected="probabilities")
    order = np.argsort(values, kind="stable")
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)), 1)
    return corrected


def win_tie_loss(differences: npt.ArrayLike, tolerance: float = TIE) -> WinTieLoss:
    """Count images by the sign of their difference, positive where the image became better.

    Raises
    ------
    DataError
        If a difference is not finite.
    """
    values = _finite(differences, "paired differences")
    wins, losses = int((values > tolerance).sum()), int((values < -tolerance).sum())
    return WinTieLoss(wins, len(values) - wins - losses, losses)


def _finite(numbers: npt.ArrayLike, what: str) -> npt.NDArray[np.float64]:
    values = np.asarray(numbers, dtype=np.float64)
    if not np.isfinite(values).all():
        raise DataError(
            f"{np.count_nonzero(~np.isfinite(values))} of {values.size} {what} are not finite",
            expected="finite numbers",
            mend="leave them out, and say how many they are",
        )
    return values
