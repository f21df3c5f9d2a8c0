"""Connected superpixels: fragments become regions of their own or join a neighbour."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.superpixels.union_find import find_root

Labels = npt.NDArray[np.int32]


def connect(labels: npt.NDArray[Any], smallest: int) -> tuple[Labels, int]:
    """Relabel so that every region is 4-connected, merging components of at most ``smallest`` pixels.

    Components are met in raster order of their first pixel. A small one joins a neighbour met before it, looked for
    below, right of, above and left of its first pixel. The component at the origin has nobody before it: if it is
    small, its successors join it until together they are large.

    Parameters
    ----------
    labels : (H, W) integer
        Any labelling.
    smallest : int
        Largest size, in pixels, of a component that is merged.

    Returns
    -------
    labels : (H, W) int32
        0 to count - 1, in raster order of the regions' first pixels.
    count : int
        Number of regions.
    """
    out = np.empty(labels.shape, np.int32)
    parent, first, size = _parts(labels, out)
    region = np.empty(len(parent), np.int32)
    count = _settle(out, parent, first, size, smallest, region)
    _relabel(out, region)
    return out, count


@njit(cache=True)
def _parts(labels, out):  # type: ignore[no-untyped-def]
    """(1) Label components in two passes; return for each part its root, its first pixel and (at roots) its size.

    A part starts where a pixel differs from its left and its upper neighbour, and is followed by runs of one label;
    parts that meet are united under the older one, so that a component's root holds its first pixel.
    """
    height, width = labels.shape
    parent = np.empty(height * width, np.int32)
    first = np.empty(height * width, np.int32)
    size = np.empty(height * width, np.int32)
    parts = 0
    for y in range(height):
        row, out_row = labels[y], out[y]
        above, out_above = labels[max(0, y - 1)], out[max(0, y - 1)]
        start = 0
        while start < width:
            label = row[start]
            if y > 0 and above[start] == label:
                part = out_above[start]
            else:
                part = np.int32(parts)
                parent[part] = part
                first[part] = y * width + start
                size[part] = 0
                parts += 1
            stop, met = start, part
            while stop < width and row[stop] == label:
                if y > 0 and above[stop] == label and out_above[stop] != met:
                    met = out_above[stop]
                    r, s = find_root(parent, part), find_root(parent, met)
                    parent[max(r, s)] = min(r, s)
                out_row[stop] = part
                stop += 1
            size[part] += stop - start
            start = stop
    for part in range(parts):
        parent[part] = find_root(parent, part)
        if parent[part] != part:
            size[parent[part]] += size[part]
    return parent[:parts], first[:parts], size[:parts]


@njit(cache=True)
def _settle(parts, parent, first, size, smallest, region):  # type: ignore[no-untyped-def]
    """(2) Give large components a region each and small ones an older neighbour's, which is settled already."""
    count = 0
    seed = 0  # pixels of region 0 while it is the only one
    for part in range(len(parent)):
        if parent[part] != part:
            region[part] = region[parent[part]]
        elif count == 0 or (size[part] > smallest and (count > 1 or seed > smallest)):
            region[part] = count
            count += 1
            seed += size[part]
        else:
            region[part] = region[_older_neighbour(parts, parent, first[part], part)]
            seed += size[part]
    return count


@njit(cache=True)
def _relabel(out, region):  # type: ignore[no-untyped-def]
    """(3) Give each pixel its part's region, in place: on fresh memory it takes longer."""
    for row in out:
        for x in range(row.size):
            row[x] = region[row[x]]


@njit(cache=True)
def _older_neighbour(parts, parent, pixel, part):  # type: ignore[no-untyped-def]
    height, width = parts.shape
    y, x = pixel // width, pixel % width
    for ny, nx in ((y + 1, x), (y, x + 1), (y - 1, x), (y, x - 1)):
        if 0 <= ny < height and 0 <= nx < width and parent[parts[ny, nx]] < part:
            return parent[parts[ny, nx]]
    return 0
