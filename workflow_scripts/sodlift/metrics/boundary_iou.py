"""Boundary IoU: the intersection over the union of two masks' inner boundaries.

Source: B. Cheng, R. Girshick, P. Dollár, A. C. Berg, A. Kirillov, "Boundary IoU: Improving Object-Centric Image
Segmentation Evaluation", CVPR 2021. A boundary is what an erosion takes off: the pixels of the mask that are at most
2 % of the image's diagonal away from its contour, the image's border counting as contour.

The map is binary at one half, ``x > 0.5`` after normalisation.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from sodlift.arrays import Mask
from sodlift.metrics._base import ImageScore, Metric, always_defined, mean_over_images
from sodlift.metrics._pair import GroundTruth, Pair

REACH = 0.02
"""Width of a boundary, as a share of the image's diagonal."""


def boundary_width(height: int, width: int) -> int:
    """Return the width of a boundary in pixels, at least 1; halves are rounded to even."""
    return max(1, round(REACH * math.hypot(height, width)))


def boundary(mask: Mask) -> Mask:
    """Return the pixels of a mask (H, W) that its erosion takes off.

    ``k`` erosions by a square of 3 x 3 are one by a square of side ``2k + 1``; beyond the image is background.
    """
    side = 2 * boundary_width(*mask.shape) + 1
    square = np.ones((side, side), np.uint8)
    eroded = cv2.erode(mask.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    taken: Mask = mask & (eroded == 0)
    return taken


def boundary_iou(predicted: Mask, truth: GroundTruth) -> float:
    """Return the boundary IoU, in [0, 1].

    It is 0 where both masks are empty, as the IoU is; a mask that is not empty has a boundary.

    Parameters
    ----------
    predicted : (H, W) bool
        The binary map.
    truth : GroundTruth
        The ground truth, of the same size.
    """
    ours, wanted = boundary(predicted), truth.part(boundary)
    union = np.count_nonzero(ours | wanted)
    return float(np.count_nonzero(ours & wanted) / union) if union else 0.0


class _Data(NamedTuple):
    predicted: Mask
    truth: GroundTruth


def _format(pair: Pair) -> _Data:
    return _Data(pair.binary, pair.truth)


def _update(data: _Data) -> ImageScore:
    return ImageScore({"BIoU": boundary_iou(*data)})


METRIC = Metric(
    title="boundary IoU",
    source="Cheng et al., CVPR 2021",
    order=70,
    names=("BIoU",),
    image_names=("BIoU",),
    validate=always_defined,
    format=_format,
    update=_update,
    compute=mean_over_images("BIoU"),
    extra=True,
    on_empty=False,
)
