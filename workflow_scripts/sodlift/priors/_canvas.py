"""Where a superpixel method works, and how its values become a map of the whole image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8, resize, resize_image
from sodlift.priors._frame import Box, frame_box
from sodlift.priors._stretch import unit
from sodlift.superpixels.regions import Labels, to_pixels


@dataclass(frozen=True)
class CanvasParams:
    """Parameters of the working image.

    Attributes
    ----------
    side : int
        Longest side worked at, in pixels; larger images are shrunk.
    frame : int
        Widest artificial frame that is looked for and left out, in pixels; 0 looks for none.
    """

    side: int = 1000
    frame: int = 30


@dataclass(frozen=True)
class Canvas:
    """The working image: shrunk where it is very large, its frame left out.

    Attributes
    ----------
    image : (h, w, 3) uint8
        RGB, contiguous.
    box : (slice, slice)
        Where it lies in the shrunk image.
    shrunk, full : (int, int)
        Height and width of the shrunk image and of the original.
    """

    image: Image8
    box: Box
    shrunk: tuple[int, int]
    full: tuple[int, int]

    @classmethod
    def of(cls, image: Image8, side: int, frame: int = 0) -> "Canvas":
        """Prepare an image (H, W, 3) uint8 RGB.

        Parameters
        ----------
        image : (H, W, 3) uint8
            RGB.
        side : int
            Longest side worked at, in pixels; smaller images keep their size.
        frame : int
            Widest artificial frame that is looked for and left out, in pixels; 0 looks for none.
        """
        height, width = image.shape[:2]
        scale = min(1.0, side / max(height, width))
        shrunk = max(1, round(height * scale)), max(1, round(width * scale))
        working = resize_image(image, shrunk)
        box = frame_box(working, frame)
        return cls(np.ascontiguousarray(working[box]), box, shrunk, (height, width))

    def paint(self, labels: Labels, values: npt.NDArray[Any]) -> FloatMap:
        """Return the map of region values (N,), stretched to [0, 1]: (H, W) float32, zero in the frame."""
        out = np.zeros(self.shrunk, np.float32)
        out[self.box] = to_pixels(labels, unit(values))
        return resize(out, self.full)
