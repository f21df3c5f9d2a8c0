"""Minimum barrier distance to the image's border, by raster scanning (FastMBD).

Source: J. Zhang, S. Sclaroff, Z. Lin, X. Shen, B. Price, R. Mech, "Minimum Barrier Salient Object Detection at 80 FPS",
ICCV 2015, section 3, algorithm 1.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Image8


def barrier_distance(plane: Image8, sweeps: int = 3) -> npt.NDArray[np.uint8]:
    """Return the minimum barrier distance of each pixel to the 1-pixel ring at the image's border.

    The cost of a path is the highest minus the lowest value on it. Each sweep, forward and backward in turn, lets a
    pixel take over its left (right) and then its upper (lower) neighbour's path where that is strictly cheaper.

    A raster scan runs from left to right only because a pixel waits for its left and upper neighbours. Both lie on the
    previous antidiagonal, so the scan is done antidiagonal by antidiagonal, with all its pixels at once: the same
    values in the same order. The interval (0, 255) stands for "no path yet": no other interval is as long.

    Parameters
    ----------
    plane : (H, W) uint8
        One channel.
    sweeps : int
        Number of sweeps, at least 0.

    Returns
    -------
    (H, W) uint8
        Distances, 0 on the ring and, without sweeps, 255 inside it.
    """
    return np.asarray(_barrier(np.ascontiguousarray(plane), sweeps))


@njit(cache=True)
def _barrier(plane, sweeps):  # type: ignore[no-untyped-def]
    height, width = plane.shape
    diagonals = height + width - 1
    # skewed planes: row x + y, column y
    value = np.zeros((diagonals, height), np.uint8)
    low = np.zeros((diagonals, height), np.uint8)
    high = np.full((diagonals, height), np.uint8(255))
    for y in range(height):
        for x in range(width):
            value[x + y, y] = plane[y, x]
    for y in range(height):
        for x in (0, width - 1):
            low[x + y, y] = high[x + y, y] = plane[y, x]
    for x in range(width):
        for y in (0, height - 1):
            low[x + y, y] = high[x + y, y] = plane[y, x]
    for sweep in range(sweeps):
        forward = sweep % 2 == 0
        for step in range(2, diagonals - 2):
            d = step if forward else diagonals - 1 - step
            start, stop = max(1, d - width + 2), min(height - 1, d)
            if stop <= start:
                continue
            # the left and the upper neighbour stand in row d - 1, in columns y and y - 1; the right and the lower one
            # in row d + 1, in columns y and y + 1
            side = -1 if forward else 1
            for shift in (0, side):
                low_from = low[d + side, start + shift : stop + shift]
                high_from = high[d + side, start + shift : stop + shift]
                _take_over(value[d, start:stop], low[d, start:stop], high[d, start:stop], low_from, high_from)
    out = np.empty((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            out[y, x] = high[x + y, y] - low[x + y, y]
    return out


@njit(cache=True)
def _take_over(value, low, high, low_from, high_from):  # type: ignore[no-untyped-def]
    """Extend the neighbours' intervals by the pixels' own values and keep those strictly shorter than the present."""
    for i in range(value.size):
        lo, hi = min(low_from[i], value[i]), max(high_from[i], value[i])
        shorter = np.uint8(hi - lo) < np.uint8(high[i] - low[i])
        low[i] = lo if shorter else low[i]
        high[i] = hi if shorter else high[i]
