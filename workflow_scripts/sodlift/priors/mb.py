"""MB: minimum barrier salient object detection.

Source: J. Zhang, S. Sclaroff, Z. Lin, X. Shen, B. Price, R. Mech, "Minimum Barrier Salient Object Detection at 80 FPS",
ICCV 2015: the distance transform of section 3, its sum over colour channels and the post-processing of section 4. With
the backgroundness cue on top it is MB+ (``mb_plus``).
"""

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._barrier import barrier_distance
from sodlift.priors._base import Prior
from sodlift.priors._raster import Raster, RasterParams, Steps, postprocess
from sodlift.priors._stretch import unit


@dataclass(frozen=True)
class MbParams(RasterParams):
    """Parameters of MB, at the reference's values: those of the working image and its own.

    Attributes
    ----------
    median : int
        Window of the median filter on each CIELAB channel (odd).
    sweeps : int
        Raster scans of the distance transform.
    midpoint : float or None
        Centre of the contrast sigmoid; None takes the mean of the classes above and below half the maximum, .5 is the
        paper's.
    """

    median: int = 5
    sweeps: int = 3
    midpoint: float | None = None


def barrier_map(rgb: Image8, params: MbParams) -> FloatMap:
    """Return the MB core of a working image (H, W, 3): barrier distances summed over CIELAB, (H, W) in [0, 1]."""
    # (1) 8-bit CIELAB, median filtered
    lab = cv2.medianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), params.median)
    # (2) B = Σ_channels MBD(channel)
    total = np.zeros(rgb.shape[:2], np.float32)
    for channel in cv2.split(lab):
        total += barrier_distance(np.asarray(channel, dtype=np.uint8), params.sweeps)
    return unit(total)


def midpoint(params: MbParams, smooth: FloatMap) -> float:
    """Return the centre of the contrast sigmoid for a smoothed map (H, W)."""
    if params.midpoint is not None:
        return params.midpoint
    # (3) the average of the mean values above and below half the maximum
    high = smooth >= 0.5 * smooth.max()
    return 0.5 * float(smooth[high].mean() + (smooth[~high].mean() if not high.all() else 0.0))


def _stages(rgb: Image8, params: MbParams) -> Steps:
    barrier = barrier_map(rgb, params)
    return {"barrier distance": barrier, **postprocess(barrier, params, partial(midpoint, params))}


def compute(image: Image8, params: MbParams) -> FloatMap:
    """Return the MB map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    raster = Raster.of(image, params)
    return raster.place(_stages(raster.rgb, params)["map"])


def steps(image: Image8, params: MbParams) -> Steps:
    """Return the barrier distance and the map after each step, (H, W) float32 in [0, 1]."""
    raster = Raster.of(image, params)
    return {name: raster.place(part) for name, part in _stages(raster.rgb, params).items()}


PRIOR = Prior("MB", "Zhang et al., ICCV 2015", MbParams, compute, steps)
