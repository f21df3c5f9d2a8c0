"""K-means clustering from given centres, so that it has no randomness.

Source: S. P. Lloyd, "Least Squares Quantization in PCM", IEEE Trans. Information Theory 28(2), 1982.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Points = npt.NDArray[np.float64]
Members = npt.NDArray[np.int64]


def kmeans(points: npt.NDArray[Any], centres: npt.NDArray[Any], iterations: int = 200) -> tuple[Members, Points]:
    """Cluster points around K centres by Lloyd's algorithm.

    Parameters
    ----------
    points : (N, D)
        What is clustered, N >= 1.
    centres : (K, D)
        Where the centres start, K >= 1; the array is left alone.
    iterations : int
        Most rounds of assignment and update; stops early when no point changes its cluster.

    Returns
    -------
    labels : (N,) int64
        The cluster of each point: the nearest of the returned centres, the first of several as near.
    centres : (K, D) float64
        Means of the clusters; a cluster that lost all its points keeps the centre that it had.
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    centres = np.array(centres, dtype=np.float64)
    labels = np.full(len(points), -1, np.int64)
    _lloyd(points, centres, labels, iterations)
    return labels, centres


@njit(cache=True)
def _lloyd(points, centres, labels, iterations):  # type: ignore[no-untyped-def]
    for _ in range(iterations):
        if not _assign(points, centres, labels):
            return
        _update(points, centres, labels)
    _assign(points, centres, labels)


@njit(cache=True)
def _assign(points, centres, labels):  # type: ignore[no-untyped-def]
    """(1) Give each point its nearest centre; return whether any point changed its cluster."""
    changed = False
    for i in range(points.shape[0]):
        nearest, least = 0, np.inf
        for k in range(centres.shape[0]):
            distance = 0.0
            for c in range(points.shape[1]):
                d = points[i, c] - centres[k, c]
                distance += d * d
            if distance < least:
                nearest, least = k, distance
        if labels[i] != nearest:
            labels[i] = nearest
            changed = True
    return changed


@njit(cache=True)
def _update(points, centres, labels):  # type: ignore[no-untyped-def]
    """(2) Move each centre to the mean of its points."""
    sums = np.zeros(centres.shape)
    sizes = np.zeros(centres.shape[0])
    for i in range(points.shape[0]):
        sizes[labels[i]] += 1
        for c in range(points.shape[1]):
            sums[labels[i], c] += points[i, c]
    for k in range(centres.shape[0]):
        if sizes[k] > 0:
            for c in range(centres.shape[1]):
                centres[k, c] = sums[k, c] / sizes[k]
