"""What is measured on superpixels: means, centroids, border contact, and the way back to pixels.

Labels are ``(H, W) int32`` from 0 to N - 1, every one of them in use, as ``slic`` returns them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]


def means(labels: Labels, count: int, values: npt.NDArray[Any]) -> Floats:
    """Return the mean of ``values`` (H, W, C) over each region: (N, C) float64."""
    return np.asarray(_means(labels, count, values))


def centroids(labels: Labels, count: int) -> Floats:
    """Return the mean row and column of each region, in pixels: (N, 2) float64."""
    return np.asarray(_centroids(labels, count))


def border_regions(labels: Labels, count: int, band: int = 1) -> npt.NDArray[np.bool_]:
    """Return which regions have a pixel at most ``band`` pixels from the image's border: (N,) bool."""
    touching = np.zeros(count, bool)
    for strip in (labels[:band], labels[-band:], labels[:, :band], labels[:, -band:]):
        touching[strip] = True
    return touching


def to_pixels(labels: Labels, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Spread region values (N,) over their pixels: (H, W) float32."""
    return np.asarray(values.astype(np.float32)[labels])


@njit(cache=True)
def _means(labels, count, values):  # type: ignore[no-untyped-def]
    height, width, channels = values.shape
    totals = np.zeros((count, channels))
    pixels = np.zeros(count)
    for y in range(height):
        for x in range(width):
            k = labels[y, x]
            pixels[k] += 1
            for c in range(channels):
                totals[k, c] += values[y, x, c]
    for k in range(count):
        for c in range(channels):
            totals[k, c] /= pixels[k]
    return totals


@njit(cache=True)
def _centroids(labels, count):  # type: ignore[no-untyped-def]
    height, width = labels.shape
    totals = np.zeros((count, 2))
    pixels = np.zeros(count)
    for y in range(height):
        for x in range(width):
            k = labels[y, x]
            pixels[k] += 1
            totals[k, 0] += y
            totals[k, 1] += x
    for k in range(count):
        totals[k, 0] /= pixels[k]
        totals[k, 1] /= pixels[k]
    return totals
