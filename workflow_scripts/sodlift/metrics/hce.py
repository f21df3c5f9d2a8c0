"""Human correction efforts: how many clicks it takes to mend a binary map.

Source: X. Qin, H. Dai, X. Hu, D.-P. Fan, L. Shao, L. Van Gool, "Highly Accurate Dichotomous Image Segmentation", ECCV
2022, Algorithm 1, with its relaxation of 5 pixels and epsilon of 2 pixels. Errors along contours that are no wider than
the relaxation are forgiven, but for missing parts of the object's skeleton. Each error left is mended by clicking the
corners of the polygon along that part of its border where the true contour runs, or by one click where it has none.

A count: lower is better, and larger images have more. The map is binary at one half, ``x > 0.5`` after normalisation.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.arrays import Mask
from sodlift.errors import MissingDependencyError
from sodlift.metrics._base import ImageScore, Metric, always_defined, mean_over_images
from sodlift.metrics._pair import GroundTruth, Pair

RELAX = 5
"""A contour that is off by up to this many pixels is forgiven."""

EPSILON = 2.0
"""How far a border may run from its polygon, in pixels."""

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))

Points = npt.NDArray[np.int32]
"""Points (x, y) along a border: (K, 2)."""


def skeleton(mask: Mask) -> Mask:
    """Return the skeleton, one pixel thin, of a mask (H, W).

    Raises
    ------
    MissingDependencyError
        If scikit-image is not installed.
    """
    try:
        morphology: Any = import_module("skimage.morphology")  # here, since it is optional and slow to import
    except ImportError as cause:
        raise MissingDependencyError(
            "HCE needs the package scikit-image, which is not installed", mend="pip install 'sodlift[hce]'"
        ) from cause
    bones: Mask = morphology.skeletonize(mask)
    return bones


def human_correction_efforts(predicted: Mask, truth: GroundTruth, relax: int = RELAX, epsilon: float = EPSILON) -> int:
    """Return the number of clicks that mend a binary map.

    Parameters
    ----------
    predicted : (H, W) bool
        The binary map.
    truth : GroundTruth
        The ground truth, of the same size.
    relax, epsilon : int and float
        Tolerance of errors and of polygons, in pixels.

    Raises
    ------
    MissingDependencyError
        If scikit-image is not installed.
    """
    mask, bones = truth.mask, truth.part(skeleton)
    core = _eroded(predicted | mask, relax)
    surplus = _thick(predicted & ~mask, core, ~mask, relax)
    lack = _thick(mask & ~predicted, core, ~predicted, relax) | bones & ~predicted
    right = predicted & mask
    outside = ~(right | surplus | lack)
    return clicks(surplus, right | lack, epsilon) + clicks(lack, outside, epsilon)


def _eroded(mask: Mask, times: int) -> Mask:
    return cv2.erode(mask.astype(np.uint8), _CROSS, iterations=times) > 0


def _dilated(mask: Mask) -> Mask:
    return cv2.dilate(mask.astype(np.uint8), _CROSS) > 0


def _thick(wrong: Mask, core: Mask, room: Mask, times: int) -> Mask:
    """Return wrong pixels but for thin ones: those in the core, grown back ``times`` pixels within the room."""
    grown = wrong & core
    for _ in range(times):
        grown = _dilated(grown) & room
    return wrong & grown


def clicks(region: Mask, other: Mask, epsilon: float) -> int:
    """Count the clicks that mend a region of errors.

    Parameters
    ----------
    region : (H, W) bool
        The errors.
    other : (H, W) bool
        What they must be cut from: the true contour runs where their border touches this.
    epsilon : float
        How far the border may run from its polygon, in pixels.

    Returns
    -------
    int
        Corners of the polygons along the true contour, plus the components that have none of it.
    """
    values = region.astype(np.uint8)
    found, _ = cv2.findContours(values, cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)
    borders: list[Points] = [np.asarray(border, np.int32)[:, 0, :] for border in found]
    if not borders:
        return 0
    stretches, touched = _stretches(borders, _dilated(other))
    corners = sum(len(cv2.approxPolyDP(stretch[:, None, :], epsilon, closed=False)) for stretch in stretches)
    components, labels = cv2.connectedComponents(values, connectivity=8)
    with_contour = np.unique(labels[touched[:, 1], touched[:, 0]])
    return corners + components - 1 - len(with_contour)  # the background is a component too


def _stretches(borders: Sequence[Points], near: Mask) -> tuple[list[Points], Points]:
    """Cut borders into stretches of points in ``near``, each point at its first visit only; return all points too."""
    points = np.concatenate(borders)
    x, y = points.T
    first = np.zeros(len(points), bool)
    first[np.unique(y * near.shape[1] + x, return_index=True)[1]] = True
    taken = first & near[y, x]
    stretches: list[Points] = []
    ends = np.cumsum([len(border) for border in borders])
    for border, kept in zip(borders, np.split(taken, ends[:-1]), strict=True):
        stretches += _closed(_runs(border, kept))
    return stretches, points[taken]


def _runs(border: Points, kept: npt.NDArray[Any]) -> list[Points]:
    """Return the runs of consecutive points that are kept."""
    edges = np.flatnonzero(np.diff(kept, prepend=False, append=False))
    return [border[start:end] for start, end in edges.reshape(-1, 2)]


def _closed(runs: list[Points]) -> list[Points]:
    """Join the last run to the first where the border closes between them.

    The first is appended backwards, as the authors do: their published numbers count the polygon of that.
    """
    if len(runs) > 1 and np.abs(runs[0][0] - runs[-1][-1]).max() == 1:
        return [*runs[1:-1], np.concatenate((runs[-1], runs[0][::-1]))]
    return runs


class _Data(NamedTuple):
    predicted: Mask
    truth: GroundTruth


def _format(pair: Pair) -> _Data:
    return _Data(pair.binary, pair.truth)


def _update(data: _Data) -> ImageScore:
    return ImageScore({"HCE": float(human_correction_efforts(*data))})


METRIC = Metric(
    title="human correction efforts",
    source="Qin et al., ECCV 2022",
    order=80,
    names=("HCE",),
    image_names=("HCE",),
    validate=always_defined,
    format=_format,
    update=_update,
    compute=mean_over_images("HCE"),
    extra=True,
    on_empty=False,
)
