"""Gaussian mixtures of weighted colours, grown by splitting, so that they have no randomness.

Source: M. T. Orchard, C. A. Bouman, "Color Quantization of Images", IEEE Trans. Signal Processing 39(12), 1991 (the
splits).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Members = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Mixture:
    """K Gaussians.

    Attributes
    ----------
    weights : (K,) float64
        Shares of the whole, which they sum up to.
    means : (K, D) float64
        Centres.
    covariances : (K, D, D) float64
        Not regularised: zero for a component of one colour.
    """

    weights: Floats
    means: Floats
    covariances: Floats


def split(points: Floats, counts: Floats, most: int, spread: float) -> Members:
    """Split points into at most ``most`` groups by colour: the group of each, (N,) int64.

    The group of the largest variance along any direction is cut across that direction, at its mean, until no variance
    reaches ``spread``.

    Parameters
    ----------
    points : (N, D) float64
        What is split, N >= 1.
    counts : (N,) float64
        Weights of the points, > 0.
    most : int
        Limit on the number of groups.
    spread : float
        Least variance that is cut, > 0.
    """
    members = np.zeros(len(points), np.int64)
    axes = [_principal_axis(points, counts)]
    while len(axes) < most:
        widest = int(np.argmax([variance for variance, _, _ in axes]))
        variance, mean, direction = axes[widest]
        if variance < spread:
            break
        beyond = ((points - mean) * direction).sum(axis=1) > 0
        members[(members == widest) & beyond] = len(axes)
        axes.append(_principal_axis(points[members == len(axes)], counts[members == len(axes)]))
        axes[widest] = _principal_axis(points[members == widest], counts[members == widest])
    return members


def fit(points: Floats, counts: Floats, members: Members) -> Mixture:
    """Return the Gaussians of groups of points (N, D) with weights (N,); a group without points has none."""
    moments = [_moments(points[members == k], counts[members == k]) for k in np.unique(members)]
    weights = np.array([weight for weight, _, _ in moments]) / counts.sum()
    return Mixture(weights, np.array([mean for _, mean, _ in moments]), np.array([c for _, _, c in moments]))


def responsibilities(points: Floats, mixture: Mixture, regularisation: float) -> Floats:
    """Return the probability of each component given a point: (N, K) float64, rows sum to 1.

    Parameters
    ----------
    points : (N, D) float64
        Where to evaluate.
    mixture : Mixture
        K components.
    regularisation : float
        Added to the diagonals of the covariances, > 0.
    """
    # log of w_k |Σ_k|^(-1/2) exp(-(x - μ_k)ᵀ Σ_k⁻¹ (x - μ_k) / 2), shifted so that the largest is 0: no sum vanishes
    values, vectors = np.linalg.eigh(mixture.covariances + regularisation * np.eye(points.shape[1]))
    offsets = points[:, None, :] - mixture.means
    along = np.einsum("nkd,kde->nke", offsets, vectors)
    logs = np.log(mixture.weights) - 0.5 * np.log(values).sum(axis=1) - 0.5 * (along**2 / values).sum(axis=2)
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _moments(points: Floats, counts: Floats) -> tuple[float, Floats, Floats]:
    """Return total weight, mean (D,) and covariance (D, D); sums without BLAS, whose result depends on threads."""
    total = float(counts.sum())
    mean = (points * counts[:, None]).sum(axis=0) / total
    offsets = points - mean
    return total, mean, np.einsum("n,ni,nj->ij", counts, offsets, offsets) / total


def _principal_axis(points: Floats, counts: Floats) -> tuple[float, Floats, Floats]:
    """Return the largest variance, the mean (D,) and the direction (D,) of that variance."""
    _, mean, covariance = _moments(points, counts)
    values, vectors = np.linalg.eigh(covariance)
    return float(values[-1]), mean, vectors[:, -1]
