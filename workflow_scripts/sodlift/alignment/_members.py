"""How far superpixels belong to what boxes hold, rather than to what lies around it, by colour."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sodlift.alignment.proposals import Proposals

Floats = npt.NDArray[np.float32]

_ALIKE = 8.0
"""Deviation, in CIELAB, of colours that count as alike."""
_NEAR = 30.0
"""Deviation, in pixels, over which superpixels of like colours share what is known of them."""
_MIDDLE = 0.6
"""Share of a box's width and height that is its middle, where its object must be."""
_TOUCHED = 0.5
"""Factor on a box's worth for each side of the image that it touches."""
_STANDS_OUT = 0.5
"""Deviations above the mean from which a superpixel belongs to a box's object."""


class Members(NamedTuple):
    """Boxes' objects as superpixels.

    Attributes
    ----------
    belongs : (n, boxes) float32
        Above 0 where a superpixel belongs to the object of a box, below where it does not.
    worth : (boxes,) float32
        How likely boxes are to hold an object; sum 1, or all 0 where none stands out.
    """

    belongs: Floats
    worth: Floats


def members(
    proposals: Proposals, size: tuple[int, int], centres: npt.NDArray[np.float64], colours: npt.NDArray[np.float64]
) -> Members:
    """Return what superpixels with ``centres`` (n, 2), x and y, and CIELAB ``colours`` (n, 3) have of each box.

    A superpixel within a box belongs to it as its colour is frequent in the box's middle rather than around the box;
    neighbours of like colours share. A box is worth its score, times the distance in CIELAB between its middle and what
    is around it, less where it touches the border of an image of ``size`` (H, W).
    """
    corner, extent = proposals.boxes[:, None, :2], proposals.boxes[:, None, 2:]
    place = np.abs(centres - corner - extent / 2) * 2 / extent  # 0 in the middle of a box, 1 at its edges
    within, middle, around = ((place.max(axis=2) <= share) for share in (1, _MIDDLE, np.inf))
    around &= ~within
    alike = np.exp(-_squares(colours) / (2 * _ALIKE**2))
    own, other = (_means(where, alike) for where in (middle, around))
    belongs = within * own / np.maximum(own + other, 1e-6)
    near = alike * np.exp(-_squares(centres) / (2 * _NEAR**2))
    belongs = belongs @ near / near.sum(axis=0)
    belongs -= belongs.mean(axis=1, keepdims=True) + _STANDS_OUT * belongs.std(axis=1, keepdims=True)
    contrast = np.linalg.norm(_means(middle, colours) - _means(around, colours), axis=1)
    contrast *= middle.any(axis=1) & around.any(axis=1)
    low, high = proposals.boxes[:, :2], proposals.boxes[:, :2] + proposals.boxes[:, 2:]
    touched = (low <= 1).sum(axis=1) + (high >= np.array(size[::-1]) - 1).sum(axis=1)
    worth = proposals.scores * contrast * _TOUCHED**touched
    return Members(
        np.ascontiguousarray(belongs.T, dtype=np.float32), (worth / max(worth.sum(), 1e-9)).astype(np.float32)
    )


def _squares(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the squared distances between all points (n, k): (n, n)."""
    norms = np.einsum("nk,nk->n", points, points)
    return np.asarray(np.maximum(norms[:, None] + norms - 2 * points @ points.T, 0))


def _means(where: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean of ``values`` (n, k) over each row's members (rows, n); 0 of none."""
    return np.asarray(where @ values / np.maximum(where.sum(axis=1, keepdims=True), 1))
