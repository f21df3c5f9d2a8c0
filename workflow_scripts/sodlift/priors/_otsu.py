"""Otsu's threshold.

Source: N. Otsu, "A Threshold Selection Method from Gray-Level Histograms", IEEE Trans. SMC 9(1), 1979.
"""

from typing import Any

import numpy as np
import numpy.typing as npt


def otsu(values: npt.NDArray[Any]) -> float:
    """Return the level in [0, 1] that splits values in [0, 1] best, over a histogram of 256 levels.

    The level is the highest one of the lower class; where several split equally well, their mean. One level alone
    cannot be split: 0 is returned.
    """
    histogram = np.bincount(np.rint(values.ravel() * 255.0).astype(np.int64), minlength=256) / values.size
    # (1) share of the lower class and its part of the mean, for each split
    share = np.cumsum(histogram)
    part = np.cumsum(histogram * np.arange(256))
    # (2) variance between the classes
    weight = share * (1 - share)
    valid = weight > 1e-12
    if not valid.any():
        return 0.0
    between = np.zeros(256)
    between[valid] = (part[-1] * share[valid] - part[valid]) ** 2 / weight[valid]
    return float(np.flatnonzero(between == between.max()).mean() / 255.0)
