"""Watershed over-segmentation: every regional minimum of a surface floods its basin.

Source: F. Meyer, "Topographic distance and watershed lines", Signal Processing 38(1), 1994; flooding in the order of
level and of arrival, without lines between the basins. 4-neighbourhood throughout.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.superpixels.connectivity import Labels

_LEVELS = 256


def watershed(surface: npt.NDArray[np.uint8]) -> tuple[Labels, int]:
    """Return the catchment basins of a surface.

    Parameters
    ----------
    surface : (H, W) uint8
        Heights, such as gradient magnitudes.

    Returns
    -------
    labels : (H, W) int32
        0 to count - 1, in raster order of the first pixels of the basins' minima. A pixel that two basins reach at the
        same level goes to the one that arrives first.
    count : int
        Number of basins.
    """
    labels = np.empty(surface.shape, np.int32)
    count = _minima(surface, labels)
    _flood(surface, labels)
    return labels, int(count)


@njit(cache=True)
def _minima(surface, labels):  # type: ignore[no-untyped-def]
    """(1) Number the plateaus that no neighbour lies below; every other pixel is left at -1."""
    height, width = surface.shape
    labels[:] = -2  # not looked at yet
    plateau = np.empty(surface.size, np.int32)
    count = 0
    for start in range(surface.size):
        if labels[start // width, start % width] != -2:
            continue
        level, lowest, size = surface[start // width, start % width], True, 1
        plateau[0], labels[start // width, start % width] = start, -1
        i = 0
        while i < size:
            y, x = plateau[i] // width, plateau[i] % width
            for ny, nx in ((y - 1, x), (y, x - 1), (y, x + 1), (y + 1, x)):
                if 0 <= ny < height and 0 <= nx < width:
                    if surface[ny, nx] < level:
                        lowest = False
                    elif surface[ny, nx] == level and labels[ny, nx] == -2:
                        labels[ny, nx] = -1
                        plateau[size] = ny * width + nx
                        size += 1
            i += 1
        if lowest:
            for pixel in plateau[:size]:
                labels[pixel // width, pixel % width] = count
            count += 1
    return count


@njit(cache=True)
def _flood(surface, labels):  # type: ignore[no-untyped-def]
    """(2) Let the basins grow, lowest pixels first and equal ones in order of arrival, until they cover the image.

    One queue a level, as lists linked through ``behind``. Since every regional minimum is a basin, the flood never
    steps down to a level that is done.
    """
    height, width = surface.shape
    behind = np.full(surface.size, -1, np.int32)
    first, last = np.full(_LEVELS, -1, np.int32), np.full(_LEVELS, -1, np.int32)
    for pixel in range(surface.size):
        if labels[pixel // width, pixel % width] >= 0:
            _push(surface[pixel // width, pixel % width], pixel, behind, first, last)
    for level in range(_LEVELS):
        while first[level] >= 0:
            pixel = first[level]
            first[level] = behind[pixel]
            y, x = pixel // width, pixel % width
            for ny, nx in ((y - 1, x), (y, x - 1), (y, x + 1), (y + 1, x)):
                if 0 <= ny < height and 0 <= nx < width and labels[ny, nx] < 0:
                    labels[ny, nx] = labels[y, x]
                    _push(surface[ny, nx], ny * width + nx, behind, first, last)


@njit(cache=True)
def _push(level, pixel, behind, first, last):  # type: ignore[no-untyped-def]
    if first[level] < 0:
        first[level] = pixel
    else:
        behind[last[level]] = pixel
    last[level] = pixel
