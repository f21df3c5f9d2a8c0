"""SLIC superpixels.

Source: R. Achanta, A. Shaji, K. Smith, A. Lucchi, P. Fua, S. Süsstrunk, "SLIC Superpixels Compared to
State-of-the-Art Superpixel Methods", TPAMI 2012, in the variant that the saliency literature of 2013-2015 runs: CIELAB
colours, seeds at cell centres without gradient perturbation, small fragments merged afterwards. No randomness: the
same image gives the same labels, bit for bit.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import Image8
from sodlift.superpixels.colour import Planes, lab_planes
from sodlift.superpixels.connectivity import Labels, connect

_Centres = npt.NDArray[np.float32]


def slic(image: Image8, regions: int, compactness: float = 20.0, iterations: int = 10) -> tuple[Labels, int]:
    """Segment an image into about ``regions`` superpixels.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    regions : int
        Number of superpixels asked for, at least 1; the number found is the grid's, less the merged ones.
    compactness : float
        Weight m of the spatial distance against the CIELAB distance.
    iterations : int
        Most rounds of assignment and update; stops early when no label changes.

    Returns
    -------
    labels : (H, W) int32
        Label of each pixel, 0 to count - 1; every region is 4-connected.
    count : int
        Number of regions.
    """
    return slic_lab(lab_planes(image), regions, compactness, iterations)


def slic_lab(planes: Planes, regions: int, compactness: float = 20.0, iterations: int = 10) -> tuple[Labels, int]:
    """Segment CIELAB planes (3, H, W) float32, as ``slic`` does an image; for callers who segment one image often."""
    height, width = planes.shape[1:]
    # (1) the grid's step, sqrt(HW / n): rounded where cells are laid out, cut off where it measures distances
    interval = (height * width / max(1, regions)) ** 0.5
    reach = max(1, int(interval))
    centres, labels = _cells(planes, max(1, round(interval)))
    _iterate(planes, centres, reach, np.float32((compactness / reach) ** 2), iterations, labels)
    return connect(labels, reach * reach // 4)


def _cells(planes: Planes, step: int) -> tuple[_Centres, Labels]:
    """Return a grid of floor(H/S) x floor(W/S) equal cells: centres (K, 5) float32 L, a, b, y, x, and labels (H, W)."""
    height, width = planes.shape[1:]
    rows, cols = max(1, height // step), max(1, width // step)
    y = np.floor((np.arange(rows) + 0.5) * height / rows + 0.5).astype(int).clip(max=height - 1)
    x = np.floor((np.arange(cols) + 0.5) * width / cols + 0.5).astype(int).clip(max=width - 1)
    yy, xx = (grid.ravel() for grid in np.meshgrid(y, x, indexing="ij"))
    centres = np.concatenate([planes[:, yy, xx], [yy], [xx]]).T.astype(np.float32)
    row, col = np.arange(height) * rows // height, np.arange(width) * cols // width
    return centres, (row * cols).astype(np.int32)[:, None] + col.astype(np.int32)


@njit(cache=True)
def _iterate(planes, centres, reach, spatial, iterations, labels):  # type: ignore[no-untyped-def]
    """Assign pixels to centres and move the centres, in turn, until no label changes."""
    distance = np.empty(labels.shape, np.float32)
    before = labels.copy()
    sums = _sums(planes, labels, len(centres))
    for i in range(iterations):
        _assign(planes, centres, reach, spatial, distance, labels)
        if i + 1 == iterations or not _carry(planes, before, labels, sums):
            break
        _move(sums, centres)
        before[:] = labels


@njit(cache=True)
def _assign(planes, centres, reach, spatial, distance, labels):  # type: ignore[no-untyped-def]
    """(2) Give each pixel its nearest centre, the first on a tie, where -S <= x - floor(x_k), y - floor(y_k) < S."""
    height, width = labels.shape
    distance[:] = np.inf
    squared = np.empty(2 * reach, np.float32)
    for k in range(centres.shape[0]):
        light, a, b, cy, cx = centres[k]
        label = np.int32(k)
        top, bottom = max(0, int(cy) - reach), min(height, int(cy) + reach)
        left, right = max(0, int(cx) - reach), min(width, int(cx) + reach)
        dx = squared[: right - left]
        for x in range(dx.size):
            dx[x] = np.float32(x + left) - cx
            dx[x] *= dx[x]
        for y in range(top, bottom):
            light_row, a_row, b_row = planes[0, y, left:right], planes[1, y, left:right], planes[2, y, left:right]
            distance_row, label_row = distance[y, left:right], labels[y, left:right]
            dy = np.float32(y) - cy
            dy *= dy
            for x in range(dx.size):
                # (3) D = dL² + da² + db² + (dx² + dy²)·(m / S)²; selects instead of branches, so that it vectorises
                dl, da, db = light_row[x] - light, a_row[x] - a, b_row[x] - b
                d = dl * dl + da * da + db * db + (dx[x] + dy) * spatial
                nearer = d < distance_row[x]
                distance_row[x] = d if nearer else distance_row[x]
                label_row[x] = label if nearer else label_row[x]


@njit(cache=True)
def _sums(planes, labels, count):  # type: ignore[no-untyped-def]
    """Return for each region the sums of L, a, b, y, x and 1 over its pixels: (K, 6) float64."""
    height, width = labels.shape
    sums = np.zeros((count, 6))
    for y in range(height):
        label_row, light_row, a_row, b_row = labels[y], planes[0, y], planes[1, y], planes[2, y]
        start = 0
        while start < width:  # by runs of equal labels: many additions in a row to one place in memory are slow
            k = label_row[start]
            stop = start
            light = a = b = 0.0
            while stop < width and label_row[stop] == k:
                light += light_row[stop]
                a += a_row[stop]
                b += b_row[stop]
                stop += 1
            run = stop - start
            total = sums[k]
            total[0] += light
            total[1] += a
            total[2] += b
            total[3] += y * run
            total[4] += run * (start + stop - 1) * 0.5
            total[5] += run
            start = stop
    return sums


@njit(cache=True)
def _carry(planes, before, labels, sums):  # type: ignore[no-untyped-def]
    """(4) Carry pixels whose label changed from one region's sums to another's; return whether there were any.

    After the first rounds they are few. CIELAB planes hold multiples of 2^-24, so that float64 sums are exact and
    nothing depends on the order.
    """
    height, width = labels.shape
    changed = np.empty(width, np.int64)
    any_changed = False
    for y in range(height):
        old, new = before[y], labels[y]
        count = 0
        for x in range(width):  # without branches, which nothing could predict
            changed[count] = x
            count += old[x] != new[x]
        any_changed |= count > 0
        light_row, a_row, b_row = planes[0, y], planes[1, y], planes[2, y]
        for x in changed[:count]:
            for total, sign in ((sums[old[x]], -1.0), (sums[new[x]], 1.0)):
                total[0] += sign * light_row[x]
                total[1] += sign * a_row[x]
                total[2] += sign * b_row[x]
                total[3] += sign * y
                total[4] += sign * x
                total[5] += sign
    return any_changed


@njit(cache=True)
def _move(sums, centres):  # type: ignore[no-untyped-def]
    """(5) Move each centre to the mean of its pixels; one without pixels stays."""
    for k in range(len(centres)):
        if sums[k, 5] > 0:
            for i in range(5):
                centres[k, i] = sums[k, i] / sums[k, 5]
