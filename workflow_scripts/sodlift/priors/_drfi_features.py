"""The 93 features of a region in DRFI.

Source: H. Jiang, J. Wang, Z. Yuan, Y. Wu, N. Zheng, S. Li, "Salient Object Detection: A Discriminative Regional Feature
Integration Approach", CVPR 2013, section 4.2: contrast to all other regions (29), to the border strip (29), and the
region's own properties (35).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.priors._drfi_pixels import CHANNELS, COMPARED, HISTOGRAMS, Pixels
from sodlift.superpixels.connectivity import Labels
from sodlift.superpixels.graph import adjacency

Matrix = npt.NDArray[np.float64]

CONTRASTS = COMPARED + len(HISTOGRAMS)
FEATURES = 2 * CONTRASTS + 35
_BINS = sum(HISTOGRAMS)
_BOUNDS = np.cumsum((0, *HISTOGRAMS))


def region_features(
    pixels: Pixels, segmentations: Sequence[tuple[Labels, int]], strip: float, reach: float
) -> list[npt.NDArray[np.float32]]:
    """Return the features of every region of every segmentation of one image.

    Parameters
    ----------
    pixels : Pixels
        The image.
    segmentations : sequence of (labels (H, W) int32, count)
        As ``felzenszwalb`` returns them.
    strip : float
        Width of the border strip, as a share of the longer side.
    reach : float
        Spatial reach of the contrast between regions: weights are exp(-d² / reach), d in image sides.

    Returns
    -------
    list of (N, 93) float32
        One for each segmentation. Columns 0-28 are the contrast to all regions, 29-57 the contrast to the border
        strip, each the differences of 24 means (RGB, CIELAB, HSV, texture) and of 5 histograms (RGB, CIELAB, HSV,
        texture, LBP); 58-92 are the properties: see ``_properties``.
    """
    border_mean, border_histogram = _border(pixels, strip)
    fragments, sums = _fragments(pixels, segmentations)
    out = []
    for (labels, count), names in zip(segmentations, fragments, strict=True):
        area, mean, variance = _moments(names, sums, count)
        histograms = _histograms(labels, pixels.bins, count)
        features = np.empty((count, FEATURES), np.float32)
        features[:, :CONTRASTS] = _contrast(area / labels.size, mean, histograms, _BOUNDS, reach)
        features[:, CONTRASTS : CONTRASTS + COMPARED] = np.abs(mean - border_mean)[:, :COMPARED]
        features[:, CONTRASTS + COMPARED : 2 * CONTRASTS] = _border_distances(histograms, border_histogram, _BOUNDS)
        features[:, 2 * CONTRASTS :] = _properties(labels, count, area, mean, variance)
        out.append(features)
    return out


def _border(pixels: Pixels, strip: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Return the means (27,) and the histogram (1807,) of the strip along the image's border."""
    height, width = pixels.bins.shape[:2]
    band = max(1, round(strip * max(height, width)))
    inside = np.zeros((height, width), bool)
    inside[band : height - band, band : width - band] = True
    chosen = pixels.bins[~inside]
    histogram = np.bincount(chosen.ravel(), minlength=_BINS) / len(chosen)
    return pixels.channels[~inside].mean(axis=0, dtype=np.float64), histogram.astype(np.float32)


def _fragments(pixels: Pixels, segmentations: Sequence[tuple[Labels, int]]) -> tuple[Labels, Matrix]:
    """Cut the image's rows where any segmentation changes; sums over these pieces serve all segmentations.

    Returns
    -------
    names : (S, F) int32
        Region of each fragment in each segmentation.
    sums : (F, 1 + 2 * 27) float64
        Pixels, and sums and sums of squares of the channels.
    """
    stack = np.stack([labels for labels, _ in segmentations])
    begins = np.ones(stack.shape[1:], bool)
    begins[:, 1:] = (stack[:, :, 1:] != stack[:, :, :-1]).any(axis=0)
    starts = np.flatnonzero(begins)
    return stack.reshape(len(stack), -1)[:, starts], _sums(starts, pixels.channels.reshape(-1, CHANNELS))


def _moments(names: npt.NDArray[np.int32], sums: Matrix, count: int) -> tuple[npt.NDArray[np.float64], Matrix, Matrix]:
    """Return area (N,) in pixels, and mean and variance (N, 27) of each region."""
    totals = _gather(names, sums, count)
    area = totals[:, 0]
    mean, square = totals[:, 1 : 1 + CHANNELS] / area[:, None], totals[:, 1 + CHANNELS :] / area[:, None]
    return area, mean, np.maximum(square - mean**2, 0)


def _properties(
    labels: Labels, count: int, area: npt.NDArray[np.float64], mean: Matrix, variance: Matrix
) -> npt.NDArray[np.float64]:
    """Return the 35 properties: (N, 35) float64.

    Centroid's column and row; their 10th and their 90th percentiles; perimeter; aspect ratio; variances of RGB, CIELAB,
    HSV, texture and LBP; area; area of the neighbours. Lengths in image sides, the perimeter in the image's, areas as
    shares of the image.
    """
    height, width = labels.shape
    percentiles, box, perimeter = _shapes(labels, count)
    out = np.empty((count, 35))
    out[:, 0:2] = mean[:, [CHANNELS - 1, CHANNELS - 2]]
    out[:, 2:6] = percentiles / (width, height, width, height)
    out[:, 6] = perimeter / (2 * (height + width))
    out[:, 7] = box[:, 0] / box[:, 1]
    out[:, 8:33] = variance[:, : COMPARED + 1]
    out[:, 33] = area / labels.size
    out[:, 34] = np.where(adjacency(labels, count), area / labels.size, 0.0).sum(axis=1)
    return out


@njit(cache=True)
def _sums(starts, channels):  # type: ignore[no-untyped-def]
    """Sum 1, the channels and their squares from each start to the next."""
    pixels, width = channels.shape
    out = np.zeros((len(starts), 1 + 2 * width))
    for i in range(len(starts)):
        stop = starts[i + 1] if i + 1 < len(starts) else pixels
        out[i, 0] = stop - starts[i]
        first, second = out[i, 1 : 1 + width], out[i, 1 + width :]
        for p in range(starts[i], stop):
            for c in range(width):
                value = np.float64(channels[p, c])
                first[c] += value
                second[c] += value * value
    return out


@njit(cache=True)
def _gather(names, sums, count):  # type: ignore[no-untyped-def]
    out = np.zeros((count, sums.shape[1]))
    for i in range(len(names)):
        row, total = sums[i], out[names[i]]
        for c in range(len(row)):
            total[c] += row[c]
    return out


@njit(cache=True)
def _histograms(labels, bins, count):  # type: ignore[no-untyped-def]
    """Return the histograms of each region, one behind the other, each of sum 1: (N, 1807) float32."""
    height, width, kinds = bins.shape
    out = np.zeros((count, _BINS), np.float32)
    size = np.zeros(count, np.float32)
    for y in range(height):
        for x in range(width):
            k = labels[y, x]
            size[k] += 1
            for h in range(kinds):
                out[k, bins[y, x, h]] += 1
    for k in range(count):
        for b in range(_BINS):
            out[k, b] /= size[k]
    return out


@njit(cache=True)
def _occupied(histograms, bounds):  # type: ignore[no-untyped-def]
    """Return the bins that are not empty, region by region, and where each histogram's begin: (N, 6) into them."""
    count, kinds = histograms.shape[0], len(bounds) - 1
    filled = np.empty(np.count_nonzero(histograms), np.int32)
    begins = np.empty((count, kinds + 1), np.int64)
    found = 0
    for i in range(count):
        for h in range(kinds):
            begins[i, h] = found
            for b in range(bounds[h], bounds[h + 1]):
                if histograms[i, b] > 0:
                    filled[found] = b
                    found += 1
        begins[i, kinds] = found
    return filled, begins


@njit(cache=True)
def _chi_squared(filled, one, other):  # type: ignore[no-untyped-def]
    """Return χ², Σ (a - b)² / 2(a + b) = 1 - Σ 2ab / (a + b) of histograms of sum 1; ``filled`` are bins of ``one``."""
    total = np.float32(0)
    for b in filled:
        total += one[b] * other[b] / (one[b] + other[b])
    return np.float32(1) - 2 * total


@njit(cache=True)
def _border_distances(histograms, border, bounds):  # type: ignore[no-untyped-def]
    """Return the χ² distances of each region's histograms to the border's: (N, 5) float32."""
    filled, begins = _occupied(histograms, bounds)
    out = np.empty((len(histograms), len(bounds) - 1), np.float32)
    for i in range(out.shape[0]):
        for h in range(out.shape[1]):
            out[i, h] = _chi_squared(filled[begins[i, h] : begins[i, h + 1]], histograms[i], border)
    return out


@njit(cache=True)
def _contrast(share, mean, histograms, bounds, reach):  # type: ignore[no-untyped-def]
    """Return Σ_j area_j exp(-d_ij² / reach) D(i, j) for each of the 29 differences D: (N, 29) float64."""
    filled, begins = _occupied(histograms, bounds)
    count, kinds = begins.shape[0], begins.shape[1] - 1
    out = np.zeros((count, COMPARED + kinds))
    for i in range(count):
        for j in range(i):
            dy, dx = mean[i, COMPARED + 1] - mean[j, COMPARED + 1], mean[i, COMPARED + 2] - mean[j, COMPARED + 2]
            near = np.exp(-(dy * dy + dx * dx) / reach)
            to_i, to_j = near * share[j], near * share[i]
            for c in range(COMPARED):
                d = abs(mean[i, c] - mean[j, c])
                out[i, c] += to_i * d
                out[j, c] += to_j * d
            for h in range(kinds):
                # over the bins of the histogram with fewer
                a, b = (i, j) if begins[i, h + 1] - begins[i, h] < begins[j, h + 1] - begins[j, h] else (j, i)
                d = _chi_squared(filled[begins[a, h] : begins[a, h + 1]], histograms[a], histograms[b])
                out[i, COMPARED + h] += to_i * d
                out[j, COMPARED + h] += to_j * d
    return out


@njit(cache=True)
def _shapes(labels, count):  # type: ignore[no-untyped-def]
    """Return percentiles (N, 4), box width and height (N, 2), and border pixels (N,), all in pixels.

    The percentiles are the columns and rows below which a tenth, and nine tenths, of the region's pixels lie. A border
    pixel has a 4-neighbour in another region or beyond the image.
    """
    height, width = labels.shape
    columns, rows = np.zeros((count, width), np.int32), np.zeros((count, height), np.int32)
    perimeter = np.zeros(count)
    for y in range(height):
        for x in range(width):
            k = labels[y, x]
            columns[k, x] += 1
            rows[k, y] += 1
            inner = 0 < y < height - 1 and 0 < x < width - 1
            if not (
                inner
                and labels[y - 1, x] == k
                and labels[y + 1, x] == k
                and labels[y, x - 1] == k
                and labels[y, x + 1] == k
            ):
                perimeter[k] += 1
    percentiles, box = np.empty((count, 4)), np.empty((count, 2))
    for k in range(count):
        for axis in range(2):
            line = columns[k] if axis == 0 else rows[k]
            low, high, extent = _spread(line)
            percentiles[k, axis], percentiles[k, 2 + axis], box[k, axis] = low, high, extent
    return percentiles, box, perimeter


@njit(cache=True)
def _spread(line):  # type: ignore[no-untyped-def]
    """Return the 10th and 90th percentile and the extent of counts along a line, in pixels."""
    total = line.sum()
    first = last = low = high = -1
    seen = 0
    for i in range(len(line)):
        if line[i] == 0:
            continue
        if first < 0:
            first = i
        last = i
        seen += line[i]
        if low < 0 and 10 * seen >= total:
            low = i
        if high < 0 and 10 * seen >= 9 * total:
            high = i
    return low + 0.5, high + 0.5, last + 1 - first
