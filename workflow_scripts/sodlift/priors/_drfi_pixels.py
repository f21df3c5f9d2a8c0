"""What DRFI measures of pixels: colour and texture channels, and the bins of its five histograms."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.arrays import Image8
from sodlift.priors._lbp import lbp_codes
from sodlift.priors._texture import FILTERS, responses
from sodlift.superpixels.colour import lab_planes

COMPARED = 9 + FILTERS
"""Channels whose means are compared between regions: RGB, CIELAB, HSV and texture."""

CHANNELS = COMPARED + 3
"""Those, the LBP code, and the pixel's row and column."""

HISTOGRAMS = (512, 512, 512, FILTERS, 256)
"""Bins of the histograms: RGB, CIELAB and HSV at 8 levels a channel, strongest texture filter, LBP code."""


@dataclass(frozen=True)
class Pixels:
    """The measurements of an image.

    Attributes
    ----------
    channels : (H, W, 27) float32
        Red, green, blue; L, a, b; hue, saturation, value; 15 texture responses; LBP code; row, column. All about
        [0, 1], rows and columns in image sides.
    bins : (H, W, 5) int32
        Bin of each histogram, numbered through: RGB from 0, CIELAB from 512, HSV from 1024 and so on.
    """

    channels: npt.NDArray[np.float32]
    bins: npt.NDArray[np.int32]


def measure(image: Image8) -> Pixels:
    """Return the measurements of an image (H, W, 3) uint8 RGB."""
    height, width = image.shape[:2]
    rgb = image.astype(np.float32) / np.float32(255)
    channels = np.empty((height, width, CHANNELS), np.float32)
    channels[..., 0:3] = rgb
    # L, a and b over the 101 and 2 x 128 units that they span
    for c, plane in enumerate(lab_planes(image)):
        channels[..., 3 + c] = plane / np.float32(100) if c == 0 else (plane + np.float32(128)) / np.float32(256)
    channels[..., 6:9] = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    channels[..., 6] /= np.float32(360)
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    texture, codes = responses(grey), lbp_codes(grey)
    for c, plane in enumerate(texture):
        channels[..., 9 + c] = plane
    channels[..., COMPARED] = codes / np.float32(255)
    channels[..., COMPARED + 1] = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    channels[..., COMPARED + 2] = (np.arange(width, dtype=np.float32) + 0.5) / width
    levels = np.minimum(channels[..., :9] * np.float32(8), np.float32(7)).astype(np.int32)
    bins = np.empty((height, width, len(HISTOGRAMS)), np.int32)
    bins[..., :3] = levels[..., 0::3] * 64 + levels[..., 1::3] * 8 + levels[..., 2::3]
    bins[..., 3] = texture.argmax(axis=0)
    bins[..., 4] = codes
    bins += np.cumsum((0, *HISTOGRAMS[:-1]), dtype=np.int32)
    return Pixels(channels, bins)
