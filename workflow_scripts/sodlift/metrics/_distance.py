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
Floats = npt.NDArray[np.float64]


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
def parabolas(row: Integers, y: int, heights: Floats) -> None:
    """Write what the parabola of each column is at x = 0, ``i^2 + g(i)^2``: whole numbers, exact below 2^53."""
    for i in range(len(row)):
        across, down = float(i), float(np.int32(y) - row[i])
        heights[i] = across * across + down * down


@njit(cache=True)
def candidates(row: Integers, y: int, heights: Floats, columns: Integers, keep: npt.NDArray[np.bool_]) -> int:
    """Write into ``columns`` those that may hold the pixel nearest to another one of row y; return their number.

    Left out are those that hold none, the inside of a run of foreground, and those that both neighbours hide. ``keep``
    is for intermediate results.
    """
    width, here, count = len(row), np.int32(y), 0
    keep[0], keep[width - 1] = row[0] >= 0, row[width - 1] >= 0
    for i in range(1, width - 1):  # two loops, since the first one runs in vector registers
        inside = (row[i - 1] == here) & (row[i] == here) & (row[i + 1] == here)
        keep[i] = (row[i] >= 0) & (not inside) & (2 * heights[i] < heights[i - 1] + heights[i + 1])
    for i in range(width):
        columns[count] = i
        count += keep[i]
    return count


@njit(cache=True)
def envelope(heights: Floats, columns: Integers, count: int) -> int:
    """Keep of the first ``count`` columns those on the lower envelope, in place; return their number."""
    kept = 0
    for k in range(count):
        c = columns[k]
        while kept >= 2:
            a, b = columns[kept - 2], columns[kept - 1]
            # b is hidden where c falls below it no later than it falls below a
            if (heights[b] - heights[a]) * (c - b) < (heights[c] - heights[b]) * (b - a):
                break
            kept -= 1
        columns[kept] = c
        kept += 1
    return kept


@njit(cache=True)
def cells(heights: Floats, columns: Integers, count: int, nearest: Integers, starts: Integers) -> int:
    """Of the columns on the envelope write those that are the nearest to any pixel of the row; return how many.

    Writes into ``nearest`` the columns, and into ``starts`` the first x to which each is the nearest, behind the last
    the width.
    """
    kept, width = 0, len(heights)
    nearest[0], starts[0] = columns[0], 0
    for k in range(1, count):
        before, i = columns[k - 1], columns[k]
        # behind the point where both parabolas meet; there either is right, so that the quotient may be rounded
        start = max(math.floor((heights[i] - heights[before]) / (2.0 * (i - before))) + 1, 0)
        if start >= width:
            break
        kept += start > starts[kept]
        nearest[kept], starts[kept] = i, start
    starts[kept + 1] = width
    return kept + 1


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
