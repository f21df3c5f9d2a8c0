"""FT: frequency-tuned saliency, also printed as IG.

Source: R. Achanta, S. Hemami, F. Estrada, S. Süsstrunk, "Frequency-tuned Salient Region Detection", CVPR 2009,
section 3.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._base import Prior
from sodlift.priors._stretch import unit
from sodlift.superpixels.colour import Planes, lab_planes


@dataclass(frozen=True)
class FtParams:
    """Parameters of FT, at the reference's values.

    Attributes
    ----------
    taps : int
        Width of the binomial filter, odd; 5 cuts off at the paper's π / 2.75.
    """

    taps: int = 5


def _offsets(image: Image8, params: FtParams) -> Planes:
    """Return how far each blurred pixel is from the image's mean in L, a and b: (3, H, W) float32."""
    planes = lab_planes(image)
    if (image == image[0, 0]).all():  # the mean of equal pixels is rounded and differs from them
        return np.zeros_like(planes)
    # (1) the mean of the image as it is, I_μ
    means = planes.mean(axis=(1, 2), dtype=np.float64).astype(np.float32)
    # (2) the image without noise and fine texture, I_ωhc: a binomial filter, which stands for a Gaussian
    kernel = binomial(params.taps)
    for plane, mean in zip(planes, means, strict=True):
        cv2.sepFilter2D(plane, cv2.CV_32F, kernel, kernel, dst=plane, borderType=cv2.BORDER_REPLICATE)
        np.subtract(plane, mean, out=plane)
    return planes


def binomial(taps: int) -> FloatMap:
    """Return the binomial coefficients that sum to one: (taps,) float32, [1, 4, 6, 4, 1] / 16 for five."""
    row = np.ones(1)
    for _ in range(taps - 1):
        row = np.convolve(row, [0.5, 0.5])
    return row.astype(np.float32)


def compute(image: Image8, params: FtParams) -> FloatMap:
    """Return the FT map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    # (3) S(x, y) = ‖I_μ - I_ωhc(x, y)‖ (eq. 4)
    return unit(_norms(_offsets(image, params)))


def steps(image: Image8, params: FtParams) -> dict[str, FloatMap]:
    """Return the maps that lead to the FT map, which is the last: name to (H, W) float32 in [0, 1]."""
    offsets = _offsets(image, params)
    channels = {name: unit(np.abs(plane)) for name, plane in zip(("L", "a", "b"), offsets, strict=True)}
    return {**channels, "map": unit(_norms(offsets))}


@njit(cache=True)
def _norms(planes):  # type: ignore[no-untyped-def]
    _, height, width = planes.shape
    out = np.empty((height, width), np.float32)
    for y in range(height):
        light, a, b, row = planes[0, y], planes[1, y], planes[2, y], out[y]
        for x in range(width):
            row[x] = np.sqrt(light[x] * light[x] + a[x] * a[x] + b[x] * b[x])
    return out


PRIOR = Prior("FT", "Achanta et al., CVPR 2009", FtParams, compute, steps)
