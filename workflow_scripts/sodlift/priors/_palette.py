"""The few colours that cover most of an image."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Image8

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Palette:
    """An image in N colours.

    Attributes
    ----------
    colours : (N, 3) float64
        RGB in [0, 255], the most frequent first.
    counts : (N,) float64
        Pixels of each, at least 1.
    indices : (H, W) int32
        The colour of each pixel.
    """

    colours: Floats
    counts: Floats
    indices: npt.NDArray[np.int32]


def quantise(image: Image8, levels: int = 12, coverage: float = 0.95, fewest: int = 10, most: int = 256) -> Palette:
    """Reduce an image to its frequent colours.

    Source: M.-M. Cheng, N. J. Mitra, X. Huang, P. H. S. Torr, S.-M. Hu, "Global Contrast Based Salient Region
    Detection", TPAMI 2015, section 3.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    levels : int
        Equal ranges of a channel, 1 to 256.
    coverage : float
        Share of the pixels that the kept colours cover.
    fewest, most : int
        Limits on the number of kept colours; an image with fewer colours keeps all.
    """
    # (1) cells of levels³, the most frequent first, of equal ones the darkest; each stands for its pixels' mean colour
    image = np.ascontiguousarray(image)
    counts, sums = _histogram(image, levels)
    cells = np.flatnonzero(counts)
    cells = cells[np.argsort(-counts[cells], kind="stable")]
    covered = np.cumsum(counts[cells])
    kept = int(np.searchsorted(covered, coverage * covered[-1])) + 1
    kept = min(max(kept, fewest), most, len(cells))
    colours = sums[cells] / counts[cells, None]
    # (2) the rare ones become the nearest of the kept
    index_of = np.zeros(levels**3, np.int32)
    index_of[cells] = _nearest(colours, kept)
    indices = np.empty(image.shape[:2], np.int32)
    _look_up(image, levels, index_of, indices)
    pixels = np.asarray(np.bincount(index_of[cells], counts[cells], kept), dtype=np.float64)
    return Palette(colours[:kept], pixels, indices)


@njit(cache=True)
def _histogram(image, levels):  # type: ignore[no-untyped-def]
    """Return the number of pixels and the sum of their colours in each cell."""
    counts = np.zeros(levels**3, np.int64)
    sums = np.zeros((levels**3, 3), np.int64)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            cell = 0
            for c in range(3):
                cell = cell * levels + image[y, x, c] * levels // 256
            counts[cell] += 1
            for c in range(3):
                sums[cell, c] += image[y, x, c]
    return counts, sums


@njit(cache=True)
def _nearest(colours, kept):  # type: ignore[no-untyped-def]
    """Return for each colour (N, 3) the nearest of the first ``kept``, which are themselves their own."""
    out = np.arange(colours.shape[0])
    for i in range(kept, colours.shape[0]):
        least = np.inf
        for j in range(kept):
            r, g, b = colours[i, 0] - colours[j, 0], colours[i, 1] - colours[j, 1], colours[i, 2] - colours[j, 2]
            if r * r + g * g + b * b < least:
                out[i], least = j, r * r + g * g + b * b
    return out


@njit(cache=True)
def _look_up(image, levels, index_of, out):  # type: ignore[no-untyped-def]
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            cell = 0
            for c in range(3):
                cell = cell * levels + image[y, x, c] * levels // 256
            out[y, x] = index_of[cell]
