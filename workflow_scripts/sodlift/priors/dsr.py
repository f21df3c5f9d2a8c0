"""DSR: saliency by dense and sparse reconstruction.

Source: X. Li, H. Lu, L. Zhang, X. Ruan, M.-H. Yang, "Saliency Detection via Dense and Sparse Reconstruction", ICCV
2013. What the superpixels along the border cannot rebuild is salient. The two ways to rebuild are in
``_reconstruction``, the propagation of errors in ``_propagation`` and the final fusion in ``_bayes``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import FloatMap, Image8, resize
from sodlift.priors._base import Prior
from sodlift.priors._bayes import posterior
from sodlift.priors._canvas import Canvas
from sodlift.priors._propagation import propagate
from sodlift.priors._reconstruction import dense_errors, sparse_errors
from sodlift.priors._stretch import unit
from sodlift.superpixels.colour import Planes, lab_planes
from sodlift.superpixels.regions import border_regions, means
from sodlift.superpixels.slic import slic_lab

Pair = npt.NDArray[np.float32]

STEPS = ("dense errors", "sparse errors", "dense, object-biased", "sparse, object-biased", "map")


@dataclass(frozen=True)
class DsrParams:
    """Parameters of DSR, at the reference's values.

    Attributes
    ----------
    side : int
        Longest side worked at, in pixels; larger images are shrunk to it. Superpixels do not grow in number with it.
    frame : int
        Widest artificial frame that is looked for and left out, in pixels; 0, the reference, looks for none.
    scales : tuple of (int, float)
        Superpixels asked for and SLIC's m, scale by scale; at least one.
    energy : float
        Share of the templates' energy that the dense reconstruction keeps at least.
    penalty : float
        The lasso's weight of the absolute coefficients.
    clusters : int
        Clusters within which errors are propagated.
    own : float
        Share of a superpixel's own error in its propagated error.
    spread : float
        Sigma of the object-biased Gaussian, in image sides.
    bins : int
        Bins of the histograms in the Bayesian integration.
    """

    side: int = 500
    frame: int = 0
    scales: tuple[tuple[int, float], ...] = (
        *((50, 10.0), (100, 10.0), (150, 20.0), (200, 20.0)),
        *((250, 25.0), (300, 25.0), (350, 30.0), (400, 30.0)),
    )
    energy: float = 0.95
    penalty: float = 0.01
    clusters: int = 8
    own: float = 0.5
    spread: float = 0.25
    bins: int = 60


@dataclass(frozen=True)
class _Stages:
    """Maps on the working image: dense and sparse errors, both with the object bias, and their fusion."""

    errors: Pair
    biased: Pair
    saliency: FloatMap


def pixel_features(image: Image8, planes: Planes) -> FloatMap:
    """Return what describes a pixel: R, G, B, then L, a, b stretched to [0, 1], column and row in image sides.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    planes : (3, H, W) float32
        Its CIELAB planes. One that spans less than a unit (a and b of a grey image: rounding errors) is not stretched
        beyond it.

    Returns
    -------
    (H, W, 8) float32 in [0, 1]
    """
    height, width = image.shape[:2]
    low, high = planes.min(axis=(1, 2)), planes.max(axis=(1, 2))
    out = np.empty((height, width, 8), np.float32)
    _describe(image, planes, low, np.maximum(high - low, np.float32(1)), out)
    return out


def scale_errors(features: npt.NDArray[np.float64], border: npt.NDArray[np.bool_], params: DsrParams) -> Pair:
    """Return the dense and the sparse errors of one scale's superpixels, propagated: (2, N) float32 in [0, 1].

    Parameters
    ----------
    features : (N, 8)
        Mean features of the superpixels.
    border : (N,) bool
        Superpixels at the image's border, the background templates; at least one.
    params : DsrParams
    """
    templates = features[border]
    dense = unit(dense_errors(features, templates, params.energy))
    sparse = unit(sparse_errors(features, templates, params.penalty))
    errors = propagate(np.stack([dense, sparse]), features, params.clusters, params.own)
    return np.stack([unit(error) for error in errors])


def object_bias(errors: FloatMap, spread: float) -> FloatMap:
    """Return a map (H, W) under a Gaussian around its centre of mass, stretched; zeros stay zeros."""
    rows, columns = errors.sum(axis=1, dtype=np.float64), errors.sum(axis=0, dtype=np.float64)
    if rows.sum() == 0:
        return np.zeros_like(errors)
    down, across = (_bell(mass, spread * mass.size) for mass in (rows, columns))
    return unit(errors * down[:, None] * across)


def _bell(mass: npt.NDArray[np.float64], sigma: float) -> npt.NDArray[np.float32]:
    """Return a Gaussian over the places of a mass (n,), around its centre."""
    place = np.arange(mass.size)
    centre = (place * mass).sum() / mass.sum()
    return np.asarray(np.exp(-((place - centre) ** 2) / (2 * sigma**2)), dtype=np.float32)


def _stages(image: Image8, params: DsrParams) -> _Stages:
    """Return the maps of a working image that is not of one colour."""
    planes = lab_planes(image)
    pixels = pixel_features(image, planes)
    errors = np.zeros((2, *image.shape[:2]), np.float32)
    for regions, compactness in params.scales:
        # (1) superpixels, their mean features, and how badly the border's rebuild them
        labels, count = slic_lab(planes, regions, compactness)
        features = means(labels, count, pixels)
        # (2) a pixel's error is the mean over the scales
        _add(scale_errors(features, border_regions(labels, count), params) / len(params.scales), labels, errors)
    # (3) the object-biased Gaussian; (4) each map as the prior of the other, averaged
    dense, sparse = (object_bias(error, params.spread) for error in errors)
    fused = posterior(dense, sparse, params.bins) + posterior(sparse, dense, params.bins)
    return _Stages(errors, np.stack([dense, sparse]), fused)


def _maps(image: Image8, params: DsrParams) -> tuple[Canvas, _Stages | None]:
    """Return where DSR works on an image and the maps that it finds there, none in a single colour."""
    canvas = Canvas.of(image, params.side, params.frame)
    channels = canvas.image.ravel()
    if np.array_equal(channels[3:], channels[:-3]):  # every pixel is as the one before
        return canvas, None
    return canvas, _stages(canvas.image, params)


def _whole(canvas: Canvas, values: FloatMap) -> FloatMap:
    """Return a map of the working image stretched, at the size of the original, zero in the frame."""
    out = np.zeros(canvas.shrunk, np.float32)
    out[canvas.box] = unit(values)
    return resize(out, canvas.full)


def compute(image: Image8, params: DsrParams) -> FloatMap:
    """Return the DSR map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    canvas, stages = _maps(image, params)
    return _whole(canvas, stages.saliency) if stages else np.zeros(canvas.full, np.float32)


def steps(image: Image8, params: DsrParams) -> Mapping[str, FloatMap]:
    """Return the maps that DSR passes through, each (H, W) float32 in [0, 1]; the last one is ``compute``'s."""
    canvas, stages = _maps(image, params)
    if not stages:
        return {name: np.zeros(canvas.full, np.float32) for name in STEPS}
    maps = (*stages.errors, *stages.biased, stages.saliency)
    return {name: _whole(canvas, values) for name, values in zip(STEPS, maps, strict=True)}


@njit(cache=True)
def _describe(image, planes, low, span, out):  # type: ignore[no-untyped-def]
    height, width = image.shape[:2]
    for y in range(height):
        for x in range(width):
            for c in range(3):
                out[y, x, c] = image[y, x, c] / 255
                out[y, x, 3 + c] = (planes[c, y, x] - low[c]) / span[c]
            out[y, x, 6], out[y, x, 7] = x / width, y / height


@njit(cache=True)
def _add(values, labels, out):  # type: ignore[no-untyped-def]
    """Add the region values (2, N) to their pixels (2, H, W)."""
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            out[0, y, x] += values[0, labels[y, x]]
            out[1, y, x] += values[1, labels[y, x]]


PRIOR = Prior("DSR", "Li et al., ICCV 2013", DsrParams, compute, steps)
