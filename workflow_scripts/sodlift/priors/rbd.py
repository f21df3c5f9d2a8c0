"""RBD: robust background detection, also printed as wCtrO and wCO.

Source: W. Zhu, S. Liang, Y. Wei, J. Sun, "Saliency Optimization from Robust Background Detection", CVPR 2014.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._base import Prior
from sodlift.priors._frame import Box, frame_box
from sodlift.priors._otsu import otsu
from sodlift.priors._stretch import unit
from sodlift.superpixels.colour import lab_colours
from sodlift.superpixels.graph import (
    Links,
    Matrix,
    gaussian,
    pairwise_distances,
    shortest_paths,
    solve,
    two_rings,
    with_clique,
)
from sodlift.superpixels.graph import adjacency as touching
from sodlift.superpixels.regions import border_regions, centroids, means, to_pixels
from sodlift.superpixels.slic import slic

Vector = npt.NDArray[np.float64]

CUES = ("background", "contrast", "map")


@dataclass(frozen=True)
class RbdParams:
    """Parameters of RBD, at the reference's values.

    Attributes
    ----------
    region_pixels : int
        Pixels of a superpixel.
    most_regions : int
        Upper limit on superpixels; above it (images over 0.3 megapixels) they grow, since time and memory are cubic and
        quadratic in their number.
    compactness : float
        SLIC's m.
    frame : int
        Widest artificial frame that is looked for and left out, in pixels; 0 looks for none.
    border : int
        Width of the band in which a superpixel counts as border, in pixels.
    spatial_sigma : float
        Reach of the contrast, in image sides.
    boundary_sigma : float
        Sigma that turns boundary connectivity into a background probability.
    certain : float
        Boundary connectivity above which a superpixel is background beyond doubt.
    certain_weight : float
        Its background weight.
    background_weight : float
        Weight of the background term in the optimisation.
    smoothness : float
        Weight added to each pair of neighbours, against noise in both cues.
    """

    region_pixels: int = 600
    most_regions: int = 500
    compactness: float = 20.0
    frame: int = 30
    border: int = 8
    spatial_sigma: float = 0.4
    boundary_sigma: float = 1.0
    certain: float = 3.0
    certain_weight: float = 1000.0
    background_weight: float = 5.0
    smoothness: float = 0.1


@dataclass(frozen=True)
class _Scales:
    """Colour scales that adapt to the image."""

    clip: float
    geodesic: float
    neighbour: float


def _scales(colour: Matrix, links: Links, rings: Links) -> _Scales:
    """Return the scales from the colour distances between superpixels and their neighbours."""
    # (1) mean distance to the most similar superpixel of the first ring and of the first two, mean of the largest 1 %
    first = float(np.where(links, colour, np.inf).min(axis=1).mean())
    second = float(np.where(rings, colour, np.inf).min(axis=1).mean())
    steps = np.sort(colour[links])
    top = float(steps[-max(1, round(0.01 * steps.size)) :].mean())
    # (2) the authors' rules; fixed 7 and 10 do nearly as well. Among flat colours only equal ones stay alike
    neighbour = max(1e-6, min(3 * first, 0.2 * top, 20.0))
    return _Scales(second, max(5.0, min(10.0, 3 * first, top / 10)), neighbour)


def _boundary_connectivity(colour: Matrix, links: Links, border: npt.NDArray[np.bool_], scales: _Scales) -> Vector:
    """Return how firmly each superpixel's soft region is tied to the border (section 3, eq. 3-6)."""
    # (3) geodesic distances over neighbours and a clique of the border; steps below the clip cost nothing
    geodesic = shortest_paths(np.maximum(colour - scales.clip, 0), with_clique(links, border))
    # (4) soft area of the region, its length along the border, and BndCon = Len / sqrt(Area)
    span = gaussian(geodesic, scales.geodesic)
    return np.asarray(span[:, border].sum(axis=1) / np.sqrt(span.sum(axis=1)))


def cues(
    colours: npt.NDArray[Any], positions: Vector, links: Links, border: npt.NDArray[np.bool_], params: RbdParams
) -> dict[str, Vector]:
    """Return the cues of N superpixels and the saliency optimised from them, not yet stretched: (N,) float64 each.

    Parameters
    ----------
    colours : (N, 3)
        CIELAB.
    positions : (N, 2)
        Centroids, in image sides.
    links : (N, N) bool
        Neighbours.
    border : (N,) bool
        Superpixels at the image's border.
    params : RbdParams
    """
    colour, rings = pairwise_distances(colours), two_rings(links)
    scales = _scales(colour, links, rings)
    connectivity = _boundary_connectivity(colour, links, border, scales)
    # (5) background probability; certain background weighs so much that it is fixed at zero
    background = 1 - np.exp(-(connectivity**2) / (2 * params.boundary_sigma**2))
    weight = np.where(connectivity > params.certain, params.certain_weight, background)
    # (6) background-weighted contrast wCtr (section 4.1), its low values removed
    near = gaussian(pairwise_distances(positions), params.spatial_sigma)
    contrast = unit((colour * near * background).sum(axis=1))
    contrast = np.where(contrast < otsu(contrast), 0.0, contrast)
    # (7) minimise Σ w_bg s² + Σ w_fg (s - 1)² + Σ w_ij (s_i - s_j)² (section 4.2, eq. 9-10)
    affinity = np.where(with_clique(rings, border), gaussian(colour, scales.neighbour), 0.0)
    affinity += params.smoothness * links
    system = np.diag(affinity.sum(axis=1) + params.background_weight * weight + contrast) - affinity
    found: tuple[npt.NDArray[Any], ...] = (background, contrast, solve(system, contrast))
    return dict(zip(CUES, found, strict=True))


@dataclass(frozen=True)
class _Regions:
    """The superpixels inside an image's frame, and what was found of them."""

    box: Box
    labels: npt.NDArray[np.int32]
    values: dict[str, Vector]
    size: tuple[int, int]

    def place(self, name: str) -> FloatMap:
        """Return one of the values at the image's size, stretched, zero on the frame."""
        out = np.zeros(self.size, np.float32)
        out[self.box] = to_pixels(self.labels, unit(self.values[name]))
        return out


def _stages(image: Image8, params: RbdParams) -> _Regions:
    box = frame_box(image, params.frame)
    inside = np.ascontiguousarray(image[box])
    height, width = inside.shape[:2]
    regions = max(1, min(round(height * width / params.region_pixels), params.most_regions))
    labels, count = slic(inside, regions, params.compactness)
    rgb = means(labels, count, inside)
    if count < 2 or np.ptp(rgb, axis=0).max() == 0:
        return _Regions(box, labels, dict.fromkeys(CUES, np.zeros(count)), image.shape[:2])
    values = cues(
        lab_colours(rgb),
        centroids(labels, count) / (height, width),
        touching(labels, count),
        border_regions(labels, count, params.border),
        params,
    )
    return _Regions(box, labels, values, image.shape[:2])


def compute(image: Image8, params: RbdParams) -> FloatMap:
    """Return the RBD map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    return _stages(image, params).place("map")


def steps(image: Image8, params: RbdParams) -> dict[str, FloatMap]:
    """Return the cues and the map, (H, W) float32 in [0, 1]."""
    stages = _stages(image, params)
    return {name: stages.place(name) for name in stages.values}


PRIOR = Prior("RBD", "Zhu et al., CVPR 2014", RbdParams, compute, steps)
