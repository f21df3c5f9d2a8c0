"""Exact Euclidean distance transform, and which foreground pixel is the nearest.

Source: A. Meijster, J. Roerdink, W. Hesselink, "A General Algorithm for Computing Distance Transforms in Linear Time",
2000, in whole numbers. Among foreground pixels at equal distance the one of the smallest column is taken, then the one
of the smallest row, as SciPy does.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Mask

Integers = npt.NDArray[np.int32]


@njit(cache=True)
def squared_distances(mask: Mask) -> tuple[Integers, Integers]:
    """Return the squared distance of each pixel to the nearest foreground pixel, and the nearest rows by column.

    Parameters
    ----------
    mask : (H, W) bool
        At least one pixel must be foreground.

    Returns
    -------
    squared : (H, W) int32
        Squared distance in pixels, 0 in the foreground.
    rows : (H, W) int32
        Row of the nearest foreground pixel within the column, the upper of two; a negative number in a column that has
        none, so far off that it is never the nearest.
    """
    rows = _nearest_rows(mask)
    return _scan_rows(mask, rows), rows


@njit(cache=True)
def nearest_foreground(squared: Integers, rows: Integers, y: int, x: int) -> tuple[int, int]:
    """Return row and column of the foreground pixel nearest to a pixel, from what ``squared_distances`` returns."""
    wanted = squared[y, x]
    side = int(math.sqrt(wanted))
    for i in range(max(0, x - side), min(squared.shape[1], x + side + 1)):
        if (x - i) ** 2 + (y - rows[y, i]) ** 2 == wanted:
            return rows[y, i], i
    return -1, -1  # there is always one


@njit(cache=True)
def _nearest_rows(mask: Mask) -> Integers:
    height, width = mask.shape
    none = np.int32(-(height + width))  # farther than any row of the image
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
def _scan_rows(mask: Mask, rows: Integers) -> Integers:
    """Lower envelope, row by row, of the parabolas ``(x - i)^2 + g(i)^2`` over the columns i that have foreground."""
    height, width = rows.shape
    squared = np.empty((height, width), np.int32)
    column = np.empty(width, np.int32)  # apexes of the envelope, from left to right
    start = np.empty(width, np.int32)  # where each begins to be the lowest
    lowest = np.empty(width, np.int32)  # g^2 of each
    half = 0.5 / np.maximum(np.arange(width), 1)
    for y in range(height):
        last, run = -1, 0
        for x in range(width):
            run = run + 1 if mask[y, x] else 0
            if rows[y, x] < 0:
                continue
            if run > 2:  # within a run of foreground only its ends are ever the nearest to something else
                column[last] = x
                continue
            g2 = np.int32((y - rows[y, x]) ** 2)
            begin = np.int32(0)
            while last >= 0:
                i, at = column[last], start[last]
                if (at - i) ** 2 + lowest[last] > (at - x) ** 2 + g2:
                    last -= 1  # hidden by the new parabola
                    continue
                # after the last x at which parabola i is not above the new one, never before `at`; at a tie both are
                # right, so that the quotient may be rounded
                begin = np.int32(1 + int((x * x - i * i + g2 - lowest[last]) * half[x - i]))
                break
            if begin < width:
                last += 1
                column[last], start[last], lowest[last] = x, begin, g2
        end = width
        while last >= 0:
            i, g2 = column[last], lowest[last]
            for x in range(start[last], end):
                squared[y, x] = (x - i) ** 2 + g2
            end = start[last]
            last -= 1
        for x in range(width):
            if mask[y, x]:
                squared[y, x] = 0
    return squared
