"""An edge map with orientations, thinned, as EdgeBoxes takes it: no model, gradients alone."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Image8

Floats = npt.NDArray[np.float32]

_THINNING = 2
"""Pixels to both sides among which an edge must be the strongest."""


class Edges(NamedTuple):
    """Edges of an image.

    Attributes
    ----------
    strength : (H, W) float32
        In [0, 1]; 0 off the ridges.
    orientation : (H, W) float32
        Direction across the edge, in [0, pi).
    """

    strength: Floats
    orientation: Floats


def edges(image: Image8, radius: int = 4, spread: int = 4) -> Edges:
    """Return the ridges of an image's colour gradient.

    The gradient is the steepest of the three channels of LUV after a triangle filter; its orientation is that of the
    second derivatives of the map under a wider one (Zitnick and Dollár, ECCV 2014); what is not the strongest across
    its edge is set to 0.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    radius, spread : int
        Of the triangle filters for the gradient and for the orientation, in pixels.
    """
    luv = cv2.cvtColor(image.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Luv)
    smooth = _triangle(np.asarray(luv, dtype=np.float32), radius)
    dx, dy = (cv2.Sobel(smooth, cv2.CV_32F, a, 1 - a, borderType=cv2.BORDER_REFLECT) for a in (1, 0))
    strength = np.sqrt((dx * dx + dy * dy).max(axis=2))
    strength /= max(float(strength.max()), 1e-6)
    orientation = _orientation(_triangle(strength, spread))
    return Edges(_thinned(strength, orientation, _THINNING), orientation)


def _triangle(planes: Floats, radius: int) -> Floats:
    """Return planes under a separable triangle filter of 2 radius + 1 pixels."""
    taps = (radius + 1 - np.abs(np.arange(-radius, radius + 1))).astype(np.float32) / np.float32((radius + 1) ** 2)
    return np.asarray(cv2.sepFilter2D(planes, cv2.CV_32F, taps, taps, borderType=cv2.BORDER_REFLECT))


def _orientation(ridges: Floats) -> Floats:
    """Return the direction in which a map bends most, in [0, pi)."""
    xx, xy, yy = (cv2.Sobel(ridges, cv2.CV_32F, a, 2 - a, borderType=cv2.BORDER_REFLECT) for a in (2, 1, 0))
    # The eigenvector of the Hessian's eigenvalue of largest magnitude: on a ridge the least one, on its foot the other.
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.where(xx + yy < 0, np.pi / 2, 0)
    return np.asarray(np.mod(angle, np.pi), dtype=np.float32)


@njit(cache=True)
def _thinned(strength: Floats, orientation: Floats, reach: int) -> Floats:
    """Return the map with 0 wherever a stronger edge lies within ``reach`` pixels across."""
    height, width = strength.shape
    thin = np.zeros_like(strength)
    for y in range(height):
        for x in range(width):
            own = strength[y, x]
            dx, dy = np.cos(orientation[y, x]), np.sin(orientation[y, x])
            strongest = True
            for step in range(-reach, reach + 1):
                if step != 0:
                    u = min(max(x + step * dx, 0.0), width - 1.001)
                    v = min(max(y + step * dy, 0.0), height - 1.001)
                    i, j = int(u), int(v)
                    a, b = u - i, v - j
                    upper = (1 - a) * strength[j, i] + a * strength[j, i + 1]
                    lower = (1 - a) * strength[j + 1, i] + a * strength[j + 1, i + 1]
                    if (1 - b) * upper + b * lower > own:
                        strongest = False
                        break
            if strongest:
                thin[y, x] = own
    return thin
