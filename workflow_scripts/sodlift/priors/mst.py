"""MST: minimum barrier distances to the border along a minimum spanning tree, and dissimilarity from the border.

Source: W.-C. Tu, S. He, Q. Yang, S.-Y. Chien, "Real-Time Salient Object Detection with a Minimum Spanning Tree",
CVPR 2016.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numba import njit

from sodlift.arrays import FloatMap, Image8, Mask
from sodlift.priors._base import Prior
from sodlift.priors._otsu import otsu
from sodlift.priors._raster import Raster, RasterParams, Steps, postprocess, whitening
from sodlift.priors._stretch import unit
from sodlift.priors._tree import spanning_tree, tree_barrier
from sodlift.superpixels.kmeans import kmeans


@dataclass(frozen=True)
class MstParams(RasterParams):
    """Parameters of MST: those of the working image and its own.

    Attributes
    ----------
    clusters : int
        Clusters K of the border's colours.
    regularisation : float
        Added to the diagonal of a cluster's colour covariance, in squared 8-bit CIELAB levels.
    """

    clusters: int = 3
    regularisation: float = 50.0


def tree_distance(rgb: Image8) -> FloatMap:
    """Return the barrier distances of an image (H, W, 3) uint8 to its border along its tree: (H, W) in [0, 1]."""
    # (1) minimum spanning tree of the 4-connected pixels, an edge weighing max_c |I_c(u) - I_c(v)|
    tree, seeds = spanning_tree(rgb), _ring(*rgb.shape[:2])
    # (2) D_c(v): least over the border pixels s of (highest - lowest value of channel c on the tree's path from v to s)
    distances = [tree_barrier(np.asarray(channel, dtype=np.uint8), seeds, tree) for channel in cv2.split(rgb)]
    # (3) D = max_c D_c, the norm in which the edges are weighed
    return unit(np.max(distances, axis=0).astype(np.float32))


def border_dissimilarity(rgb: Image8, params: MstParams) -> FloatMap:
    """Return how far the colours of an image (H, W, 3) uint8 are from all of its border's: (H, W) in [0, 1].

    Reaches objects that touch the border, which no distance along paths does.
    """
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), dtype=np.uint8)
    border = lab[_ring(*lab.shape[:2])].astype(np.float64)
    # (4) K clusters of the border's colours; they start from the middle colours of K equal ranges of lightness
    by_lightness = border[np.argsort(border[:, 0], kind="stable")]
    middles = (np.arange(params.clusters) + 0.5) * len(border) / params.clusters
    labels, centres = kmeans(border, by_lightness[middles.astype(int)])
    # (5) B = min_k of the Mahalanobis distance to cluster k, sqrt((x - μ_k)ᵀ Σ_k⁻¹ (x - μ_k)); Σ_k⁻¹ = Wᵀ W
    planes = np.stack(cv2.split(lab))
    nearest = np.full(lab.shape[:2], np.inf, np.float32)
    for k in np.unique(labels):
        offsets = border[labels == k] - centres[k]
        covariance = np.einsum("ni,nj->ij", offsets, offsets) / len(offsets)
        _nearest(planes, centres[k].astype(np.float32), whitening(covariance, params.regularisation), nearest)
    return unit(np.sqrt(nearest))


def _stages(rgb: Image8, params: MstParams) -> Steps:
    # (6) S = D + B; centre bias and smoothing follow as in MB, and contrast 1 / (1 + exp(-10·(S - τ))), τ by Otsu
    distance, dissimilarity = tree_distance(rgb), border_dissimilarity(rgb, params)
    total = distance + dissimilarity
    cues = {"tree distance": distance, "border dissimilarity": dissimilarity, "sum": total}
    return {**cues, **postprocess(total, params, otsu)}


def compute(image: Image8, params: MstParams) -> FloatMap:
    """Return the MST map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    raster = Raster.of(image, params)
    return raster.place(_stages(raster.rgb, params)["map"])


def steps(image: Image8, params: MstParams) -> Steps:
    """Return both cues, their sum and the map after each step, (H, W) float32 in [0, 1]."""
    raster = Raster.of(image, params)
    return {name: raster.place(part) for name, part in _stages(raster.rgb, params).items()}


@lru_cache(maxsize=8)
def _ring(height: int, width: int) -> Mask:
    """Return the outermost pixels: (height, width) bool."""
    ring = np.ones((height, width), bool)
    ring[1:-1, 1:-1] = False
    return ring


@njit(cache=True)
def _nearest(planes, centre, whitening, out):  # type: ignore[no-untyped-def]
    """Lower ``out`` (H, W) to the squared Mahalanobis distances of planes (3, H, W) from one centre."""
    for y in range(out.shape[0]):
        first, second, third, row = planes[0, y], planes[1, y], planes[2, y], out[y]
        for x in range(out.shape[1]):
            a, b, c = (
                np.float32(first[x]) - centre[0],
                np.float32(second[x]) - centre[1],
                np.float32(third[x]) - centre[2],
            )
            u = whitening[0, 0] * a + whitening[0, 1] * b + whitening[0, 2] * c
            v = whitening[1, 0] * a + whitening[1, 1] * b + whitening[1, 2] * c
            w = whitening[2, 0] * a + whitening[2, 1] * b + whitening[2, 2] * c
            row[x] = min(row[x], u * u + v * v + w * w)


PRIOR = Prior("MST", "Tu et al., CVPR 2016", MstParams, compute, steps)
