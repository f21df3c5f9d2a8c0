"""BL: bootstrap learning, in which an image's weak saliency map trains the classifier that improves it.

Source: N. Tong, H. Lu, X. Ruan, M.-H. Yang, "Salient Object Detection via Bootstrap Learning", CVPR 2015.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import FloatMap, Image8, resize, resize_image
from sodlift.priors._base import Prior
from sodlift.priors._boosted_svm import boosted_scores
from sodlift.priors._grid_cut import source_side
from sodlift.priors._lbp import UNIFORM_BINS, lbp_codes, uniform_bins
from sodlift.priors._stretch import unit
from sodlift.superpixels.colour import lab_colours, lab_planes
from sodlift.superpixels.connectivity import Labels
from sodlift.superpixels.graph import Matrix, pairwise_distances
from sodlift.superpixels.regions import border_regions, centroids, means, to_pixels
from sodlift.superpixels.slic import slic_lab

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BlParams:
    """Parameters of BL, at the reference's values.

    Attributes
    ----------
    work_side : int
        Longer side that larger images are reduced to, in pixels.
    regions : sequence of int
        Superpixels of each scale.
    compactness : float
        SLIC's m.
    centre : float
        Strength of the centre prior; 0 has none.
    dark_patch : int
        Side of the dark channel's patch, in pixels.
    dark_border : float
        Mean inverted dark channel of the image's border above which the dark channel says nothing, and is left out.
    cut_scale : float
        Capacity of a certain pixel's terminal, and of the edge between two equal pixels.
    cut_blur : float
        Sigma of the 5 x 5 Gaussian before a cut, in pixels.
    cut_border : float
        Share of border pixels in the foreground above which a cut is left out.
    cut_mean : float
        Mean saliency above which a cut is left out.
    positive : float
        Weak saliency of a positive sample, at least; a multiple of the image's mean.
    negative : float
        Weak saliency below which a sample is negative.
    rounds : int
        Most rounds of boosting.
    guided_radius : int
        Radius of the guided filter, in pixels.
    guided_eps : float
        Its regularisation, in squared grey levels of [0, 1].
    strong_weight : float
        Weight of the strong map in the result; the weak map has the rest.
    """

    work_side: int = 400
    regions: Sequence[int] = (100, 150, 200, 250)
    compactness: float = 20.0
    centre: float = 2.0
    dark_patch: int = 5
    dark_border: float = 0.8
    cut_scale: float = 300.0
    cut_blur: float = 5**0.5
    cut_border: float = 0.2
    cut_mean: float = 0.8
    positive: float = 1.5
    negative: float = 0.05
    rounds: int = 10
    guided_radius: int = 7
    guided_eps: float = 0.1
    strong_weight: float = 0.7


class _Pixels(NamedTuple):
    """What is measured on the image once, for all scales."""

    rgb: Image8
    grey: npt.NDArray[np.uint8]
    patterns: npt.NDArray[np.uint8]
    dark: FloatMap
    right: npt.NDArray[np.int32]
    down: npt.NDArray[np.int32]


class _Scale(NamedTuple):
    """One segmentation: labels, their number, which of them are at the border, and the regions' three features."""

    labels: Labels
    regions: int
    border: npt.NDArray[np.bool_]
    rgb: Floats
    lab: Floats
    texture: Floats


def _pixels(rgb: Image8, params: BlParams) -> _Pixels:
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    # (1) dark channel: the least of all channels in a patch, inverted; objects are often darker or more colourful
    least = cv2.erode(rgb.min(axis=2), np.ones((params.dark_patch, params.dark_patch), np.uint8))
    dark = np.float32(1) - least.astype(np.float32) / np.float32(255)
    right, down = (_bonds(rgb, axis, params.cut_scale) for axis in (1, 0))
    return _Pixels(rgb, grey, uniform_bins()[lbp_codes(grey)], dark, right, down)


def _bonds(rgb: Image8, axis: int, scale: float) -> npt.NDArray[np.int32]:
    """Return the capacity between each pixel and the next along ``axis``, scale / (1 + ‖Δrgb‖): (H, W) int32."""
    steps = np.diff(rgb.astype(np.float32), axis=axis, append=0)
    return np.asarray(np.rint(scale / (1 + np.sqrt((steps * steps).sum(axis=2)))), dtype=np.int32)


def _scale(pixels: _Pixels, planes: npt.NDArray[np.float32], regions: int, params: BlParams) -> _Scale:
    labels, count = slic_lab(planes, regions, params.compactness)
    rgb = means(labels, count, pixels.rgb)
    bins = labels.ravel().astype(np.int64) * UNIFORM_BINS + pixels.patterns.ravel()
    texture = np.bincount(bins, minlength=count * UNIFORM_BINS).reshape(count, UNIFORM_BINS).astype(np.float64)
    texture /= texture.sum(axis=1, keepdims=True)
    return _Scale(labels, count, border_regions(labels, count), rgb, lab_colours(rgb).astype(np.float64), texture)


def chi_square(histograms: Floats) -> Matrix:
    """Return the distances ½ Σ (a - b)² / (a + b) between N histograms (N, B): (N, N) float64."""
    return np.asarray(_chi_square(histograms))


def _weak_regions(pixels: _Pixels, scale: _Scale, params: BlParams) -> FloatMap:
    """Return the weak saliency of one scale's regions (section 3.1): (N,) in [0, 1]."""
    # (2) difference of two regions: the mean of three, each stretched over the image's pairs
    distances = (pairwise_distances(scale.rgb) ** 2, pairwise_distances(scale.lab) ** 2, chi_square(scale.texture))
    difference = np.stack([unit(distance) for distance in distances]).mean(axis=0, dtype=np.float64)
    # (3) contrast to the border, Σ_B -log(1 - D); a difference of 1, the largest in all three, must stay finite
    contrast = np.asarray(-np.log(np.maximum(1 - difference[:, scale.border], 1e-6)).sum(axis=1))
    # (4) times a centre prior exp(-k ‖r‖²), r in half image sides, and the dark channel
    offset = 2 * centroids(scale.labels, scale.regions) / scale.labels.shape - 1
    prior = np.exp(-params.centre * (offset**2).sum(axis=1))
    rim = np.concatenate([pixels.dark[0], pixels.dark[-1], pixels.dark[:, 0], pixels.dark[:, -1]])
    if rim.mean() <= params.dark_border:
        prior *= np.exp(means(scale.labels, scale.regions, pixels.dark[..., None])[:, 0])
    return unit(contrast * prior)


def _cut(pixels: _Pixels, saliency: FloatMap, params: BlParams) -> FloatMap:
    """Return a map (H, W) with its foreground under a graph cut added, stretched; left as it is where the cut fails."""
    # (5) a pixel's terminals have capacities s and 1 - s, its edges 1 / (1 + colour difference); integers, so that the
    # cut is exact
    blurred = cv2.GaussianBlur(saliency, (5, 5), params.cut_blur)
    terminal = np.rint(params.cut_scale * (2 * blurred - 1)).astype(np.int32)
    foreground = source_side(terminal, pixels.right, pixels.down)
    rim = np.concatenate([foreground[0], foreground[-1], foreground[:, 0], foreground[:, -1]])
    if rim.mean() > params.cut_border or saliency.mean() > params.cut_mean:
        return saliency
    return unit(saliency + foreground)


def _combined(pixels: _Pixels, scales: Sequence[_Scale], values: Sequence[FloatMap], params: BlParams) -> FloatMap:
    """Return the stretched sum over the scales of their region values, each cut: (H, W)."""
    total = np.zeros(pixels.grey.shape, np.float32)
    for scale, value in zip(scales, values, strict=True):
        total += _cut(pixels, to_pixels(scale.labels, value), params)
    return unit(total)


def _classes(scale: _Scale, weak: FloatMap, params: BlParams) -> Floats:
    """Return which regions are positive (1) and negative (-1) samples; 0 is neither (section 3.2): (N,)."""
    # (6) the threshold of positives follows the image; all of the border is background
    saliency = means(scale.labels, scale.regions, weak[..., None])[:, 0]
    positive = saliency >= params.positive * weak.mean(dtype=np.float64)
    negative = (saliency < params.negative) | scale.border
    return np.where(negative, -1.0, np.where(positive, 1.0, 0.0))


def _displayed(scores: Floats) -> FloatMap:
    """Return one scale's scores (N,) as saliency: positive ones stretched to [0.6, 1], the others to [0, 0.4]."""
    # (7) a gap between the classes, so that the cut follows the classifier
    out = np.zeros(len(scores), np.float32)
    for side, low in ((scores > 0, 0.6), (scores <= 0, 0.0)):
        if side.any():
            out[side] = low + 0.4 * unit(scores[side])
    return out


def _standard(features: Floats) -> Floats:
    """Return features (N, F) with mean 0 and deviation 1; those that do not vary are 0."""
    centred = features - features.mean(axis=0)
    return np.asarray(centred / np.maximum(centred.std(axis=0), 1e-9))


def _parts(rgb: Image8, params: BlParams) -> dict[str, FloatMap]:
    """Return the maps that BL passes through, at the working size; the last one is the result."""
    pixels, planes = _pixels(rgb, params), lab_planes(rgb)
    scales = [_scale(pixels, planes, regions, params) for regions in params.regions]
    values = [_weak_regions(pixels, scale, params) for scale in scales]
    weak = _combined(pixels, scales, values, params)
    classes = [_classes(scale, weak, params) for scale in scales]
    parts = {
        "contrast to the border": to_pixels(scales[-1].labels, values[-1]),
        "weak map": weak,
        "samples": to_pixels(scales[-1].labels, (classes[-1] + 1) / 2),
    }
    truth = np.concatenate(classes)
    if not {-1.0, 1.0} <= set(truth):
        # nothing to learn from without samples of both classes, such as on a single superpixel: the weak map stays
        return parts | {"strong map": weak, "map": weak}
    # (8) one classifier for the regions of all scales
    features = (np.concatenate(feature) for feature in zip(*((s.rgb, s.lab, s.texture) for s in scales), strict=True))
    scores = boosted_scores([_standard(feature) for feature in features], truth, params.rounds)
    ends = np.cumsum([scale.regions for scale in scales])[:-1]
    learned = _combined(pixels, scales, [_displayed(part) for part in np.split(scores, ends)], params)
    # (9) edges of the image, smoothness inside them; then both maps together (section 3.3)
    guide = pixels.grey.astype(np.float32) / np.float32(255)
    strong = unit(cv2.ximgproc.guidedFilter(guide, learned, params.guided_radius, params.guided_eps))
    result = unit((1 - params.strong_weight) * weak + params.strong_weight * strong)
    return parts | {"strong map": strong, "map": result}


def _working(image: Image8, params: BlParams) -> Image8:
    """Return the image (H, W, 3) at the working size."""
    height, width = image.shape[:2]
    reduction = min(1.0, params.work_side / max(height, width))
    return np.ascontiguousarray(
        resize_image(image, (max(1, round(height * reduction)), max(1, round(width * reduction))))
    )


def compute(image: Image8, params: BlParams) -> FloatMap:
    """Return the BL map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out.

    Raises
    ------
    MissingDependencyError
        If scikit-learn is not installed.
    """
    return resize(_parts(_working(image, params), params)["map"], (image.shape[0], image.shape[1]))


def steps(image: Image8, params: BlParams) -> dict[str, FloatMap]:
    """Return the maps that an image (H, W, 3) uint8 RGB passes through, and at last that of ``compute``."""
    parts = _parts(_working(image, params), params)
    return {name: resize(part, (image.shape[0], image.shape[1])) for name, part in parts.items()}


@njit(cache=True)
def _chi_square(histograms):  # type: ignore[no-untyped-def]
    count, bins = histograms.shape
    out = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            total = 0.0
            for b in range(bins):
                both = histograms[i, b] + histograms[j, b]
                difference = histograms[i, b] - histograms[j, b]
                # adding nearly nothing instead of asking whether the bin is empty lets it vectorise
                total += difference * difference / (both + 1e-12)
            out[i, j] = out[j, i] = 0.5 * total
    return out


PRIOR = Prior("BL", "Tong et al., CVPR 2015", BlParams, compute, steps)
