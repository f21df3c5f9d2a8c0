"""Graph segmentation that adapts to texture.

Source: P. Felzenszwalb, D. Huttenlocher, "Efficient Graph-Based Image Segmentation", IJCV 59(2), 2004, sections 3-5.
Several segmentations of one image share its smoothed, sorted edges, which cost as much as a segmentation. No
randomness: edges of equal weight keep the order of their pixels.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Image8
from sodlift.superpixels.connectivity import Labels
from sodlift.superpixels.union_find import find_root


@dataclass(frozen=True)
class Edges:
    """Edges between the 8-neighbours of an image of N pixels, by weight.

    Attributes
    ----------
    shape : (int, int)
        Height and width of the image.
    codes : (E,) int32
        4 * pixel + direction, pixels in raster order; directions are right, down, down right and up right.
    weights : (E,) float32
        Distances of the smoothed colours, in grey levels, ascending.
    """

    shape: tuple[int, int]
    codes: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]


def sorted_edges(image: Image8, sigma: float) -> Edges:
    """Return the edges of an image (H, W, 3) uint8 smoothed by a Gaussian of ``sigma`` pixels, 0 for none."""
    smooth = image.astype(np.float32)
    if sigma > 0:
        width = 2 * math.ceil(4 * sigma) + 1
        cv2.GaussianBlur(smooth, (width, width), sigma, smooth, borderType=cv2.BORDER_REPLICATE)
    codes, weights = _edges(smooth)
    codes, weights = _by_weight(codes, weights)
    return Edges((image.shape[0], image.shape[1]), codes, weights)


def segment(edges: Edges, k: float, smallest: int) -> tuple[Labels, int]:
    """Segment an image by its edges.

    Parameters
    ----------
    edges : Edges
        From ``sorted_edges``.
    k : float
        Scale of observation: the larger, the larger the regions. In grey levels times pixels.
    smallest : int
        Regions of fewer pixels are merged with the neighbour across their weakest edge.

    Returns
    -------
    labels : (H, W) int32
        0 to count - 1 in raster order of the regions' first pixels; every region is 8-connected.
    count : int
        Number of regions.
    """
    height, width = edges.shape
    steps = np.array([1, width, width + 1, 1 - width], np.int32)
    labels, count = _segment(edges.codes, edges.weights, steps, height * width, np.float32(k), smallest)
    return labels.reshape(edges.shape), count


def felzenszwalb(image: Image8, sigma: float, k: float, smallest: int) -> tuple[Labels, int]:
    """Segment an image (H, W, 3) uint8: labels (H, W) int32 and their number, see ``sorted_edges`` and ``segment``."""
    return segment(sorted_edges(image, sigma), k, smallest)


@njit(cache=True)
def _edges(smooth):  # type: ignore[no-untyped-def]
    """(1) Weight of an edge: Euclidean distance of its pixels' colours."""
    height, width, channels = smooth.shape
    most = 4 * height * width
    codes, weights = np.empty(most, np.int32), np.empty(most, np.float32)
    found = 0
    for y in range(height):
        for x in range(width):
            for direction, (dy, dx) in enumerate(((0, 1), (1, 0), (1, 1), (-1, 1))):
                ny, nx = y + dy, x + dx
                if ny < 0 or ny >= height or nx >= width:
                    continue
                total = np.float32(0)
                for c in range(channels):
                    d = smooth[y, x, c] - smooth[ny, nx, c]
                    total += d * d
                codes[found] = 4 * (y * width + x) + direction
                weights[found] = np.sqrt(total)
                found += 1
    return codes[:found], weights[:found]


@njit(cache=True)
def _by_weight(codes, weights):  # type: ignore[no-untyped-def]
    """Sort by weight, stable: three passes of 11 bits, since floats that are not negative sort as their bits do."""
    keys = weights.view(np.uint32)
    for shift in (0, 11, 22):
        starts = np.zeros(2049, np.int64)
        for i in range(len(keys)):
            starts[((keys[i] >> shift) & 2047) + 1] += 1
        for digit in range(2048):
            starts[digit + 1] += starts[digit]
        moved_keys, moved_codes = np.empty_like(keys), np.empty_like(codes)
        for i in range(len(keys)):
            digit = (keys[i] >> shift) & 2047
            moved_keys[starts[digit]] = keys[i]
            moved_codes[starts[digit]] = codes[i]
            starts[digit] += 1
        keys, codes = moved_keys, moved_codes
    return codes, keys.view(np.float32)


@njit(cache=True)
def _unite(parent, size, a, b):  # type: ignore[no-untyped-def]
    """Put the smaller of two roots below the larger, and return that."""
    if size[a] < size[b]:
        a, b = b, a
    parent[b] = a
    size[a] += size[b]
    return a


@njit(cache=True)
def _segment(codes, weights, steps, pixels, k, smallest):  # type: ignore[no-untyped-def]
    parent, size = np.arange(pixels, dtype=np.int32), np.ones(pixels, np.int32)
    bound = np.full(pixels, k, np.float32)
    refused, count = np.empty(len(codes), np.int32), 0
    # (2) an edge joins two regions unless it is heavier than MInt = min(Int(C) + k / |C|); edges come in ascending
    # order, so that the heaviest inside a region, Int(C), is the one that joined it last
    for i in range(len(codes)):
        pixel = codes[i] >> 2
        a, b = find_root(parent, pixel), find_root(parent, pixel + steps[codes[i] & 3])
        if a == b:
            continue
        if weights[i] <= bound[a] and weights[i] <= bound[b]:
            a = _unite(parent, size, a, b)
            bound[a] = weights[i] + k / np.float32(size[a])
        else:
            refused[count] = codes[i]
            count += 1
    # (3) small regions join the neighbour across their weakest edge
    for code in refused[:count]:
        pixel = code >> 2
        a, b = find_root(parent, pixel), find_root(parent, pixel + steps[code & 3])
        if a != b and min(size[a], size[b]) < smallest:
            _unite(parent, size, a, b)
    labels, names, regions = np.empty(pixels, np.int32), np.full(pixels, -1, np.int32), 0
    for pixel in range(pixels):
        root = find_root(parent, pixel)
        if names[root] < 0:
            names[root] = regions
            regions += 1
        labels[pixel] = names[root]
    return labels, regions
