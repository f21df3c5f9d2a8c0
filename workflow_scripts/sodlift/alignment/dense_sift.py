"""A SIFT descriptor at every pixel (Liu, Yuen, Torralba, "SIFT flow", PAMI 2011, Sec. 3.1)."""

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Image8

Floats = npt.NDArray[np.float32]
Descriptors = npt.NDArray[np.uint8]

ORIENTATIONS, CELLS = 8, 4
LENGTH = ORIENTATIONS * CELLS**2
"""Numbers in a descriptor."""

_FLAT = 0.01
"""Added to a descriptor's norm, of an image in [0, 1], so that noise in flat regions stays small."""


def dense_sift(image: Image8, cell: int = 3) -> Descriptors:
    """Return a descriptor of each pixel's surroundings.

    Gradients are those of the colour channel where they are steepest, shared among 8 orientations by the ninth power of
    the cosine, pooled by a tent over cells, and taken at 4x4 cells around the pixel; edges are repeated outside.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    (H, W, 128) uint8
        Unit vectors times 255, cells row by row, orientations within; near 0 where the image is flat.
    """
    gradients = _gradients(image, _directions())
    pooled = _pooled(gradients, _tent(cell))
    return _gathered(pooled, cell)


def _directions() -> Floats:
    """Return cosine and sine of the orientations' angles (2, 8)."""
    angles = 2 * np.pi * np.arange(ORIENTATIONS) / ORIENTATIONS
    return np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def _tent(cell: int) -> Floats:
    """Return the weights of 2 cell - 1 pixels, with sum 1."""
    weights = cell - np.abs(np.arange(1 - cell, cell))
    return (weights / cell**2).astype(np.float32)


@njit(nogil=True, cache=True, fastmath=True)
def _gradients(image: Image8, directions: Floats) -> Floats:
    """Return the gradient's share in each orientation (H, W, 8)."""
    height, width, channels = image.shape
    shares = np.empty((height, width, ORIENTATIONS), np.float32)
    half = np.float32(0.5 / 255)
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            steepest, dx, dy = np.int32(-1), np.int32(0), np.int32(0)
            for c in range(channels):
                across = np.int32(image[y, right, c]) - np.int32(image[y, left, c])
                down = np.int32(image[below, x, c]) - np.int32(image[above, x, c])
                square = across * across + down * down
                if square > steepest:
                    steepest, dx, dy = square, across, down
            magnitude = np.sqrt(np.float32(steepest))
            inverse = np.float32(1) / max(magnitude, np.float32(1e-6))
            for k in range(ORIENTATIONS):
                cosine = max((dx * directions[0, k] + dy * directions[1, k]) * inverse, np.float32(0))
                square_ = cosine * cosine
                fourth = square_ * square_
                shares[y, x, k] = half * magnitude * fourth * fourth * cosine
    return shares


@njit(nogil=True, cache=True, fastmath=True)
def _pooled(planes: Floats, tent: Floats) -> Floats:
    """Return planes (H, W, 8) under a separable filter, edges repeated."""
    height, width, depth = planes.shape
    reach = tent.size // 2
    rows, pooled = np.zeros_like(planes), np.zeros_like(planes)
    for y in range(height):
        for x in range(width):
            for t in range(tent.size):
                source = min(max(x + t - reach, 0), width - 1)
                for k in range(depth):
                    rows[y, x, k] += tent[t] * planes[y, source, k]
    for y in range(height):
        for t in range(tent.size):
            source = min(max(y + t - reach, 0), height - 1)
            for x in range(width):
                for k in range(depth):
                    pooled[y, x, k] += tent[t] * rows[source, x, k]
    return pooled


@njit(nogil=True, cache=True, fastmath=True)
def _gathered(pooled: Floats, cell: int) -> Descriptors:
    """Return the normalised 4x4 cells around each pixel."""
    height, width, depth = pooled.shape
    made = np.empty((height, width, LENGTH), np.uint8)
    vector = np.empty(LENGTH, np.float32)
    first = cell // 2 - CELLS // 2 * cell
    for y in range(height):
        for x in range(width):
            at = 0
            square = np.float32(0)
            for i in range(CELLS):
                row = min(max(y + first + i * cell, 0), height - 1)
                for j in range(CELLS):
                    column = min(max(x + first + j * cell, 0), width - 1)
                    for k in range(depth):
                        value = pooled[row, column, k]
                        vector[at + k] = value
                        square += value * value
                    at += depth
            scale = np.float32(255) / (np.sqrt(square) + np.float32(_FLAT))
            for k in range(LENGTH):
                made[y, x, k] = np.uint8(vector[k] * scale + np.float32(0.5))
    return made
