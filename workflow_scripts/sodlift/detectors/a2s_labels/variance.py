"""How well a threshold parts an activation map in two: the inter-class variance of Table I, on maps in [0, 1]."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]


def inter_class_variance(values: Values, threshold: float) -> float:
    """Return p1 p2 (m1 - m2)^2: shares and means of the values up to the threshold and of those above it.

    It is 0 where one side is empty, and at most 1/4 for values in [0, 1].
    """
    above = values > threshold
    share = float(above.mean())
    if share in {0.0, 1.0}:
        return 0.0
    return share * (1 - share) * float(values[above].mean() - values[~above].mean()) ** 2


def otsu(values: Values) -> float:
    """Return the threshold of the largest inter-class variance: exactly, over all ways to part the values in two.

    It is the largest value of the lower side. A constant map has no such threshold; its value is returned.
    """
    ordered = np.sort(values, axis=None).astype(np.float64)
    count = np.arange(1, ordered.size)
    lower, total = np.cumsum(ordered)[:-1], ordered.sum()
    variance = (lower / count - (total - lower) / (ordered.size - count)) ** 2 * count * (ordered.size - count)
    parts = ordered[:-1] < ordered[1:]  # equal values stay together
    return float(ordered[np.argmax(np.where(parts, variance, -1.0))]) if parts.any() else float(ordered[0])


THRESHOLDS: dict[str, Callable[[Values], float]] = {
    "Otsu": otsu,
    "Mean": lambda values: float(values.mean()),
    "Median": lambda values: float(np.median(values)),
}
"""Thresholds of Table I by its names."""
