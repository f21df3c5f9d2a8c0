"""Exact Euclidean distance transform that also names the nearest foreground pixel.

Source: A. Meijster, J. Roerdink, W. Hesselink, "A General Algorithm for Computing Distance Transforms in Linear Time",
2000, in whole numbers. Among foreground pixels at equal distance the one of the smallest column is taken, then the one
of the smallest row, as SciPy does.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Mask

Integers = npt.NDArray[np.int64]


def nearest_foreground(mask: Mask) -> tuple[Integers, Integers]:
    """Return for each pixel the squared distance to the nearest foreground pixel, and that pixel's flat index.

    Parameters
    ----------
    mask : (H, W) bool
        At least one pixel must be foreground.

    Returns
    -------
    squared, nearest : (H, W) int64
        Squared distance in pixels (0 in the foreground), and ``row * W + column`` of the nearest foreground pixel.
    """
    return _scan_rows(_nearest_rows(np.ascontiguousarray(mask)))


@njit(cache=True)
def _nearest_rows(mask: Mask) -> Integers:
    """Row of the nearest foreground pixel within the column, the upper of two; -1 in a column that has none."""
    height, width = mask.shape
    rows = np.full((height, width), -1, np.int64)
    for y in range(height):
        for x in range(width):
            if mask[y, x]:
                rows[y, x] = y
            elif y > 0:
                rows[y, x] = rows[y - 1, x]
    for y in range(height - 2, -1, -1):
        for x in range(width):
            below = rows[y + 1, x]
            if below > y and (rows[y, x] < 0 or below - y < y - rows[y, x]):
                rows[y, x] = below
    return rows


@njit(cache=True)
def _scan_rows(rows: Integers) -> tuple[Integers, Integers]:
    """Lower envelope, row by row, of the parabolas ``(x - i)^2 + g(i)^2`` over the columns i that have foreground."""
    height, width = rows.shape
    squared = np.empty((height, width), np.int64)
    nearest = np.empty((height, width), np.int64)
    column = np.empty(width, np.int64)  # apexes of the envelope, from left to right
    start = np.empty(width, np.int64)  # where each begins to be the lowest
    g2 = np.empty(width, np.int64)
    for y in range(height):
        last = -1
        for x in range(width):
            if rows[y, x] < 0:
                continue
            g2[x] = (y - rows[y, x]) ** 2
            begin = 0
            while last >= 0:
                i = column[last]
                if (start[last] - i) ** 2 + g2[i] > (start[last] - x) ** 2 + g2[x]:
                    last -= 1  # hidden by the new parabola
                    continue
                # after the last x at which parabola i is not above the new one; the quotient of whole numbers below
                # 2^26 is never rounded up to a whole number, and a float is divided faster
                begin = 1 + math.floor((x * x - i * i + g2[x] - g2[i]) / (2.0 * (x - i)))
                break
            if begin < width:
                last += 1
                column[last], start[last] = x, begin
        for x in range(width - 1, -1, -1):
            i = column[last]
            squared[y, x] = (x - i) ** 2 + g2[i]
            nearest[y, x] = rows[y, i] * width + i
            if x == start[last]:
                last -= 1
    return squared, nearest
