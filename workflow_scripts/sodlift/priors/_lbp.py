"""Local binary patterns of the eight neighbours, and their uniform bins.

Source: T. Ojala, M. Pietikäinen, T. Mäenpää, "Multiresolution Gray-Scale and Rotation Invariant Texture Classification
with Local Binary Patterns", TPAMI 2002, eq. 5-10.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Codes = npt.NDArray[np.uint8]

UNIFORM_BINS = 59
"""Bins of ``uniform_bins``: the 58 uniform patterns and one for all others."""


def lbp_codes(grey: npt.NDArray[np.uint8]) -> Codes:
    """Return each pixel's local binary pattern.

    Bit p says whether neighbour p is at least as bright as the pixel; neighbours are numbered counter-clockwise from
    the right one. The diagonal ones are the pixels themselves, not points interpolated on a circle; beyond the border
    the image is repeated.

    Parameters
    ----------
    grey : (H, W) uint8
        Grey levels.

    Returns
    -------
    (H, W) uint8
        Codes 0 to 255.
    """
    codes = np.empty(grey.shape, np.uint8)
    _codes(np.pad(grey, 1, mode="edge"), codes)
    return codes


def uniform_bins() -> Codes:
    """Return the histogram bin of each code: (256,) uint8.

    The patterns with at most two changes between 0 and 1 around the circle have bins 0 to 57, in the order of their
    codes; all others share bin 58.
    """
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(uniform, np.cumsum(uniform) - 1, UNIFORM_BINS - 1).astype(np.uint8)


@njit(cache=True)
def _codes(padded, out):  # type: ignore[no-untyped-def]
    for y in range(out.shape[0]):
        above, here, below = padded[y], padded[y + 1], padded[y + 2]
        for x in range(out.shape[1]):
            centre = here[x + 1]
            out[y, x] = (
                (here[x + 2] >= centre)
                | (above[x + 2] >= centre) << 1
                | (above[x + 1] >= centre) << 2
                | (above[x] >= centre) << 3
                | (here[x] >= centre) << 4
                | (below[x] >= centre) << 5
                | (below[x + 1] >= centre) << 6
                | (below[x + 2] >= centre) << 7
            )
