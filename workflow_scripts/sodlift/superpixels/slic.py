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
    distance = np.empty((height, width), np.float32)
    for _ in range(iterations):
        distance.fill(np.inf)
        before = labels.copy()
        _assign(planes, centres, reach, np.float32((compactness / reach) ** 2), distance, labels)
        if np.array_equal(before, labels):
            break
        _update(planes, labels, centres)
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
    return centres, (row[:, None] * cols + col).astype(np.int32)


@njit(cache=True)
def _assign(planes, centres, reach, spatial, distance, labels):  # type: ignore[no-untyped-def]
    """(2) Give each pixel its nearest centre, the first on a tie, where -S <= x - floor(x_k), y - floor(y_k) < S."""
    height, width = labels.shape
    for k in range(centres.shape[0]):
        light, a, b, cy, cx = centres[k]
        top, bottom = max(0, int(cy) - reach), min(height, int(cy) + reach)
        left, right = max(0, int(cx) - reach), min(width, int(cx) + reach)
        for y in range(top, bottom):
            light_row, a_row, b_row = planes[0, y, left:right], planes[1, y, left:right], planes[2, y, left:right]
            distance_row, label_row = distance[y, left:right], labels[y, left:right]
            dy = np.float32(y) - cy
            dy *= dy
            for x in range(right - left):
                # (3) D = dL² + da² + db² + (dx² + dy²)·(m / S)²; selects instead of branches, so that it vectorises
                dl, da, db = light_row[x] - light, a_row[x] - a, b_row[x] - b
                dx = np.float32(x + left) - cx
                d = dl * dl + da * da + db * db + (dx * dx + dy) * spatial
                nearer = d < distance_row[x]
                distance_row[x] = d if nearer else distance_row[x]
                label_row[x] = k if nearer else label_row[x]


@njit(cache=True)
def _update(planes, labels, centres):  # type: ignore[no-untyped-def]
    """(4) Move each centre to the mean of its pixels; summed by runs of equal labels. A centre without pixels stays."""
    height, width = labels.shape
    sums = np.zeros((centres.shape[0], 6))
    for y in range(height):
        x = 0
        while x < width:
            k = labels[y, x]
            start = x
            light = a = b = 0.0
            while x < width and labels[y, x] == k:
                light += planes[0, y, x]
                a += planes[1, y, x]
                b += planes[2, y, x]
                x += 1
            run = x - start
            sums[k, 0] += light
            sums[k, 1] += a
            sums[k, 2] += b
            sums[k, 3] += y * run
            sums[k, 4] += run * (start + x - 1) * 0.5
            sums[k, 5] += run
    for k in range(centres.shape[0]):
        if sums[k, 5] > 0:
            for i in range(5):
                centres[k, i] = sums[k, i] / sums[k, 5]
