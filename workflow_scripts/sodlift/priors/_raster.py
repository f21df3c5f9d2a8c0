"""What the methods that work on pixels, MB, MB+ and MST, share: the working image, and what follows their cues.

Source: J. Zhang, S. Sclaroff, Z. Lin, X. Shen, B. Price, R. Mech, "Minimum Barrier Salient Object Detection at 80 FPS",
ICCV 2015, section 4.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8, resize
from sodlift.priors._frame import Box, frame_box
from sodlift.priors._morphology import open_close
from sodlift.priors._stretch import unit

Steps = dict[str, FloatMap]


@dataclass(frozen=True)
class RasterParams:
    """Parameters of the working image and of what follows the cues, at MB's values.

    Attributes
    ----------
    side : int
        Longer side of the working image, in pixels.
    frame : int
        Widest artificial frame that is looked for and left out, in pixels of the working image; 0 looks for none.
    smoothing : float
        Width of the morphological smoothing at a mean saliency of 1; grows with the square root of the mean.
    gain : float
        Slope of the contrast sigmoid.
    """

    side: int = 300
    frame: int = 20
    smoothing: float = 50.0
    gain: float = 10.0


@dataclass(frozen=True)
class Raster:
    """The working image and where it comes from.

    Attributes
    ----------
    rgb : (h, w, 3) uint8
        The image at the working size inside its frame, contiguous.
    box : (slice, slice)
        Where that lies in the resized image.
    size, full : (int, int)
        Height and width of the resized image and of the image itself.
    """

    rgb: Image8
    box: Box
    size: tuple[int, int]
    full: tuple[int, int]

    @classmethod
    def of(cls, image: Image8, params: RasterParams) -> "Raster":
        """Resize an image (H, W, 3) uint8 RGB and leave its frame out."""
        height, width = image.shape[:2]
        scale = params.side / max(height, width)
        size = (max(1, int(height * scale)), max(1, int(width * scale)))
        small = np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA), dtype=np.uint8)
        box = frame_box(small, params.frame)
        return cls(np.ascontiguousarray(small[box]), box, size, (height, width))

    def place(self, part: FloatMap) -> FloatMap:
        """Return a map (h, w) of the working image at the image's size: (H, W) in [0, 1], zero on the frame."""
        saliency = np.zeros(self.size, np.float32)
        saliency[self.box] = unit(part)
        # bilinear: a cubic filter overshoots, and the stretch would then lift the background
        return unit(resize(saliency, self.full))


def postprocess(cues: FloatMap, params: RasterParams, midpoint: Callable[[FloatMap], float]) -> Steps:
    """Return the cues' map (H, W) after the centre bias, after the smoothing and after the contrast step.

    ``midpoint`` gives the centre of the contrast sigmoid, from the smoothed map in [0, 1].
    """
    if np.ptp(cues) == 0:  # where nothing stands out, neither does the centre
        cues = np.zeros_like(cues)
    # (1) centredness
    centred = unit(cues * _centredness(*cues.shape))
    # (2) opening and closing by reconstruction, of width 50·sqrt(mean), on 8 bits; stretched again
    width = max(3, int(params.smoothing * float(centred.mean()) ** 0.5))
    smooth = unit(open_close(np.rint(centred * 255).astype(np.uint8), width))
    # (3) contrast 1 / (1 + exp(-10·(s - mid)))
    contrast = np.asarray(1 / (1 + np.exp(-params.gain * (smooth - midpoint(smooth)))), dtype=np.float32)
    return {"centre bias": centred, "smoothed": smooth, "map": contrast}


def whitening(covariance: npt.NDArray[np.float64], regularisation: float) -> npt.NDArray[np.float32]:
    """Return W with Wᵀ W = (Σ + regularisation·I)⁻¹ of a covariance Σ (3, 3): (3, 3) float32."""
    values, vectors = np.linalg.eigh(covariance + regularisation * np.eye(3))
    return np.asarray((vectors / np.sqrt(values)).T, dtype=np.float32)


@lru_cache(maxsize=8)
def _centredness(height: int, width: int) -> FloatMap:
    """Return 1 - mm(distance from the centre), drawn at 300x300 and stretched to (height, width)."""
    offset = np.arange(300, dtype=np.float32) - np.float32(149.5)
    square = 1 - unit(np.hypot(offset[:, None], offset[None, :]))
    return resize(square, (height, width))
