"""Reconstruction errors of features by a set of templates: dense (PCA) and sparse (lasso).

Source: X. Li, H. Lu, L. Zhang, X. Ruan, M.-H. Yang, "Saliency Detection via Dense and Sparse Reconstruction", ICCV
2013, the reconstruction errors.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from sodlift.priors._lasso import lasso

Features = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]


def dense_errors(features: Features, templates: Features, energy: float) -> Vector:
    """Return how far each feature lies from the templates' principal subspace, drawn through the mean of all features.

    Parameters
    ----------
    features : (N, D)
    templates : (T, D)
        At least one.
    energy : float
        Share of the templates' energy that the subspace keeps at least; see ``principal_components``.

    Returns
    -------
    (N,) float64
        Euclidean lengths of what cannot be rebuilt.
    """
    basis = principal_components(templates, energy)
    # (1) β = U'(x - x̄); (2) ε = ‖x - (U β + x̄)‖
    offsets = features - features.mean(axis=0)
    left = offsets - _product(_product(offsets, basis.T), basis)
    return np.asarray(np.sqrt((left**2).sum(axis=1)))


def principal_components(templates: Features, energy: float) -> Features:
    """Return the eigenvectors (K, D) of the templates' Gram form B'B that hold a share ``energy`` of it, and one more.

    The templates B (T, D) are not centred, so that the first direction is about that of their mean.
    """
    values, vectors = np.linalg.eigh(_product(templates.T, templates))
    held = np.cumsum(values[::-1].clip(min=0))
    enough = int(np.searchsorted(held, energy * held[-1])) + 1
    return np.asarray(vectors.T[::-1][: enough + 1])


def sparse_errors(features: Features, templates: Features, penalty: float) -> Vector:
    """Return the squared error with which few templates, weighted, rebuild each feature; all scaled to unit length.

    Parameters
    ----------
    features : (N, D)
    templates : (T, D)
        At least one.
    penalty : float
        Weight of the coefficients' absolute sum in the lasso.

    Returns
    -------
    (N,) float64
    """
    points, atoms = _directions(features), _directions(templates)
    # (3) a = argmin ½‖x - Da‖² + λ‖a‖₁; (4) ε = ‖x - Da‖²
    left = points - _product(lasso(atoms, points, penalty), atoms)
    return np.asarray((left**2).sum(axis=1))


def _directions(rows: Features) -> Features:
    """Scale rows to unit length; a row of zeros stays."""
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0))


def _product(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the matrix product, without BLAS."""
    return np.asarray(np.einsum("ij,jk->ik", left, right, optimize=False), dtype=np.float64)
