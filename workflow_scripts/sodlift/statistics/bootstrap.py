"""Paired bootstrap: how far a mean gain over images would move if the images were others of the same kind.

Source: B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 and 16.
"""

from typing import cast

import numpy as np
import numpy.typing as npt

from sodlift.errors import ConfigError, DataError
from sodlift.statistics import LEVEL, RESAMPLES, SEED

Floats = npt.NDArray[np.float64]

FEWEST = 2
"""Images that an interval needs."""

_AT_ONCE = 2**20  # images drawn before their means are taken: 8 MB, however many images and resamples there are


def paired_bootstrap(
    differences: npt.ArrayLike, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[Floats, Floats]:
    """Return the percentile interval of the mean of paired differences.

    Whole images are drawn with replacement, so that a draw takes an image's prior and refined map, and all metrics of
    them, together. The interval is the percentile one, as ``scipy.stats.bootstrap`` has it: BCa shifts it for skew, but
    on differences of real detectors it covered no better, and it is undefined where hardly any image changes; see
    ``docs/statistics.md``.

    Parameters
    ----------
    differences : (n,) or (n, K) array_like
        One row an image, at least two; a column is a metric.
    level : float
        Coverage, between 0 and 1.
    resamples : int
        Number of resamples.
    seed : int
        Seed of the draws. Calls of one seed and one n draw the same images.

    Returns
    -------
    low, high : () or (K,) float64
        Linearly interpolated percentiles of the resampled means.

    Raises
    ------
    DataError
        If there are fewer than two images or a difference is not a finite number.
    ConfigError
        If the level, the number of resamples or the seed is out of range.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < FEWEST:
        raise DataError(f"a bootstrap over {len(values)} images", expected=f"at least {FEWEST} paired images")
    if not np.isfinite(values).all():
        raise DataError(
            f"{np.count_nonzero(~np.isfinite(values))} of {values.size} paired differences are not finite",
            expected="finite numbers",
            mend="leave out the images for which the metric is undefined, and say how many they are",
        )
    if not 0 < level < 1:
        raise ConfigError(f"level {level} of an interval", expected="a number between 0 and 1, such as 0.95")
    if resamples < 1:
        raise ConfigError(f"{resamples} resamples", expected="at least 1, usually 10000")
    if seed < 0:
        raise ConfigError(f"seed {seed} of a bootstrap", expected="at least 0")
    tail = 50 * (1 - level)
    low, high = np.percentile(_resampled_means(values, resamples, seed), [tail, 100 - tail], axis=0)
    return cast(Floats, low), cast(Floats, high)


def _resampled_means(values: Floats, resamples: int, seed: int) -> Floats:
    """Return the mean of each resample: (resamples,) or (resamples, K)."""
    draw, n = np.random.default_rng(seed), len(values)
    means = np.empty((resamples, *values.shape[1:]))
    rows = max(1, _AT_ONCE // n)
    for start in range(0, resamples, rows):
        drawn = draw.integers(0, n, (min(rows, resamples - start), n))
        means[start : start + len(drawn)] = _times_drawn(drawn) @ values / n
    return means


def _times_drawn(drawn: npt.NDArray[np.int64]) -> Floats:
    """Return how often each resample draws each image: with it the means of all metrics are one matrix product."""
    rows, n = drawn.shape
    places = drawn + n * np.arange(rows)[:, None]
    return np.bincount(places.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)
