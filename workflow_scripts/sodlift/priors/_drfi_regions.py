"""The regions that DRFI scores: many segmentations of an image, and the features of all their regions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sodlift.arrays import Image8, resize_image
from sodlift.priors._drfi_features import region_features
from sodlift.priors._drfi_pixels import measure
from sodlift.superpixels.connectivity import Labels
from sodlift.superpixels.felzenszwalb import segment, sorted_edges


@dataclass(frozen=True)
class RegionParams:
    """Parameters of the segmentations and of the features.

    Attributes
    ----------
    side : int
        Longest side of the working image, in pixels: a larger image is shrunk, since all scales below are in pixels.
    sigmas : tuple of float
        Smoothing before segmentation, in pixels.
    scales : tuple of (float, int)
        Scale of observation k and smallest region, in pixels; each is combined with each sigma.
    strip : float
        Width of the border strip, as a share of the longer side.
    reach : float
        Spatial reach of the contrast between regions, a squared length in image sides.
    """

    side: int = 400
    sigmas: tuple[float, ...] = (0.8, 0.9, 1.0)
    scales: tuple[tuple[float, int], ...] = ((100.0, 150), (200.0, 150), (300.0, 200), (450.0, 250), (600.0, 300))
    strip: float = 0.0375
    reach: float = 0.4


@dataclass(frozen=True)
class Level:
    """One segmentation of the working image.

    Attributes
    ----------
    labels : (H, W) int32
        Regions, 0 to N - 1.
    features : (N, 93) float32
        What ``region_features`` says of them.
    """

    labels: Labels
    features: npt.NDArray[np.float32]


def working_size(shape: tuple[int, int], side: int) -> tuple[int, int]:
    """Return height and width with a longest side of at most ``side`` pixels."""
    shrink = min(1.0, side / max(shape))
    return max(1, round(shape[0] * shrink)), max(1, round(shape[1] * shrink))


def levels(image: Image8, params: RegionParams) -> list[Level]:
    """Segment an image (H, W, 3) uint8 RGB in every way and describe the regions, finest scale first."""
    small = resize_image(image, working_size((image.shape[0], image.shape[1]), params.side))
    edges = [sorted_edges(small, sigma) for sigma in params.sigmas]
    segmentations = [segment(each, k, smallest) for k, smallest in params.scales for each in edges]
    features = region_features(measure(small), segmentations, params.strip, params.reach)
    return [Level(labels, rows) for (labels, _), rows in zip(segmentations, features, strict=True)]
