"""CIELAB colours of images and of region means."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.arrays import Image8

Planes = npt.NDArray[np.float32]


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
    lab = cv2.cvtColor(image.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    planes = np.empty((3, *image.shape[:2]), np.float32)
    cv2.split(lab, list(planes))
    return planes


def lab_colours(rgb: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return the CIELAB colours (N, 3) float32 of N RGB colours (N, 3) in [0, 255], which need not be integers."""
    row = np.ascontiguousarray(rgb, dtype=np.float32)[None] / np.float32(255)
    return np.asarray(cv2.cvtColor(row, cv2.COLOR_RGB2LAB)[0], dtype=np.float32)
