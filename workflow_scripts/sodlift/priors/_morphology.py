"""Grey-scale reconstruction and the smoothing built on it.

Source: L. Vincent, "Morphological Grayscale Reconstruction in Image Analysis: Applications and Efficient Algorithms",
IEEE Trans. Image Processing 2(2), 1993 (the hybrid algorithm).
"""

import cv2
import numpy as np
from numba import njit

from sodlift.arrays import Image8


def reconstruct(marker: Image8, mask: Image8) -> Image8:
    """Dilate ``marker`` under ``mask`` until nothing changes, 8-connected.

    Parameters
    ----------
    marker, mask : (H, W) uint8
        The marker lies nowhere above the mask.

    Returns
    -------
    (H, W) uint8
    """
    # a ring of zeros around both: nothing is lifted from it nor in it, and no kernel below asks where the border is
    out, limit = np.pad(marker, 1), np.pad(mask, 1)
    _sweep(out, limit)
    across = np.ascontiguousarray(out.T)
    _sweep(across, np.ascontiguousarray(limit.T))
    out = np.ascontiguousarray(across.T)
    _propagate(out, limit)
    return out[1:-1, 1:-1].copy()


def open_close(grey: Image8, width: int) -> Image8:
    """Open, then close, by reconstruction with a square of ``width`` pixels: (H, W) uint8.

    Bright and dark spots smaller than the square vanish; the contours of all others stay where they are.
    """
    square = np.ones((width, width), np.uint8)
    opened = reconstruct(np.asarray(cv2.erode(grey, square), dtype=np.uint8), grey)
    dilated = np.asarray(cv2.dilate(opened, square), dtype=np.uint8)
    return np.asarray(255 - reconstruct(255 - dilated, 255 - opened), dtype=np.uint8)


@njit(cache=True)
def _sweep(out, limit):  # type: ignore[no-untyped-def]
    """(1) Lift row after row, down and then up, to the highest of the three neighbours before it, under the limit.

    Vincent's raster scans also take the neighbour beside a pixel, and so work on one pixel at a time. A row at a time
    is many times faster; what runs sideways is left to the same sweeps of the transposed image.
    """
    for y in range(1, len(out) - 1):
        _lift(out[y], out[y - 1], limit[y])
    for y in range(len(out) - 2, 0, -1):
        _lift(out[y], out[y + 1], limit[y])


@njit(cache=True)
def _lift(row, before, top):  # type: ignore[no-untyped-def]
    for x in range(1, row.size - 1):
        row[x] = min(max(row[x], before[x - 1], before[x], before[x + 1]), top[x])


@njit(cache=True)
def _propagate(out, limit):  # type: ignore[no-untyped-def]
    """(2) Lift what the sweeps left too low, from neighbour to neighbour; the result does not depend on the order."""
    height, width = out.shape
    stack = np.empty(height * width, np.int32)
    waiting = 0
    queued = np.zeros((height, width), np.bool_)
    lifted = np.empty(width, np.uint8)
    for y in range(1, height - 1):
        above, row, below, top = out[y - 1], out[y], out[y + 1], limit[y]
        for x in range(1, width - 1):  # a loop of its own, without branches, so that it vectorises
            highest = max(above[x - 1], above[x], above[x + 1], row[x - 1], row[x + 1])
            lifted[x] = min(max(highest, below[x - 1], below[x], below[x + 1]), top[x])
        for x in range(1, width - 1):
            if lifted[x] > row[x]:
                row[x] = lifted[x]
                queued[y, x] = True
                stack[waiting] = y * width + x
                waiting += 1
    while waiting > 0:
        waiting -= 1
        y, x = stack[waiting] // width, stack[waiting] % width
        queued[y, x] = False
        for ny in range(y - 1, y + 2):
            for nx in range(x - 1, x + 2):
                lifted = min(out[y, x], limit[ny, nx])
                if lifted > out[ny, nx]:
                    out[ny, nx] = lifted
                    if not queued[ny, nx]:
                        queued[ny, nx] = True
                        stack[waiting] = ny * width + nx
                        waiting += 1
