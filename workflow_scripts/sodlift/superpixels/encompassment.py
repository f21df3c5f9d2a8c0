"""The encompassment scale of regions, and the merging of regions whose scale is small.

Source: Q. Yan, L. Xu, J. Shi, J. Jia, "Hierarchical Saliency Detection", CVPR 2013, section 3.1.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.superpixels.connectivity import Labels
from sodlift.superpixels.union_find import find_root


def encompassment_scales(labels: Labels, count: int) -> npt.NDArray[np.int32]:
    """Return the side of the largest square that fits into each region, in pixels: (N,) int32.

    The paper asks for one scale at a time, with box filters, whether a square fits; one pass answers for all scales.

    Parameters
    ----------
    labels : (H, W) int32
        Regions, 0 to count - 1; they need not be connected.
    count : int
        Number of regions N.
    """
    scales = np.zeros(count, np.int32)
    _scales(labels, scales)
    return scales


def merge_below(labels: Labels, count: int, colours: npt.NDArray[Any], scale: int) -> tuple[Labels, int]:
    """Merge regions until a square of ``scale`` pixels fits into each, or one region is left.

    The region of smallest scale, the first one on a tie, joins the touching region of nearest mean colour; the union
    has the mean colour of its pixels and the scale that it measures.

    Parameters
    ----------
    labels : (H, W) int32
        Regions, 0 to count - 1, every one of them in use.
    count : int
        Number of regions N.
    colours : (N, C)
        Their mean colours, in a space in which Euclidean distances are perceptual.
    scale : int
        Least encompassment scale of a region that is kept.

    Returns
    -------
    labels : (H, W) int32
        0 to count - 1.
    count : int
        Number of regions.
    """
    scales = encompassment_scales(labels, count)
    parent = np.arange(count, dtype=np.int32)
    _merge(labels, parent, scales, np.array(colours, np.float64), scale)
    kept = parent == np.arange(count)
    number = np.cumsum(kept, dtype=np.int32) - np.int32(1)
    return number[parent][labels], int(kept.sum())


@njit(cache=True)
def _scales(labels, scales):  # type: ignore[no-untyped-def]
    height, width = labels.shape
    above = np.zeros(width, np.int32)
    for y in range(height):
        left = corner = 0
        for x in range(width):
            k = labels[y, x]
            # the largest square whose lower right pixel is this one
            side = 1
            if y > 0 and x > 0 and labels[y, x - 1] == k and labels[y - 1, x] == k and labels[y - 1, x - 1] == k:
                side += min(left, above[x], corner)
            corner, above[x], left = above[x], side, side
            scales[k] = max(scales[k], side)


@njit(cache=True)
def _merge(labels, parent, scales, colours, scale):  # type: ignore[no-untyped-def]
    """Merge in place: ``parent`` tells for each region the one that it belongs to in the end."""
    links = _links(labels, len(parent))
    sizes, boxes = _extents(labels, len(parent))
    for level in range(1, scale):
        i = 0
        while i < len(parent):
            j = _nearest(i, parent, colours, links) if parent[i] == i and scales[i] == level else -1
            if j < 0:
                i += 1
                continue
            parent[i] = j
            heads, tails, _, behind = links
            behind[tails[j]], tails[j] = heads[i], tails[i]
            colours[j] = (sizes[i] * colours[i] + sizes[j] * colours[j]) / (sizes[i] + sizes[j])
            sizes[j] += sizes[i]
            boxes[j, :2] = np.minimum(boxes[i, :2], boxes[j, :2])
            boxes[j, 2:] = np.maximum(boxes[i, 2:], boxes[j, 2:])
            if scales[j] < scale:
                scales[j] = _scale_of(labels, parent, j, boxes[j], scale)
            # a union before this region that is still as small comes next
            i = j if j < i and scales[j] == level else i + 1
    for i in range(len(parent)):
        parent[i] = find_root(parent, i)


@njit(cache=True)
def _links(labels, count):  # type: ignore[no-untyped-def]
    """Return each region's neighbours as linked lists: heads, tails, labels, next; a neighbour may be in it twice."""
    height, width = labels.shape
    heads, tails = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    others, behind = np.empty(4 * labels.size, np.int32), np.full(4 * labels.size, -1, np.int32)
    used = 0
    for y in range(height):
        for x in range(width):
            k = labels[y, x]
            for ny, nx in ((y, x + 1), (y + 1, x)):
                if ny == height or nx == width or labels[ny, nx] == k:
                    continue
                other = labels[ny, nx]
                if heads[k] >= 0 and others[tails[k]] == other:
                    continue  # the same boundary goes on
                for a, b in ((k, other), (other, k)):
                    others[used] = b
                    if heads[a] < 0:
                        heads[a] = used
                    else:
                        behind[tails[a]] = used
                    tails[a] = used
                    used += 1
    return heads, tails, others, behind


@njit(cache=True)
def _extents(labels, count):  # type: ignore[no-untyped-def]
    """Return the pixels (N,) and the bounding boxes (N, 4) top, left, bottom, right of all regions."""
    height, width = labels.shape
    sizes, boxes = np.zeros(count), np.empty((count, 4), np.int32)
    boxes[:, 0], boxes[:, 1], boxes[:, 2:] = height, width, -1
    for y in range(height):
        for x in range(width):
            k = labels[y, x]
            sizes[k] += 1
            boxes[k, 0], boxes[k, 1] = min(boxes[k, 0], y), min(boxes[k, 1], x)
            boxes[k, 2], boxes[k, 3] = max(boxes[k, 2], y), max(boxes[k, 3], x)
    return sizes, boxes


@njit(cache=True)
def _nearest(i, parent, colours, links):  # type: ignore[no-untyped-def]
    """Return the neighbour of nearest colour, the first one listed on a tie, or -1 where region i has none."""
    heads, _, others, behind = links
    nearest, best = -1, np.inf
    link = heads[i]
    while link >= 0:
        j = find_root(parent, others[link])
        if j != i:
            distance = 0.0
            for c in range(colours.shape[1]):
                distance += (colours[i, c] - colours[j, c]) ** 2
            if distance < best:
                nearest, best = j, distance
        link = behind[link]
    return nearest


@njit(cache=True)
def _scale_of(labels, parent, k, box, enough):  # type: ignore[no-untyped-def]
    """Return the scale of merged region k, looked for within its box and no further than ``enough``."""
    top, first, bottom, last = box
    above = np.zeros(last - first + 1, np.int32)
    best = 0
    for y in range(top, bottom + 1):
        left = corner = 0
        for x in range(last - first + 1):
            side = 0
            if find_root(parent, labels[y, first + x]) == k:
                side = 1 + min(left, above[x], corner)
            corner, above[x], left = above[x], side, side
            best = max(best, side)
        if best >= enough:
            break
    return best
