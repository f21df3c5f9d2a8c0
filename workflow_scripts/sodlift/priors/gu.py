"""GU: global uniqueness of soft colour components, the first cue of GC.

Source: M.-M. Cheng, J. Warrell, W.-Y. Lin, S. Zheng, V. Vineet, N. Crook, "Efficient Salient Region Detection with Soft
Image Abstraction", ICCV 2013, sections 3 and 4.1.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._base import Prior
from sodlift.priors._mixture import fit, responsibilities, split
from sodlift.priors._palette import Palette, quantise
from sodlift.priors._stretch import unit
from sodlift.superpixels.colour import lab_colours
from sodlift.superpixels.graph import pairwise_distances

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GuParams:
    """Parameters of GU, at the reference's values.

    Attributes
    ----------
    levels : int
        Equal ranges of a channel in the colour histogram.
    coverage : float
        Share of the pixels that the histogram's kept colours cover.
    fewest : int
        Least number of kept colours, where the image has as many.
    most : int
        Most kept colours.
    components : int
        Most components of the mixture.
    spread : float
        Least variance of a component that is split, of RGB in [0, 1].
    regularisation : float
        Added to the diagonals of the components' covariances, of RGB in [0, 1].
    centre : float
        Weight of the squared distance from the centre, in half sides.
    reach : float
        Share of the pixels whose components are to reach a saliency of ``top``.
    top : float
        That saliency.
    slope : float
        The contrast sigmoid runs from minus to plus this value.
    """

    levels: int = 12
    coverage: float = 0.95
    fewest: int = 10
    most: int = 256
    components: int = 15
    spread: float = 0.01
    regularisation: float = 0.001
    centre: float = 9.0
    reach: float = 0.01
    top: float = 0.95
    slope: float = 4.0


@dataclass(frozen=True)
class Components:
    """An image as a soft sum of K colour components.

    Attributes
    ----------
    palette : Palette
        The image in N colours.
    shares : (N, K) float64
        Probability of each component given a colour.
    weights : (K,) float64
        Shares of the image, which sum up to 1.
    means : (K, 3) float64
        CIELAB.
    distances : (K,) float64
        Mean distance of the component's pixels from the image's centre, in half sides.
    """

    palette: Palette
    shares: Floats
    weights: Floats
    means: Floats
    distances: Floats

    def paint(self, values: Floats) -> FloatMap:
        """Return the map of component values (K,): (H, W) float32, smoothed over 3x3 pixels."""
        # smoothing this sum is smoothing the K maps of probabilities
        by_colour = (self.shares * values).sum(axis=1).astype(np.float32)
        return np.asarray(cv2.blur(by_colour[self.palette.indices], (3, 3)), dtype=np.float32)


def abstraction(image: Image8, params: GuParams) -> Components:
    """Return the colour components of an image (H, W, 3) uint8 RGB (section 3)."""
    # (1) at most 256 colours
    palette = quantise(image, params.levels, params.coverage, params.fewest, params.most)
    colours, counts = palette.colours / 255, palette.counts
    # (2) a mixture of at most 15 Gaussians by splits, then each colour moved once to its likeliest; p(i | colour)
    mixture = fit(colours, counts, split(colours, counts, params.components, params.spread))
    likeliest = responsibilities(colours, mixture, params.regularisation).argmax(axis=1)
    mixture = fit(colours, counts, likeliest)
    shares = responsibilities(colours, mixture, params.regularisation)
    # (3) weight and mean distance from the centre of each component, over the pixels
    pixels = (shares * counts[:, None]).sum(axis=0)
    far = (shares * _centre_distances(palette.indices, len(counts))[:, None]).sum(axis=0)
    means = lab_colours(mixture.means * 255).astype(np.float64)
    return Components(palette, shares, pixels / counts.sum(), means, far / pixels)


def contrast(components: Components) -> Floats:
    """Return the mean colour distance of each component from all: (K,) float64 in [0, 1], zero for a single one."""
    # (4) Σ_j w_j ‖μ_i - μ_j‖ / max_j ‖μ_i - μ_j‖ in CIELAB
    colour = pairwise_distances(components.means)
    relative = colour / np.maximum(colour.max(axis=1, keepdims=True), 1e-12)
    return np.asarray((relative * components.weights).sum(axis=1))


def centredness(components: Components, params: GuParams) -> Floats:
    """Return how near to the centre each component's pixels lie: (K,) float64 in (0, 1]."""
    # (5) exp(-9 d_i²)
    return np.asarray(np.exp(-params.centre * components.distances**2))


def uniqueness(components: Components, params: GuParams) -> Floats:
    """Return how much each component stands out: (K,) float64 in [0, 1], zeros for a single one."""
    # (6) U_i = contrast times centredness, stretched
    return unit(contrast(components) * centredness(components, params)).astype(np.float64)


def rescale(values: Floats, weights: Floats, reach: float, top: float) -> Floats:
    """Scale values (K,) up, clipped at 1, until those of a share ``reach`` of the weights (K,) are at least ``top``."""
    order = np.argsort(-values, kind="stable")
    # rounding may leave the sum of all weights short of 1
    last = min(int(np.searchsorted(np.cumsum(weights[order]), reach)), len(order) - 1)
    reached = values[order[last]]
    return np.minimum(1.0, values * (top / reached)) if 0 < reached < top else values


def _saliency(components: Components, params: GuParams) -> FloatMap:
    """Return the map of the components' uniqueness after the contrast steps: (H, W) float32 in [0, 1]."""
    unique = uniqueness(components, params)
    if not unique.any():
        return np.zeros(components.palette.indices.shape, np.float32)
    # (7) values scaled until 1 % of the pixels reach .95; S(x) = Σ_i p(i | x) U_i
    soft = components.paint(rescale(unique, components.weights, params.reach, params.top))
    # (8) contrast 1 / (1 + exp(-t)) with t from -4 to 4, smoothed over 3x3 pixels
    steep = 1 / (1 + np.exp(np.float32(params.slope) * (1 - 2 * soft)))
    return unit(cv2.blur(steep, (3, 3)))


def compute(image: Image8, params: GuParams) -> FloatMap:
    """Return the GU map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    return _saliency(abstraction(image, params), params)


def steps(image: Image8, params: GuParams) -> dict[str, FloatMap]:
    """Return the maps that an image (H, W, 3) uint8 RGB passes through, and at last that of ``compute``."""
    components = abstraction(image, params)
    return {
        "components": unit(components.paint(np.arange(len(components.weights), dtype=np.float64))),
        "contrast": unit(components.paint(contrast(components))),
        "centredness": unit(components.paint(centredness(components, params))),
        "uniqueness": unit(components.paint(uniqueness(components, params))),
        "map": _saliency(components, params),
    }


@njit(cache=True)
def _centre_distances(indices, count):  # type: ignore[no-untyped-def]
    """Return the sum of the distances from the centre of each colour's pixels, a side being 2 long: (N,)."""
    height, width = indices.shape
    out = np.zeros(count)
    for y in range(height):
        dy = (2 * y + 1) / height - 1
        for x in range(width):
            dx = (2 * x + 1) / width - 1
            out[indices[y, x]] += np.sqrt(dy * dy + dx * dx)
    return out


PRIOR = Prior("GU", "Cheng et al., ICCV 2013", GuParams, compute, steps)
