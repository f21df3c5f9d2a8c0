"""The lasso, sparse linear reconstruction, by an active set.

Sources: R. Tibshirani, "Regression Shrinkage and Selection via the Lasso", J. Royal Statistical Society B 58(1), 1996,
for the problem; C. Lawson, R. Hanson, "Solving Least Squares Problems", 1974, chapter 23, for the active set, here with
signs and a penalty. It is exact after finitely many steps. Coordinate descent needs thousands of rounds where atoms are
nearly parallel, as colours along one border are, and took hundreds of times as long.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Matrix = npt.NDArray[np.float64]

_RIDGE = 1e-10  # on the diagonal: equal atoms, or more atoms than dimensions, leave the active system solvable


def lasso(
    atoms: npt.NDArray[Any], targets: npt.NDArray[Any], penalty: float, tolerance: float = 1e-6, rounds: int = 200
) -> Matrix:
    """Return the coefficients a that minimise ½‖x - Σ_j a_j d_j‖² + penalty·‖a‖₁, for each of N targets x.

    Parameters
    ----------
    atoms : (A, D)
        The dictionary d_j, one atom a row, of about unit length.
    targets : (N, D)
        What is reconstructed. Each search starts at the solution of the target before it: fastest if those are alike.
    penalty : float
        Weight of the coefficients' absolute sum, above 0.
    tolerance : float
        A solution is accepted when no atom's product with the residual exceeds the penalty by more than this share.
    rounds : int
        Most atoms taken up for one target; far above what is needed, it bounds the time where rounding errors rule.

    Returns
    -------
    (N, A) float64
    """
    atoms, targets = (np.ascontiguousarray(values, dtype=np.float64) for values in (atoms, targets))
    out = np.zeros((len(targets), len(atoms)))
    _search(_products(atoms, atoms), _products(targets, atoms), penalty, penalty * (1 + tolerance), rounds, out)
    return out


@njit(cache=True)
def _products(left, right):  # type: ignore[no-untyped-def]
    """Return the inner products of two sets of rows, without BLAS."""
    out = np.zeros((left.shape[0], right.shape[0]))
    for i in range(left.shape[0]):
        for j in range(right.shape[0]):
            for c in range(left.shape[1]):
                out[i, j] += left[i, c] * right[j, c]
    return out


@njit(cache=True)
def _search(gram, products, penalty, limit, rounds, out):  # type: ignore[no-untyped-def]
    count = gram.shape[0]
    active, size = np.empty(count, np.int64), 0
    sign, rest = np.zeros(count), np.empty(count)
    wish, factor = np.empty(count), np.empty((count, count))
    for i in range(out.shape[0]):
        values, product = out[i], products[i]
        for k in range(size):
            values[active[k]] = out[i - 1, active[k]]
        for _ in range(rounds):
            size = _settle(gram, product, penalty, active, size, sign, values, wish, factor)
            # (1) an atom whose product with the residual x - Da exceeds the penalty improves the solution
            rest[:] = product
            for k in range(size):
                rest -= values[active[k]] * gram[active[k]]
            best, largest = -1, limit
            for j in range(count):
                if sign[j] == 0 and abs(rest[j]) > largest:
                    best, largest = j, abs(rest[j])
            if best < 0:
                break
            active[size], sign[best] = best, np.sign(rest[best])
            size += 1


@njit(cache=True)
def _settle(gram, product, penalty, active, size, sign, values, wish, factor):  # type: ignore[no-untyped-def]
    """Move the active coefficients to their optimum, dropping those whose sign would change; return how many stay."""
    while True:
        # (2) the optimum of given signs: G a = D'x - penalty·sign
        for k in range(size):
            wish[k] = product[active[k]] - penalty * sign[active[k]]
        _solve_active(gram, active, size, wish, factor)
        # (3) go there, or as far as the first coefficient that becomes zero
        step = 1.0
        for k in range(size):
            step = min(step, _zero_at(values[active[k]], wish[k], sign[active[k]]))
        kept = 0
        for k in range(size):
            j = active[k]
            if _zero_at(values[j], wish[k], sign[j]) <= step:
                values[j] = sign[j] = 0.0
            else:
                values[j] += step * (wish[k] - values[j])
                active[kept] = j
                kept += 1
        if kept == size:
            return size
        size = kept


@njit(cache=True)
def _zero_at(value, wish, sign):  # type: ignore[no-untyped-def]
    """Return the part of the way from ``value`` to ``wish`` at which a coefficient of that sign ends, if it does."""
    if wish * sign > 0:
        return np.inf
    return value / (value - wish) if value != 0 else 0.0


@njit(cache=True)
def _solve_active(gram, active, size, right, factor):  # type: ignore[no-untyped-def]
    """Solve the active rows and columns of ``gram`` for ``right``, in place, by the factors L D L'."""
    for k in range(size):
        for m in range(k + 1):
            total = gram[active[k], active[m]] + (_RIDGE if m == k else 0.0)
            for n in range(m):
                total -= factor[k, n] * factor[m, n] * factor[n, n]
            factor[k, m] = total if m == k else total / factor[m, m]
        for m in range(k):
            right[k] -= factor[k, m] * right[m]
    for k in range(size - 1, -1, -1):
        right[k] /= factor[k, k]
        for m in range(k + 1, size):
            right[k] -= factor[m, k] * right[m]
