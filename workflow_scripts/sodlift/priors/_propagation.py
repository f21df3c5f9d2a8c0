"""Propagation of reconstruction errors between alike superpixels.

Source: X. Li, H. Lu, L. Zhang, X. Ruan, M.-H. Yang, "Saliency Detection via Dense and Sparse Reconstruction", ICCV
2013, the context-based error propagation.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.superpixels.kmeans import kmeans

Matrix = npt.NDArray[np.float64]


def propagate(errors: npt.NDArray[Any], features: Matrix, clusters: int, own: float) -> Matrix:
    """Return errors drawn towards those of the superpixels in the same cluster: (M, N) float64.

    Parameters
    ----------
    errors : (M, N)
        M errors of N superpixels, each propagated by itself.
    features : (N, D)
        Features of the superpixels, in raster order: K-means starts from superpixels spread evenly over that order,
        the same ones in each run.
    clusters : int
        Clusters, or as many as there are superpixels if those are fewer.
    own : float
        Share of a superpixel's own error in the result.
    """
    count = len(features)
    clusters = min(clusters, count)
    members, _ = kmeans(features, features[np.arange(clusters) * count // clusters])
    # (1) σ² is the mean variance of the features
    variance = float(features.var(axis=0).mean())
    out = np.array(errors, dtype=np.float64)
    for row in out:
        # the order is that of the errors before any propagation
        _propagate(np.argsort(-row, kind="stable"), features, members, variance, own, row)
    return out


@njit(cache=True)
def _propagate(order, features, members, variance, own, errors):  # type: ignore[no-untyped-def]
    for i in order:
        total, weights = 0.0, 0.0
        for j in range(errors.shape[0]):
            if j == i or members[j] != members[i]:
                continue
            # (2) w_ij = exp(-‖x_i - x_j‖² / 2σ²)
            square = 0.0
            for c in range(features.shape[1]):
                d = features[i, c] - features[j, c]
                square += d * d
            weight = np.exp(-0.5 * square / variance)
            total += weight * errors[j]
            weights += weight
        # (3) largest errors first: e_i ← own·e_i + (1 - own)·Σ_j w_ij e_j / Σ_j w_ij
        if weights > 0:
            errors[i] = own * errors[i] + (1 - own) * total / weights
