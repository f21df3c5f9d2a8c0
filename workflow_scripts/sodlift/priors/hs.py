"""HS: hierarchical saliency, cues of three layers of regions brought together in a tree.

Source: Q. Yan, L. Xu, J. Shi, J. Jia, "Hierarchical Saliency Detection", CVPR 2013; extended as J. Shi, Q. Yan, L. Xu,
J. Jia, "Hierarchical Image Saliency Detection on Extended CSSD", TPAMI 2016 (arXiv 1408.5418).
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._base import Prior
from sodlift.priors._canvas import Canvas
from sodlift.priors._stretch import unit
from sodlift.superpixels.colour import lab_planes
from sodlift.superpixels.encompassment import merge_below
from sodlift.superpixels.regions import Labels, centroids, means
from sodlift.superpixels.watershed import watershed

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HsParams:
    """Parameters of HS, as in the paper but for ``falloff``; ``side``, ``gradient_step``, ``saturation`` are not in it.

    Attributes
    ----------
    side : int
        Longest side worked at, in pixels: the scales below are meant for images of about 400 x 300.
    gradient_step : float
        Height of one level of the flooded surface, in CIELAB units per pixel; fainter slopes are flat.
    scales : (int, int, int)
        Least encompassment scales of the regions of the bottom, middle and top layer, in pixels.
    reach : float
        Reach of the contrast at scale 1, in image sides; it grows with the square root of a layer's scale.
    falloff : float
        Falloff λ of the location cue with the squared distance from the centre, in image sides; the paper prints 9.
    saturation : float
        Share of the pixels, the brightest of each layer, whose cue is full.
    confidence : (float, float, float)
        Weights β of the layers' own cues, bottom to top.
    coherence : float
        Weight λ of the bond between a region and the one above that holds it.
    """

    side: int = 400
    gradient_step: float = 4.0
    scales: tuple[int, int, int] = (3, 17, 33)
    reach: float = 0.2
    falloff: float = 6.0
    saturation: float = 0.03
    confidence: tuple[float, float, float] = (0.5, 4.0, 2.0)
    coherence: float = 4.0


@dataclass(frozen=True)
class Layer:
    """One segmentation and what its N regions look like by themselves.

    Attributes
    ----------
    labels : (H, W) int32
        Regions, 0 to N - 1.
    pixels : (N,) float64
        Their sizes.
    cue : (N,) float64
        Their saliency in [0, 1].
    """

    labels: Labels
    pixels: Vector
    cue: Vector


def gradient(planes: npt.NDArray[np.float32], step: float) -> npt.NDArray[np.uint8]:
    """Return the gradient magnitude of CIELAB planes (3, H, W) in levels of ``step``: (H, W) uint8."""
    squares = np.zeros(planes.shape[1:], np.float32)
    for plane in planes:
        # Sobel's weights add up to 8 per pixel of slope
        squares += cv2.Sobel(plane, cv2.CV_32F, 1, 0, scale=1 / 8) ** 2
        squares += cv2.Sobel(plane, cv2.CV_32F, 0, 1, scale=1 / 8) ** 2
    return np.minimum(np.rint(np.sqrt(squares) / np.float32(step)), 255).astype(np.uint8)


def contrast(colours: Vector, positions: Vector, pixels: Vector, variance: float) -> npt.NDArray[np.float32]:
    """Return the local contrast C_i = Σ_j |R_j| exp(-‖x_i - x_j‖² / σ²) ‖c_i - c_j‖ of N regions: (N,) float32.

    Parameters
    ----------
    colours : (N, 3)
        CIELAB.
    positions : (N, 2)
        Centroids, in image sides.
    pixels : (N,)
        Sizes.
    variance : float
        σ² of the spatial weight, in squared image sides.
    """
    out = np.zeros(len(pixels), np.float32)
    colour, place = (np.ascontiguousarray(values.T, dtype=np.float32) for values in (colours, positions))
    _contrast(colour, place, pixels.astype(np.float32), np.float32(1 / (64 * variance)), out)
    return out


def saturate(values: npt.NDArray[np.float32], pixels: Vector, share: float) -> Vector:
    """Return region values stretched so that ``share`` of the pixels, or just more, reach 1: (N,) float64 in [0, 1].

    Parameters
    ----------
    values : (N,) float32
        One value a region.
    pixels : (N,)
        Sizes.
    share : float
        From 0, for a plain stretch, to 1. A region that holds more than that and is the brightest is alone at 1.
    """
    order = np.argsort(-values, kind="stable")
    last = np.searchsorted(np.cumsum(pixels[order]), share * pixels.sum())
    full = values[order[last]]
    if full == values.min():
        # all but a few pixels are equally dark: those few are what stands out
        full = values.max()
    return unit(np.minimum(values, full)).astype(np.float64)


def infer(layers: list[Layer], params: HsParams) -> Vector:
    """Return the saliency of the bottom layer's regions that minimises the energy of the tree: (N,) float64.

    Parameters
    ----------
    layers : list of Layer
        Bottom to top; each region lies inside one region of the layer above.
    params : HsParams
        Uses ``confidence`` and ``coherence``.
    """
    # (6) E = Σ_l Σ_i |R_i| β_l (s_i - cue_i)² + Σ_l Σ_i |R_i| λ (s_i - s_parent(i))²: every term counts once a pixel.
    # Two passes over the tree find its minimum. Upwards: what is best for each region by itself and all below it, whose
    # weight a pixel is the same all over a layer
    lam, weight, best = params.coherence, params.confidence[0], layers[0].cue
    below = []
    for (lower, upper), beta in zip(pairwise(layers), params.confidence[1:], strict=True):
        parent = np.empty(len(lower.pixels), np.int64)
        parent[lower.labels] = upper.labels
        below.append((weight, best, parent))
        heard = np.bincount(parent, lower.pixels * best, len(upper.pixels)) / upper.pixels
        bond = weight * lam / (weight + lam)
        weight, best = beta + bond, (beta * upper.cue + bond * heard) / (beta + bond)
    # (7) downwards: the top is settled, every other region leans towards its parent
    for weight, own, parent in reversed(below):
        best = (weight * own + lam * best[parent]) / (weight + lam)
    return best


def layers_of(image: Image8, params: HsParams) -> list[Layer]:
    """Return the layers of an image (H, W, 3) uint8 RGB, bottom to top."""
    height, width = image.shape[:2]
    lab = lab_planes(image)
    luv = cv2.cvtColor(image.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LUV)
    measured = np.dstack([*lab, _centredness(height, width, params.falloff)])
    # (1) over-segmentation: the basins of the gradient
    labels, count = watershed(gradient(lab, params.gradient_step))
    layers = []
    for scale in params.scales:
        # (2) regions too small for the layer join the neighbour nearest in CIELUV (section 3.1)
        labels, count = merge_below(labels, count, means(labels, count, luv), scale)
        pixels = np.bincount(labels.ravel(), minlength=count).astype(np.float64)
        seen = means(labels, count, measured)
        positions = centroids(labels, count) / (height, width)
        # (3) local contrast, its σ² growing with the scale of the layer (section 3.2)
        near = contrast(seen[:, :3], positions, pixels, params.reach**2 * scale)
        # (4) location: the region's mean of exp(-λ ‖x - x_c‖²); (5) the cue is the product, each stretched before.
        # Full at its brightest regions, not at one that may be a spot: else hardly a pixel of the map comes near 1
        cue = saturate(unit(near) * unit(seen[:, 3]), pixels, params.saturation)
        layers.append(Layer(labels, pixels, cue))
    return layers


def compute(image: Image8, params: HsParams) -> FloatMap:
    """Return the HS map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    canvas = Canvas.of(image, params.side)
    layers = layers_of(canvas.image, params)
    return canvas.paint(layers[0].labels, infer(layers, params))


def steps(image: Image8, params: HsParams) -> dict[str, FloatMap]:
    """Return the cues of the three layers and the map of ``compute``, each (H, W) float32 in [0, 1]."""
    canvas = Canvas.of(image, params.side)
    layers = layers_of(canvas.image, params)
    named = zip(("bottom layer", "middle layer", "top layer"), layers, strict=True)
    maps = {name: canvas.paint(layer.labels, layer.cue) for name, layer in named}
    return maps | {"saliency": canvas.paint(layers[0].labels, infer(layers, params))}


def _centredness(height: int, width: int, falloff: float) -> npt.NDArray[np.float32]:
    """Return exp(-λ d²) of the distance from the centre, both sides taken as 1: (height, width) float32."""
    y, x = ((np.arange(side) + 0.5) / side - 0.5 for side in (height, width))
    return np.exp(-falloff * (y[:, None] ** 2 + x[None, :] ** 2)).astype(np.float32)


@njit(cache=True)
def _contrast(colours, positions, pixels, rate, out):  # type: ignore[no-untyped-def]
    """Add up the contrast with each region; colours (3, N) and positions (2, N) in planes: the loop vectorises."""
    light, a, b = colours[0], colours[1], colours[2]
    rows, cols = positions[0], positions[1]
    one, two, half, third, quarter = np.array([1, 2, 1 / 2, 1 / 3, 1 / 4], np.float32)
    for i in range(len(pixels)):
        own_light, own_a, own_b, own_row, own_col, size = light[i], a[i], b[i], rows[i], cols[i], pixels[i]
        for j in range(len(out)):
            dl, da, db = light[j] - own_light, a[j] - own_a, b[j] - own_b
            dy, dx = rows[j] - own_row, cols[j] - own_col
            # exp(-u) = exp(-u / 64)^64, the inner one as a series; beyond u = 128 it is nothing at all
            v = (dy * dy + dx * dx) * rate
            v = v if v < two else two
            near = one - v * (one - v * half * (one - v * third * (one - v * quarter)))
            near *= near
            near *= near
            near *= near
            near *= near
            near *= near
            near *= near
            out[j] += size * near * np.sqrt(dl * dl + da * da + db * db)


PRIOR = Prior("HS", "Yan et al., CVPR 2013", HsParams, compute, steps)
