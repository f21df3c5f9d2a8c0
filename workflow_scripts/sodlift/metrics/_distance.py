"""Exact Euclidean distances to the foreground, and which foreground pixel is the nearest.

Two passes in whole numbers, after A. Meijster, J. Roerdink, W. Hesselink, "A General Algorithm for Computing Distance
Transforms in Linear Time", 2000: within columns, then the lower envelope of the parabolas ``(x - i)^2 + g(i)^2`` of
each row, g(i) being the distance within column i. Above the topmost and below the lowest foreground pixel, a column
that is on no envelope of one row is on none of the rows farther out, since the cell of points nearest to a pixel is
convex.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Mask

Integers = npt.NDArray[np.int32]


@njit(cache=True)
def nearest_rows(mask: Mask) -> Integers:
    """Return for each pixel of (H, W) the row of the nearest foreground pixel in its column, the upper of two.

    In a column that has none it is a negative number, so far off that it is never the nearest.
    """
    height, width = mask.shape
    none = np.int32(-(height + width))
    rows = np.empty((height, width), np.int32)
    for x in range(width):
        rows[0, x] = 0 if mask[0, x] else none
    for y in range(1, height):
        for x in range(width):
            rows[y, x] = y if mask[y, x] else rows[y - 1, x]
    for y in range(height - 2, -1, -1):
        for x in range(width):
            above, below = rows[y, x], rows[y + 1, x]
            rows[y, x] = below if below > y and below - y < y - above else above
    return rows


@njit(cache=True)
def candidates(row: Integers, y: int, columns: Integers) -> int:
    """Write into ``columns`` those that may hold the pixel nearest to another one of row y; return their number.

    Within a run of foreground these are its two ends.
    """
    width, count = len(row), 0
    for x in range(width):
        inner = 0 < x < width - 1 and row[x - 1] == y and row[x] == y and row[x + 1] == y
        if row[x] >= 0 and not inner:
            columns[count] = x
            count += 1
    return count


@njit(cache=True)
def envelope(row: Integers, y: int, columns: Integers, count: int) -> int:
    """Keep of the first ``count`` columns those on the lower envelope of row y, in place; return their number."""
    kept = 0
    for k in range(count):
        c = np.int64(columns[k])
        at_c = _at_zero(row, y, c)
        while kept >= 2:
            a, b = np.int64(columns[kept - 2]), np.int64(columns[kept - 1])
            at_b = _at_zero(row, y, b)
            # b is hidden where c falls below it no later than it falls below a
            if (at_b - _at_zero(row, y, a)) * (c - b) < (at_c - at_b) * (b - a):
                break
            kept -= 1
        columns[kept] = c
        kept += 1
    return kept


@njit(cache=True)
def cells(row: Integers, y: int, columns: Integers, count: int, nearest: Integers, starts: Integers) -> int:
    """Of the columns on the envelope of row y write those that are the nearest to any of its pixels; return how many.

    Writes into ``nearest`` the columns, and into ``starts`` the first x to which each is the nearest.
    """
    kept = 0
    nearest[0], starts[0] = columns[0], 0
    at_before = _at_zero(row, y, np.int64(columns[0]))
    for k in range(1, count):
        before, i = np.int64(columns[k - 1]), np.int64(columns[k])
        at_i = _at_zero(row, y, i)
        # behind the point where both parabolas meet; there either is right, so that the quotient may be rounded
        start = max(math.floor((at_i - at_before) / (2.0 * (i - before))) + 1, 0)
        at_before = at_i
        if start >= len(row):
            break
        kept += start > starts[kept]
        nearest[kept], starts[kept] = i, start
    return kept + 1


@njit(cache=True)
def _at_zero(row: Integers, y: int, i: np.int64) -> np.int64:
    """Height of the parabola of column i at x = 0."""
    return np.int64(i) * i + np.int64(y - row[i]) ** 2


@njit(cache=True)
def nearest_foreground(rows: Integers, y: int, x: int, squared: int) -> tuple[int, int]:
    """Return the foreground pixel nearest to pixel (y, x), at the squared distance ``squared``.

    Of several at that distance it is the one of the smallest column, then of the smallest row, as SciPy has it.
    """
    side = int(math.sqrt(squared))
    for i in range(max(0, x - side), min(rows.shape[1], x + side + 1)):
        if (x - i) ** 2 + (y - rows[y, i]) ** 2 == squared:
            return rows[y, i], i
    return -1, -1  # there is always one
