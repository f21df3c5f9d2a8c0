"""MB: minimum barrier salient object detection.

Source: J. Zhang, S. Sclaroff, Z. Lin, X. Shen, B. Price, R. Mech, "Minimum Barrier Salient Object Detection at 80 FPS",
ICCV 2015: the distance transform of section 3, its sum over colour channels and the post-processing of section 4. With
the backgroundness cue on top it is MB+ (``mb_plus``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from sodlift.arrays import FloatMap, Image8, resize
from sodlift.priors._barrier import barrier_distance
from sodlift.priors._base import Prior
from sodlift.priors._frame import Box, frame_box
from sodlift.priors._morphology import open_close
from sodlift.priors._stretch import unit

Steps = dict[str, FloatMap]


@dataclass(frozen=True)
class MbParams:
    """Parameters of MB, at the reference's values.

    Attributes
    ----------
    side : int
        Longer side of the working image, in pixels.
    remove_frame : bool
        Look for an artificial frame and leave it out.
    median : int
        Window of the median filter on each CIELAB channel (odd).
    sweeps : int
        Raster scans of the distance transform.
    smoothing : float
        Width of the morphological smoothing at a mean saliency of 1; grows with the square root of the mean.
    gain : float
        Slope of the contrast sigmoid.
    midpoint : float or None
        Its centre; None takes the mean of the classes above and below half the maximum, .5 is the paper's.
    """

    side: int = 300
    remove_frame: bool = True
    median: int = 5
    sweeps: int = 3
    smoothing: float = 50.0
    gain: float = 10.0
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


def postprocess(saliency: FloatMap, params: MbParams) -> Steps:
    """Return a core map (H, W) after the centre bias, after the smoothing and after the contrast step."""
    # (3) centredness
    centred = unit(saliency * _centredness(*saliency.shape))
    # (4) opening and closing by reconstruction, of width 50·sqrt(mean), on 8 bits; stretched again
    width = max(3, int(params.smoothing * float(centred.mean()) ** 0.5))
    smooth = unit(open_close(np.rint(centred * 255).astype(np.uint8), width))
    # (5) contrast 1 / (1 + exp(-10·(s - mid)))
    mid = params.midpoint if params.midpoint is not None else _class_midpoint(smooth)
    contrast = np.asarray(1 / (1 + np.exp(-params.gain * (smooth - mid))), dtype=np.float32)
    return {"centre bias": centred, "smoothed": smooth, "map": contrast}


@dataclass(frozen=True)
class Framed:
    """What is computed inside an image's frame, on the working image.

    Attributes
    ----------
    inside : dict of str to (h, w) float32
        The maps by name, in order; the last is the method's.
    box : (slice, slice)
        Where they lie in the working image.
    working, size : (int, int)
        Height and width of the working image and of the image itself.
    """

    inside: Steps
    box: Box
    working: tuple[int, int]
    size: tuple[int, int]

    def place(self, name: str) -> FloatMap:
        """Return a map at the image's size, (H, W) in [0, 1], zero on the frame."""
        saliency = np.zeros(self.working, np.float32)
        saliency[self.box] = unit(self.inside[name])
        # (6) bilinear: a cubic filter overshoots, and the stretch would then lift the background
        return unit(resize(saliency, self.size))


def framed(image: Image8, params: MbParams, core: Callable[[Image8], Steps]) -> Framed:
    """Return the maps of ``core`` on the working image inside the frame, the last of them post-processed."""
    height, width = image.shape[:2]
    scale = params.side / max(height, width)
    working = (max(1, int(height * scale)), max(1, int(width * scale)))
    small = np.asarray(cv2.resize(image, working[::-1], interpolation=cv2.INTER_AREA), dtype=np.uint8)
    box = frame_box(small) if params.remove_frame else (slice(0, working[0]), slice(0, working[1]))
    inside = core(np.ascontiguousarray(small[box]))
    last = list(inside.values())[-1]
    # where nothing stands out, neither does the centre
    steps = postprocess(last if np.ptp(last) > 0 else np.zeros_like(last), params)
    return Framed({**inside, **steps}, box, working, (height, width))


def _stages(image: Image8, params: MbParams) -> Framed:
    return framed(image, params, lambda rgb: {"barrier distance": barrier_map(rgb, params)})


def compute(image: Image8, params: MbParams) -> FloatMap:
    """Return the MB map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    return _stages(image, params).place("map")


def steps(image: Image8, params: MbParams) -> Steps:
    """Return the barrier distance and the map after each step, (H, W) float32 in [0, 1]."""
    stages = _stages(image, params)
    return {name: stages.place(name) for name in stages.inside}


@lru_cache(maxsize=8)
def _centredness(height: int, width: int) -> FloatMap:
    """Return 1 - mm(distance from the centre), drawn at 300x300 and stretched to (height, width)."""
    offset = np.arange(300, dtype=np.float32) - np.float32(149.5)
    square = 1 - unit(np.hypot(offset[:, None], offset[None, :]))
    return resize(square, (height, width))


def _class_midpoint(saliency: FloatMap) -> float:
    """Return the average of the mean values above and below half the maximum."""
    high = saliency >= 0.5 * saliency.max()
    return 0.5 * float(saliency[high].mean() + (saliency[~high].mean() if not high.all() else 0.0))


PRIOR = Prior("MB", "Zhang et al., ICCV 2015", MbParams, compute, steps)
