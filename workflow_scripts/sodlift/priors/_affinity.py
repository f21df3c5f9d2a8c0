"""Affinities by colour, as the graph-based methods of 2013-2015 define them."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.superpixels.graph import Links, Matrix, pairwise_distances


def colour_affinity(colours: npt.NDArray[Any], links: Links, steepness: float = 10.0) -> Matrix:
    """Return exp(-steepness · mm(d)) of the colour distances d along the links, zero elsewhere: (N, N) float64.

    Parameters
    ----------
    colours : (N, C)
        CIELAB, as a rule.
    links : (N, N) bool
        The edges, symmetric and without self-links; d is stretched to [0, 1] over them.
    steepness : float
        1 / sigma², 10 in the papers.
    """
    return np.asarray(_affinity(pairwise_distances(colours), links, float(steepness)))


@njit(cache=True)
def _affinity(distances, links, steepness):  # type: ignore[no-untyped-def]
    low, high = np.inf, 0.0
    for i in range(links.shape[0]):
        for j in range(i):
            if links[i, j]:
                low, high = min(low, distances[i, j]), max(high, distances[i, j])
    scale = steepness / max(high - low, 1e-12)
    out = np.zeros_like(distances)
    for i in range(links.shape[0]):
        for j in range(i):
            if links[i, j]:
                out[i, j] = out[j, i] = np.exp((low - distances[i, j]) * scale)
    return out
