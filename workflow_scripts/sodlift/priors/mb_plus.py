"""MB+: minimum barrier saliency with the appearance-based backgroundness cue.

Source: J. Zhang, S. Sclaroff, Z. Lin, X. Shen, B. Price, R. Mech, "Minimum Barrier Salient Object Detection at 80 FPS",
ICCV 2015, section 4.
"""

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numba import njit

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._base import Prior
from sodlift.priors._raster import Raster, Steps, postprocess, whitening
from sodlift.priors._stretch import unit
from sodlift.priors.mb import MbParams, barrier_map, midpoint


@dataclass(frozen=True)
class MbPlusParams(MbParams):
    """Parameters of MB+, at the reference's values: those of MB and two of the backgroundness cue.

    Attributes
    ----------
    strip : float
        Width of the four border strips, as a share of the image's side.
    regularisation : float
        Added to the diagonal of a strip's colour covariance, in squared grey levels.
    """

    strip: float = 0.1
    regularisation: float = 50.0


def backgroundness(rgb: Image8, params: MbPlusParams) -> FloatMap:
    """Return how far each pixel's colour is from the border's: (H, W) float32 in [0, 1].

    Parameters
    ----------
    rgb : (H, W, 3) uint8
        The working image.
    params : MbPlusParams
        Uses ``strip`` and ``regularisation``.
    """
    height, width = rgb.shape[:2]
    dy, dx = max(1, round(params.strip * height)), max(1, round(params.strip * width))
    planes = np.stack(cv2.split(rgb))
    distances = np.empty((4, height, width), np.float32)
    for strip, out in zip((rgb[:dy], rgb[-dy:], rgb[:, :dx], rgb[:, -dx:]), distances, strict=True):
        # (1) a Gaussian of the strip's colours, whitened: z = Λ^(-1/2) Vᵀ (x - μ), distance ‖z‖₁
        mean, covariance = _moments(np.ascontiguousarray(strip))
        _whitened_l1(planes, mean.astype(np.float32), whitening(covariance, params.regularisation), out)
    # (2) each stretched to [0, 1]; the sum of the four without the largest, so that one strip may hold the object
    low, high = distances.min(axis=(1, 2)), distances.max(axis=(1, 2))
    total = np.empty((height, width), np.float32)
    _sum_without_largest(distances, low, np.maximum(high - low, np.float32(1e-12)), total)
    return unit(total)


def _stages(rgb: Image8, params: MbPlusParams) -> Steps:
    # (3) the core of MB plus the backgroundness of the median-filtered colours; unfiltered, single noisy pixels set the
    # stretch of (2). Centre bias, smoothing and contrast follow as in MB
    filtered = np.asarray(cv2.medianBlur(rgb, params.median), dtype=np.uint8)
    barrier, ground = barrier_map(rgb, params), backgroundness(filtered, params)
    total = barrier + ground
    cues = {"barrier distance": barrier, "backgroundness": ground, "sum": total}
    return {**cues, **postprocess(total, params, partial(midpoint, params))}


def compute(image: Image8, params: MbPlusParams) -> FloatMap:
    """Return the MB+ map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    raster = Raster.of(image, params)
    return raster.place(_stages(raster.rgb, params)["map"])


def steps(image: Image8, params: MbPlusParams) -> Steps:
    """Return both cues, their sum and the map after each step, (H, W) float32 in [0, 1]."""
    raster = Raster.of(image, params)
    return {name: raster.place(part) for name, part in _stages(raster.rgb, params).items()}


@njit(cache=True)
def _moments(colours):  # type: ignore[no-untyped-def]
    """Return mean (3,) and covariance (3, 3) of uint8 colours (..., 3), from exact integer sums."""
    first = np.zeros(3, np.int64)
    second = np.zeros((3, 3), np.int64)
    flat = colours.reshape(-1, 3)
    for i in range(flat.shape[0]):
        for c in range(3):
            first[c] += flat[i, c]
            for e in range(c + 1):
                second[c, e] += np.int64(flat[i, c]) * flat[i, e]
    n = flat.shape[0]
    mean, covariance = first / n, np.zeros((3, 3))
    for c in range(3):
        for e in range(c + 1):
            covariance[c, e] = covariance[e, c] = (second[c, e] - mean[c] * first[e]) / max(1, n - 1)
    return mean, covariance


@njit(cache=True)
def _whitened_l1(planes, mean, whitening, out):  # type: ignore[no-untyped-def]
    for y in range(out.shape[0]):
        red, green, blue, row = planes[0, y], planes[1, y], planes[2, y], out[y]
        for x in range(out.shape[1]):
            r, g, b = np.float32(red[x]) - mean[0], np.float32(green[x]) - mean[1], np.float32(blue[x]) - mean[2]
            row[x] = (
                abs(whitening[0, 0] * r + whitening[0, 1] * g + whitening[0, 2] * b)
                + abs(whitening[1, 0] * r + whitening[1, 1] * g + whitening[1, 2] * b)
                + abs(whitening[2, 0] * r + whitening[2, 1] * g + whitening[2, 2] * b)
            )


@njit(cache=True)
def _sum_without_largest(distances, low, span, out):  # type: ignore[no-untyped-def]
    for y in range(out.shape[0]):
        first, second, third, fourth, row = distances[0, y], distances[1, y], distances[2, y], distances[3, y], out[y]
        for x in range(out.shape[1]):
            a, b = (first[x] - low[0]) / span[0], (second[x] - low[1]) / span[1]
            c, d = (third[x] - low[2]) / span[2], (fourth[x] - low[3]) / span[3]
            row[x] = a + b + c + d - max(a, b, c, d)


PRIOR = Prior("MB+", "Zhang et al., ICCV 2015", MbPlusParams, compute, steps)
