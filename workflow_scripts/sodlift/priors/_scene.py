"""An image as the superpixels that GS, SF and MR work on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._canvas import Canvas, CanvasParams
from sodlift.superpixels.colour import lab_colours
from sodlift.superpixels.regions import Floats, Labels, centroids, means
from sodlift.superpixels.slic import slic


@dataclass(frozen=True)
class SceneParams(CanvasParams):
    """Parameters of the segmentation, at the values of the comparison in RBD's paper, and of the working image.

    Attributes
    ----------
    region_pixels : int
        Pixels of a superpixel.
    most_regions : int
        Upper limit on superpixels; above it they grow, since time is cubic or quadratic in their number.
    compactness : float
        SLIC's m.
    """

    region_pixels: int = 600
    most_regions: int = 500
    compactness: float = 20.0


@dataclass(frozen=True)
class Scene:
    """N superpixels of an image.

    Attributes
    ----------
    canvas : Canvas
        The working image.
    labels : (h, w) int32
        Superpixel of each of its pixels, 0 to N - 1.
    colours : (N, 3) float32
        CIELAB of the superpixels' mean RGB.
    positions : (N, 2) float64
        Their centroids, in image sides.
    flat : bool
        All superpixels have one colour: nothing can stand out.
    """

    canvas: Canvas
    labels: Labels
    colours: npt.NDArray[np.float32]
    positions: Floats
    flat: bool

    @classmethod
    def of(cls, image: Image8, params: SceneParams) -> "Scene":
        """Segment an image (H, W, 3) uint8 RGB."""
        canvas = Canvas.of(image, params.side, params.frame)
        height, width = canvas.image.shape[:2]
        regions = max(1, min(round(height * width / params.region_pixels), params.most_regions))
        labels, count = slic(canvas.image, regions, params.compactness)
        rgb = means(labels, count, canvas.image)
        positions = centroids(labels, count) / (height, width)
        return cls(canvas, labels, lab_colours(rgb), positions, bool(np.ptp(rgb, axis=0).max() == 0))

    @property
    def count(self) -> int:
        """Number of superpixels N."""
        return len(self.colours)

    def paint(self, values: npt.NDArray[Any]) -> FloatMap:
        """Return the map of the superpixels' values (N,), stretched to [0, 1]: (H, W) float32."""
        return self.canvas.paint(self.labels, values)
