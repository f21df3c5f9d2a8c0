"""GIST: the layout of a scene as energies of oriented filters on a grid (Oliva and Torralba, IJCV 2001)."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.arrays import Image8

Floats = npt.NDArray[np.float32]

SCALES, ORIENTATIONS, GRID = 4, 8, 4
LENGTH = SCALES * ORIENTATIONS * GRID**2
"""Numbers in a descriptor: 512."""

_HIGHEST, _OCTAVES = 0.3, 0.9
"""Centre of the finest scale in cycles a pixel, and octaves between scales."""
_RADIAL, _ANGULAR = 0.55, 0.32
"""Deviations of the filters, in octaves and in radians."""
_LOCAL = 1 / 16
"""Deviation of the local mean and contrast, as a share of the side."""


def gist(image: Image8, side: int = 256) -> Floats:
    """Describe the layout of an image.

    The grey image's contrast is made even; 32 filters at 4 scales and 8 orientations, Gaussian in log-frequency and
    angle, are applied in the frequency domain, and the magnitude of each response is averaged over 4x4 cells. The
    filters' constants are ours.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB, of any size.
    side : int
        The image is resized to a square of so many pixels, a multiple of 4.

    Returns
    -------
    (512,) float32
        At least 0; by scale (fine to coarse), orientation, row and column of the grid.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    square = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    spectrum = cv2.dft(_even(square), flags=cv2.DFT_COMPLEX_OUTPUT)
    cells = np.empty((SCALES * ORIENTATIONS, GRID, GRID), np.float32)
    for filtered, cell in zip(_filters(side), cells, strict=True):
        response = cv2.dft(spectrum * filtered, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)
        energy = cv2.magnitude(response[..., 0], response[..., 1])
        cv2.resize(energy, (GRID, GRID), dst=cell, interpolation=cv2.INTER_AREA)
    return cells.ravel()


def _even(grey: Floats) -> Floats:
    """Return an image less its local mean, over its local contrast."""
    deviation = grey.shape[0] * _LOCAL
    centred = grey - cv2.GaussianBlur(grey, (0, 0), deviation, borderType=cv2.BORDER_REFLECT)
    contrast = np.sqrt(cv2.GaussianBlur(centred * centred, (0, 0), deviation, borderType=cv2.BORDER_REFLECT))
    return np.asarray(centred / (contrast + np.float32(0.2)), dtype=np.float32)


@lru_cache(2)
def _filters(side: int) -> Floats:
    """Return the transfer functions (32, side, side, 1)."""
    across, down = np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side))
    radius, angle = np.hypot(across, down), np.arctan2(down, across)
    octave = np.log2(np.maximum(radius, 1e-6))
    made = np.empty((SCALES, ORIENTATIONS, side, side, 1), np.float32)
    for s in range(SCALES):
        radial = np.exp(-0.5 * ((octave - (np.log2(_HIGHEST) - s * _OCTAVES)) / _RADIAL) ** 2)
        for o in range(ORIENTATIONS):
            # One side of the spectrum only: the response is complex, and its magnitude the local energy.
            apart = np.angle(np.exp(1j * (angle - np.pi * o / ORIENTATIONS)))
            made[s, o, ..., 0] = radial * np.exp(-0.5 * (apart / _ANGULAR) ** 2)
    return made.reshape(-1, side, side, 1)
