"""Texture: responses of oriented bar, edge and blob filters.

Source: T. Leung, J. Malik, "Representing and Recognizing the Visual Appearance of Materials using Three-dimensional
Textons", IJCV 43(1), 2001, section 3; one scale of its bank.
"""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SIDE = 19
SIGMA = 2**0.5
ORIENTATIONS = 6
FILTERS = 2 * ORIENTATIONS + 3


@lru_cache(maxsize=1)
def filter_bank() -> Floats:
    """Return the filters: (15, 19, 19) float32, each of zero mean and with absolute values that sum to 1.

    Six orientations of an edge filter (the first derivative across a Gaussian three times as long as wide), six of a
    bar filter (the second derivative), a Gaussian, and two Laplacians of Gaussians, the second three times as wide.
    """
    half = SIDE // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    angles = np.arange(ORIENTATIONS) * np.pi / ORIENTATIONS
    along = np.cos(angles)[:, None, None] * x + np.sin(angles)[:, None, None] * y
    across = np.cos(angles)[:, None, None] * y - np.sin(angles)[:, None, None] * x
    # (1) derivatives across an elongated Gaussian, up to factors that the normalisation removes
    elongated = np.exp(-(along**2) / (2 * (3 * SIGMA) ** 2) - across**2 / (2 * SIGMA**2))
    edges, bars = -across * elongated, (across**2 / SIGMA**2 - 1) * elongated
    # (2) round filters
    squared = x**2 + y**2
    round_ones = [np.exp(-squared / (2 * SIGMA**2))]
    round_ones += [(squared / (2 * s**2) - 1) * np.exp(-squared / (2 * s**2)) for s in (SIGMA, 3 * SIGMA)]
    bank = np.concatenate([edges, bars, round_ones])
    bank -= bank.mean(axis=(1, 2), keepdims=True)
    bank /= np.abs(bank).sum(axis=(1, 2), keepdims=True)
    return bank.astype(np.float32)


def responses(grey: npt.NDArray[np.uint8]) -> Floats:
    """Return the absolute responses of the 15 filters to an image (H, W) uint8: (15, H, W) float32 in [0, 1]."""
    plane = grey.astype(np.float32) / np.float32(255)
    out = np.empty((FILTERS, *grey.shape), np.float32)
    for response, kernel in zip(out, filter_bank(), strict=True):
        cv2.filter2D(plane, -1, kernel, response, borderType=cv2.BORDER_REPLICATE)
    return np.abs(out, out=out)
