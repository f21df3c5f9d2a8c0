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
    _scan_down(out, limit)
    _scan_up(out, limit)
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
def _scan_down(out, limit):  # type: ignore[no-untyped-def]
    """(1) Raster scan: lift each pixel to the highest of its neighbours before it, under the limit."""
    height, width = out.shape
    for y in range(1, height - 1):
        above, row, top = out[y - 1], out[y], limit[y]
        for x in range(1, width - 1):
            row[x] = min(max(row[x], above[x - 1], above[x], above[x + 1]), top[x])
        before = row[0]
        for x in range(1, width - 1):
            before = min(max(before, row[x]), top[x])
            row[x] = before


@njit(cache=True)
def _scan_up(out, limit):  # type: ignore[no-untyped-def]
    """(2) The same from the last pixel to the first."""
    height, width = out.shape
    for y in range(height - 2, 0, -1):
        below, row, top = out[y + 1], out[y], limit[y]
        for x in range(1, width - 1):
            row[x] = min(max(row[x], below[x - 1], below[x], below[x + 1]), top[x])
        before = row[width - 1]
        for x in range(width - 2, 0, -1):
            before = min(max(before, row[x]), top[x])
            row[x] = before


@njit(cache=True)
def _propagate(out, limit):  # type: ignore[no-untyped-def]
    """(3) Lift what the scans left too low, from neighbour to neighbour; the result does not depend on the order."""
    height, width = out.shape
    stack = np.empty(height * width, np.int32)
    waiting = 0
    queued = np.zeros((height, width), np.bool_)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            highest = max(out[y, x + 1], out[y + 1, x - 1], out[y + 1, x], out[y + 1, x + 1])
            highest = max(highest, out[y, x - 1], out[y - 1, x - 1], out[y - 1, x], out[y - 1, x + 1])
            if min(highest, limit[y, x]) > out[y, x]:
                out[y, x] = min(highest, limit[y, x])
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
