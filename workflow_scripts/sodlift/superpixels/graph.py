"""Graphs of superpixels: adjacency, rings, cliques, geodesic distances, affinities and the linear systems on them.

A graph of N nodes is a symmetric matrix: (N, N) bool for links, float64 for weights and distances. The kernels below
use no BLAS, so that results do not depend on its version or number of threads.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Links = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float64]


def adjacency(labels: npt.NDArray[np.int32], count: int, *, diagonal: bool = False) -> Links:
    """Return which regions touch along a pixel's side, or also at a corner if ``diagonal``: (N, N) bool, no self-links.

    Parameters
    ----------
    labels : (H, W) int32
        Regions, 0 to count - 1.
    count : int
        Number of regions N.
    diagonal : bool
        8-neighbourhood of pixels instead of 4.
    """
    links = np.zeros((count, count), bool)
    _adjacency(labels, diagonal, links)
    return links


def two_rings(links: Links) -> Links:
    """Return the links to neighbours and to neighbours' neighbours, without self-links: (N, N) bool."""
    return np.asarray(_two_rings(links))


def with_clique(links: Links, members: npt.NDArray[np.bool_]) -> Links:
    """Return the links plus one between every two of the ``members`` (N,) bool, without self-links: (N, N) bool."""
    out = links | (members[:, None] & members[None, :])
    np.fill_diagonal(out, False)
    return out


def pairwise_distances(points: npt.NDArray[Any]) -> Matrix:
    """Return the Euclidean distances between N points (N, C): (N, N) float64."""
    return np.asarray(_pairwise(np.ascontiguousarray(points, dtype=np.float64)))


def shortest_paths(weights: Matrix, links: Links) -> Matrix:
    """Return the lengths of the shortest paths between all nodes (Floyd and Warshall).

    Parameters
    ----------
    weights : (N, N) float64
        Lengths of the edges, not negative; read where ``links`` is true. Zero is a length like any other.
    links : (N, N) bool
        The edges.

    Returns
    -------
    (N, N) float64
        Zero on the diagonal, infinity between nodes that no path joins. Computed in float32.
    """
    lengths = np.where(links, weights, np.inf).astype(np.float32)
    np.fill_diagonal(lengths, 0)
    _floyd_warshall(lengths)
    return lengths.astype(np.float64)


def distances_to(sources: npt.NDArray[np.bool_], weights: Matrix, links: Links) -> npt.NDArray[np.float64]:
    """Return the length of the shortest path from each node to the nearest of the ``sources`` (Dijkstra, dense).

    Parameters
    ----------
    sources : (N,) bool
        Nodes at distance zero.
    weights : (N, N) float64
        Lengths of the edges, not negative; read where ``links`` is true.
    links : (N, N) bool
        The edges.

    Returns
    -------
    (N,) float64
        Infinity where no path leads to a source.
    """
    return np.asarray(_dijkstra(sources, weights, links))


def gaussian(distances: Matrix, sigma: float, cut: float = 3.0) -> Matrix:
    """Return the affinities exp(-d² / 2σ²), zero beyond ``cut`` times ``sigma`` (> 0): (N, N) float64."""
    return np.asarray(_gaussian(distances, float(sigma), float(cut)))


def solve(matrix: Matrix, right: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Solve ``matrix @ x = right`` for a symmetric positive definite (N, N) matrix and one (N,) right side.

    A pivot that is not positive (a component of the graph that nothing ties down) gives zeros for its unknown.
    """
    return np.asarray(_solve(matrix.copy(), right.astype(np.float64)))


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse of a symmetric positive definite matrix: (N, N) float64, exactly symmetric.

    For systems with many right sides, or where the inverse's own entries matter; else ``solve`` is cheaper.

    Raises
    ------
    ValueError
        If the matrix is not positive definite.
    """
    out = matrix.astype(np.float64)
    if not _invert(out):
        raise ValueError("the matrix is not positive definite, so that it may have no inverse")
    return out


@njit(cache=True)
def _adjacency(labels, diagonal, links):  # type: ignore[no-untyped-def]
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            k = labels[y, x]
            if x + 1 < width and labels[y, x + 1] != k:
                links[k, labels[y, x + 1]] = links[labels[y, x + 1], k] = True
            if y + 1 == height:
                continue
            if labels[y + 1, x] != k:
                links[k, labels[y + 1, x]] = links[labels[y + 1, x], k] = True
            if diagonal:
                for nx in (x - 1, x + 1):
                    if 0 <= nx < width and labels[y + 1, nx] != k:
                        links[k, labels[y + 1, nx]] = links[labels[y + 1, nx], k] = True


@njit(cache=True)
def _two_rings(links):  # type: ignore[no-untyped-def]
    out = links.copy()
    for i in range(links.shape[0]):
        row = out[i]
        for j in np.flatnonzero(links[i]):
            other = links[j]
            for k in range(links.shape[0]):
                row[k] |= other[k]
        row[i] = False
    return out


@njit(cache=True)
def _pairwise(points):  # type: ignore[no-untyped-def]
    count, dims = points.shape
    out = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            total = 0.0
            for c in range(dims):
                d = points[i, c] - points[j, c]
                total += d * d
            out[i, j] = out[j, i] = np.sqrt(total)
    return out


@njit(cache=True)
def _floyd_warshall(lengths):  # type: ignore[no-untyped-def]
    count = lengths.shape[0]
    for k in range(count):
        through = lengths[k]
        for i in range(count):
            to_k = lengths[i, k]
            if to_k == np.inf:
                continue
            row = lengths[i]
            for j in range(count):
                d = to_k + through[j]
                row[j] = d if d < row[j] else row[j]


@njit(cache=True)
def _dijkstra(sources, weights, links):  # type: ignore[no-untyped-def]
    count = len(sources)
    lengths = np.where(sources, 0.0, np.inf)
    done = np.zeros(count, np.bool_)
    for _ in range(count):
        nearest, least = -1, np.inf
        for i in range(count):
            if not done[i] and lengths[i] < least:
                nearest, least = i, lengths[i]
        if nearest < 0:
            break
        done[nearest] = True
        for j in range(count):
            if links[nearest, j]:
                lengths[j] = min(lengths[j], least + weights[nearest, j])
    return lengths


@njit(cache=True)
def _gaussian(distances, sigma, cut):  # type: ignore[no-untyped-def]
    out = np.zeros_like(distances)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            d = distances[i, j] / sigma
            if d <= cut:
                out[i, j] = np.exp(-0.5 * d * d)
    return out


@njit(cache=True)
def _solve(matrix, right):  # type: ignore[no-untyped-def]
    """Eliminate by rows (matrix = U'DU, U unit upper triangular), then substitute back; both in place."""
    count = matrix.shape[0]
    for k in range(count):
        pivot = matrix[k, k]
        if pivot <= 0:
            continue
        for i in range(k + 1, count):
            factor = matrix[k, i] / pivot
            if factor != 0:
                right[i] -= factor * right[k]
                for j in range(i, count):
                    matrix[i, j] -= factor * matrix[k, j]
    for k in range(count - 1, -1, -1):
        if matrix[k, k] <= 0:
            right[k] = 0.0
            continue
        total = right[k]
        for j in range(k + 1, count):
            total -= matrix[k, j] * right[j]
        right[k] = total / matrix[k, k]
    return right


@njit(cache=True)
def _invert(matrix):  # type: ignore[no-untyped-def]
    """Invert in place by sweeping each row, on the upper triangle; return whether all pivots were positive."""
    count = matrix.shape[0]
    column = np.empty(count)
    for k in range(count):
        pivot = matrix[k, k]
        if not pivot > 0:
            return False
        column[:k], column[k:] = matrix[:k, k], matrix[k, k:]
        # the Schur complement a_ij - a_ik·a_kj / a_kk, then row and column k; all swept, it is the negative inverse
        for i in range(count):
            factor = column[i] / pivot
            for j in range(i, count):
                matrix[i, j] -= factor * column[j]
        matrix[:k, k], matrix[k, k:] = column[:k] / pivot, column[k:] / pivot
        matrix[k, k] = -1 / pivot
    for i in range(count):
        for j in range(i, count):
            matrix[i, j] = matrix[j, i] = -matrix[i, j]
    return True
