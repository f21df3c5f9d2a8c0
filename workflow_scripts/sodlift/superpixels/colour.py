"""CIELAB colours of images and of region means."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.arrays import Image8

Planes = npt.NDArray[np.float32]

_UNIT = np.arange(256, dtype=np.float32) / np.float32(255)
_STRIP = 32


def lab_planes(image: Image8) -> Planes:
    """Return the CIELAB planes of an image.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB (sRGB, D65).

    Returns
    -------
    (3, H, W) float32
        L in [0, 100], a and b in about [-127, 127]; each plane is contiguous.
    """
    planes = np.empty((3, *image.shape[:2]), np.float32)
    # strip by strip, so that what lies between stays in the cache
    for top in range(0, image.shape[0], _STRIP):
        rows = slice(top, top + _STRIP)
        cv2.split(cv2.cvtColor(cv2.LUT(image[rows], _UNIT), cv2.COLOR_RGB2LAB), list(planes[:, rows]))
    return planes


def lab_colours(rgb: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return the CIELAB colours (N, 3) float32 of N RGB colours (N, 3) in [0, 255], which need not be integers."""
    row = np.ascontiguousarray(rgb, dtype=np.float32)[None] / np.float32(255)
    return np.asarray(cv2.cvtColor(row, cv2.COLOR_RGB2LAB)[0], dtype=np.float32)
