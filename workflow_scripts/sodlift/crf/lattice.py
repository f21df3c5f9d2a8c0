"""Gaussian filtering in few dimensions on a permutohedral lattice (Adams, Baek, Davis, Computer Graphics Forum 2010).

A point of d features is lifted into the plane of d + 1 coordinates that sum to 0, where integer points with coordinates
all congruent modulo d + 1 tile space with simplices. Values are spread over the d + 1 corners of each point's simplex
(splat), blurred along the d + 1 axes of the lattice, and read off again (slice).

A corner's coordinates are (d + 1) q_i + k with one k in 0 .. d, so that the q_i and k, as digits, make one integer that
names it. The step to a neighbour along an axis is then the addition of one of two constants, which makes the hash table
a table of integers and the search for neighbours a single look-up each.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.errors import ConfigError

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]

_EMPTY = -1
_MIX = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: its product's upper bits spread integers that lie close together."""


class Lattice(NamedTuple):
    """Points on a lattice, ready to filter any number of values.

    Attributes
    ----------
    corners : (n, d + 1) int32
        The vertices around each point, numbered as they were first met.
    weights : (n, d + 1) float32
        Barycentric: at least 0, with sum 1.
    neighbours : (d + 1, m + 1, 2) int32
        Of each vertex, along each axis; vertex m, which is always 0, stands for those that no point touches.
    """

    corners: Integers
    weights: Floats
    neighbours: Integers

    def filter(self, values: Floats) -> Floats:
        """Return the sum over points of exp(-|difference of features|^2 / 2) times values: (n,) float32 to the same.

        The kernel is approximate, and counts a point's own value too.
        """
        return _filter(self.corners, self.weights, self.neighbours, values)


def build(features: Floats) -> Lattice:
    """Put points on the lattice.

    Parameters
    ----------
    features : (n, d) float32
        In units of the kernel's standard deviation.

    Raises
    ------
    ConfigError
        If the features span so many standard deviations that vertices cannot be numbered in 63 bits.
    """
    dimensions = features.shape[1]
    bases, ranks, weights, low, high = _simplices(features)
    low -= 2  # a corner may be one less, its neighbours one less or more again
    spans = (high + 2 - low).astype(object)
    strides = [dimensions + 1]
    for span in spans[: dimensions - 1]:
        strides.append(strides[-1] * span)
    if strides[-1] * spans[dimensions - 1] >= 2**63:
        raise ConfigError(
            f"features of a dense CRF span {spans.max() * (dimensions + 1)} lattice steps in {dimensions} dimensions",
            expected="standard deviations that are not that small beside the image",
            mend="raise sxy or srgb of the kernel",
        )
    steps = np.array([*strides, 0], dtype=np.int64)  # the last coordinate follows from the others
    corners, neighbours = _link(bases, ranks, low, steps)
    return Lattice(corners, weights, neighbours)


@njit(cache=True)
def _simplices(features: Floats) -> tuple[Integers, Bytes, Floats, Longs, Longs]:
    """Return of each point the q_i of its simplex's corner k = 0, the ranks of its offsets from it, and the weights.

    And the least and largest q_i.
    """
    count, d = features.shape
    bases = np.empty((count, d + 1), np.int32)
    ranks = np.empty((count, d + 1), np.int8)
    weights = np.empty((count, d + 1), np.float32)
    # A blur step has the variance 1/2 along each of d + 1 axes; points are stretched until the whole has 1.
    scale = np.empty(d, np.float32)
    for i in range(d):
        scale[i] = np.sqrt(2 / 3) * (d + 1) / np.sqrt((i + 1.0) * (i + 2.0))
    lifted, offset, weight = np.empty(d + 1, np.float32), np.empty(d + 1, np.float32), np.empty(d + 2, np.float32)
    rank = np.empty(d + 1, np.int32)
    low, high = np.full(d + 1, 2**31 - 1, np.int64), np.full(d + 1, -(2**31), np.int64)
    inverse = np.float32(1 / (d + 1))
    for p in range(count):
        total = np.float32(0)
        for i in range(d, 0, -1):
            scaled = features[p, i - 1] * scale[i - 1]
            lifted[i] = total - np.float32(i) * scaled
            total += scaled
        lifted[0] = total
        excess = 0
        for i in range(d + 1):
            quotient = lifted[i] * inverse
            above, below = np.ceil(quotient), np.floor(quotient)
            nearest = above if (above - quotient) < (quotient - below) else below
            bases[p, i] = np.int32(nearest)
            offset[i] = lifted[i] - nearest * np.float32(d + 1)
            excess += int(nearest)
            rank[i] = 0
        for i in range(d):
            for j in range(i + 1, d + 1):
                if offset[i] < offset[j]:
                    rank[i] += 1
                else:
                    rank[j] += 1
        # Rounding may have left the plane; the coordinates that were rounded farthest go back.
        for i in range(d + 1):
            rank[i] += excess
            if rank[i] < 0:
                rank[i] += d + 1
                bases[p, i] += 1
                offset[i] -= np.float32(d + 1)
            elif rank[i] > d:
                rank[i] -= d + 1
                bases[p, i] -= 1
                offset[i] += np.float32(d + 1)
            ranks[p, i] = rank[i]
            low[i], high[i] = min(low[i], bases[p, i]), max(high[i], bases[p, i])
        weight[:] = 0
        for i in range(d + 1):
            share = offset[i] * inverse
            weight[d - rank[i]] += share
            weight[d + 1 - rank[i]] -= share
        weights[p, 0] = weight[0] + np.float32(1) + weight[d + 1]
        weights[p, 1:] = weight[1 : d + 1]
    return bases, ranks, weights, low, high


@njit(cache=True)
def _link(bases: Integers, ranks: Bytes, low: Longs, steps: Longs) -> tuple[Integers, Integers]:
    """Number the vertices that points touch, and find each one's neighbours."""
    count, d = bases.shape[0], bases.shape[1] - 1
    bits = 10
    while (1 << bits) < 2 * count:
        bits += 1
    table = np.full(1 << bits, _EMPTY, np.int32)
    names = np.empty(1 << (bits - 1), np.int64)
    corners = np.empty((count, d + 1), np.int32)
    known, turn = 0, np.empty(d + 1, np.int64)
    for p in range(count):
        vertex = np.int64(-1)
        for i in range(d):
            vertex += (bases[p, i] - low[i]) * steps[i]
        for i in range(d + 1):
            turn[ranks[p, i]] = steps[i]
        for k in range(d + 1):
            # Corner k: every coordinate one farther than at corner k - 1, but d back where its turn has come.
            vertex += 1 if k == 0 else 1 - turn[d + 1 - k]
            # Points come in the order of an image's pixels: most corners are the last point's too.
            if p > 0 and names[corners[p - 1, k]] == vertex:
                corners[p, k] = corners[p - 1, k]
                continue
            slot, found = _find(table, names, bits, vertex)
            if found == _EMPTY:
                if 2 * (known + 1) > table.size:
                    bits, table, names = _grow(bits, names, known)
                    slot, found = _find(table, names, bits, vertex)
                found = known
                table[slot] = found
                names[found] = vertex
                known += 1
            corners[p, k] = found
    neighbours = np.full((d + 1, known + 1, 2), known, np.int32)
    everything = steps.sum()
    for axis in range(d + 1):
        own = steps[axis]
        for v in range(known):
            # One step down: k - 1, or from 0 round to d; along the axis q grows by 1 beside the others.
            wraps = names[v] % (d + 1) == 0
            down = names[v] + own - 1 if not wraps else names[v] - everything + own + d
            found = _find(table, names, bits, down)[1]
            if found != _EMPTY:
                neighbours[axis, v, 0] = found
                neighbours[axis, found, 1] = v
    return corners, neighbours


@njit(cache=True, inline="always")
def _find(table: Integers, names: Longs, bits: int, vertex: Any) -> tuple[Any, Any]:
    """Return a vertex's slot in the table and its number, -1 where it has none."""
    slot = np.int64((np.uint64(vertex) * _MIX) >> np.uint64(64 - bits))
    while table[slot] != _EMPTY and names[table[slot]] != vertex:
        slot = (slot + 1) & (table.size - 1)
    return slot, table[slot]


@njit(cache=True)
def _grow(bits: int, names: Longs, known: int) -> tuple[int, Integers, Longs]:
    """Return a table of twice the size, with the vertices that are known."""
    bits += 1
    table = np.full(1 << bits, _EMPTY, np.int32)
    longer = np.empty(1 << (bits - 1), np.int64)
    longer[:known] = names[:known]
    for v in range(known):
        table[_find(table, longer, bits, longer[v])[0]] = v
    return bits, table, longer


@njit(cache=True, fastmath={"contract", "nsz"})
def _filter(corners: Integers, weights: Floats, neighbours: Integers, values: Floats) -> Floats:
    """Splat, blur along every axis, slice."""
    count, corner_count = corners.shape
    size = neighbours.shape[1]
    lattice, blurred = np.zeros(size, np.float32), np.zeros(size, np.float32)
    for p in range(count):
        for k in range(corner_count):
            lattice[corners[p, k]] += weights[p, k] * values[p]
    for axis in range(corner_count):
        along = neighbours[axis]
        for v in range(size - 1):
            blurred[v] = lattice[v] + np.float32(0.5) * (lattice[along[v, 0]] + lattice[along[v, 1]])
        lattice, blurred = blurred, lattice
    filtered = np.empty(count, np.float32)
    scale = np.float32(1 / (1 + 2.0 ** -(corner_count - 1)))
    for p in range(count):
        total = np.float32(0)
        for k in range(corner_count):
            total += weights[p, k] * lattice[corners[p, k]]
        filtered[p] = total * scale
    return filtered
