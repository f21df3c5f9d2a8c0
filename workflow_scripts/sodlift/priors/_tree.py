"""Minimum spanning tree of an image's pixels, and minimum barrier distances along it.

Sources: R. C. Prim, "Shortest Connection Networks and Some Generalizations", Bell System Technical Journal 36(6), 1957;
W.-C. Tu, S. He, Q. Yang, S.-Y. Chien, "Real-Time Salient Object Detection with a Minimum Spanning Tree", CVPR 2016.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Image8, Mask

Indices = npt.NDArray[np.int32]

_MET, _UNSEEN = -1, 256


@dataclass(frozen=True)
class Tree:
    """A spanning tree of the pixels of an image, laid out so that every pixel stands after its parent.

    Attributes
    ----------
    pixels : (N,) int32
        The pixels by their index in raster order, in the order in which Prim's algorithm met them.
    parents : (N,) int32
        Where in ``pixels`` the parent of each stands; 0 for the root, which stands first.
    """

    pixels: Indices
    parents: Indices


def spanning_tree(image: Image8) -> Tree:
    """Return a minimum spanning tree of an image's 4-connected pixels, grown from the upper left corner.

    An edge weighs the largest difference of its two pixels over the channels. Weights are whole numbers up to 255, so
    the waiting edges lie in one stack a weight, and the lightest is found without a heap. Of edges as light, the one
    that was met last comes first.

    Parameters
    ----------
    image : (H, W, C) uint8
        Any channels.
    """
    planes = np.ascontiguousarray(image.transpose(2, 0, 1))
    height, width = image.shape[:2]
    # a ring of pixels that count as met, so that the kernel never asks where the border is
    right, down = np.zeros((height + 2, width + 2), np.uint8), np.zeros((height + 2, width + 2), np.uint8)
    right[1:-1, 1:-2] = _largest_difference(planes[:, :, 1:], planes[:, :, :-1])
    down[1:-2, 1:-1] = _largest_difference(planes[:, 1:], planes[:, :-1])
    best = np.full((height + 2, width + 2), _MET, np.int16)
    best[1:-1, 1:-1] = _UNSEEN
    pixels, parents = np.empty(height * width, np.int32), np.empty(height * width, np.int32)
    _prim(right.ravel(), down.ravel(), best.ravel(), width + 2, pixels, parents)
    rows, columns = np.divmod(pixels, np.int32(width + 2))
    return Tree((rows - 1) * np.int32(width) + columns - 1, parents)


def tree_barrier(plane: Image8, seeds: Mask, tree: Tree) -> npt.NDArray[np.uint8]:
    """Return the minimum barrier distance of each pixel to the seeds along the tree.

    The cost of a path is the highest minus the lowest value on it. Two passes, from the leaves up and from the root
    down, let a pixel take over the path of a child and then of its parent where that is strictly cheaper. Each pixel
    keeps one path, as in the paper: a path that is not the cheapest of its pixel but would be of a later one is lost.
    The interval (0, 255) stands for "no path yet": no other interval is as long.

    Parameters
    ----------
    plane : (H, W) uint8
        One channel.
    seeds : (H, W) bool
        Where paths may end, at distance 0.
    tree : Tree
        Of an image of this size.

    Returns
    -------
    (H, W) uint8
        Distances, 255 everywhere where there is no seed.
    """
    out = np.empty(plane.shape, np.uint8)
    _barrier(plane.ravel()[tree.pixels], seeds.ravel()[tree.pixels], tree.pixels, tree.parents, out.ravel())
    return out


def _largest_difference(a: Image8, b: Image8) -> Image8:
    """Return the largest absolute difference over the channels of planes (C, H, W): (H, W) uint8."""
    return np.asarray((np.maximum(a, b) - np.minimum(a, b)).max(axis=0))


@njit(cache=True)
def _prim(right, down, best, stride, pixels, parents):  # type: ignore[no-untyped-def]
    """Fill ``pixels`` (indices in the padded planes) and ``parents``.

    ``right[p]`` weighs the edge from p to p + 1, ``down[p]`` from p to p + stride; ``best[p]`` is the weight of the
    lightest edge that waits to reach p. The stacks are doubly linked, so that a pixel moves to another in one step;
    index 0, a corner of the ring, ends them.
    """
    top = np.zeros(256, np.int32)
    below, above = np.zeros(best.size, np.int32), np.zeros(best.size, np.int32)
    source = np.zeros(best.size, np.int32)
    lightest = np.int32(0)
    pixel = stride + 1
    for place in range(pixels.size):
        best[pixel] = _MET
        pixels[place], parents[place] = pixel, source[pixel]
        for other, edge in (
            (pixel + 1, right[pixel]),
            (pixel - 1, right[pixel - 1]),
            (pixel + stride, down[pixel]),
            (pixel - stride, down[pixel - stride]),
        ):
            weight, before = np.int32(edge), best[other]
            if weight < before:
                if before != _UNSEEN:
                    _leave(before, other, top, below, above)
                best[other], source[other] = weight, place
                under = top[weight]
                below[other], above[other], above[under] = under, 0, other
                top[weight] = other
                lightest = min(lightest, weight)
        if place + 1 < pixels.size:
            while top[lightest] == 0:
                lightest += 1
            pixel = top[lightest]
            top[lightest] = below[pixel]
            above[below[pixel]] = 0


@njit(cache=True)
def _leave(weight, pixel, top, below, above):  # type: ignore[no-untyped-def]
    """Take a pixel out of the stack of its weight."""
    under, over = below[pixel], above[pixel]
    above[under] = over
    if over == 0:
        top[weight] = under
    else:
        below[over] = under


@njit(cache=True)
def _barrier(value, seed, pixels, parents, out):  # type: ignore[no-untyped-def]
    low = np.zeros(value.size, np.uint8)
    high = np.full(value.size, np.uint8(255))
    for i in range(value.size):
        if seed[i]:
            low[i] = high[i] = value[i]
    for i in range(value.size - 1, 0, -1):
        _take_over(value, low, high, parents[i], i)
    for i in range(1, value.size):
        _take_over(value, low, high, i, parents[i])
    for i in range(value.size):
        out[pixels[i]] = high[i] - low[i]


@njit(cache=True)
def _take_over(value, low, high, i, j):  # type: ignore[no-untyped-def]
    """Extend the interval of j by the value of i and let i have it where it is strictly shorter."""
    lo, hi = min(low[j], value[i]), max(high[j], value[i])
    if hi - lo < high[i] - low[i]:
        low[i], high[i] = lo, hi
