"""GS: geodesic saliency, on superpixels (GS_SP).

Source: Y. Wei, F. Wen, W. Zhu, J. Sun, "Geodesic Saliency Using Background Priors", ECCV 2012, section 3; with the
weights of the comparison in Zhu et al., CVPR 2014.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._base import Prior
from sodlift.priors._scene import Scene, SceneParams
from sodlift.priors._stretch import unit
from sodlift.superpixels.graph import (
    Links,
    Matrix,
    adjacency,
    distances_to,
    pairwise_distances,
    two_rings,
    with_clique,
)
from sodlift.superpixels.regions import border_regions

Vector = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class GsParams(SceneParams):
    """Parameters of GS, at the reference's values: those of the segmentation and its own.

    Attributes
    ----------
    border : int
        Width of the band in which a superpixel counts as border, in pixels.
    alike : float
        Share of all superpixels that a border superpixel is compared with, the most similar ones of the border.
    distance_weight : float
        How much the distance along the border makes two superpixels less comparable.
    odd : float
        Oddness in [0, 1] above which a border superpixel is not taken for background.
    top : float
        Share of all superpixels whose mean distance is shown as 1.
    """

    border: int = 8
    alike: float = 0.025
    distance_weight: float = 3.0
    odd: float = 0.5
    top: float = 0.02


def oddness(colour: Matrix, position: Matrix, alike: int, distance_weight: float) -> Vector:
    """Return how unlike its fellows each superpixel of the border is: (M,) in [0, 1].

    Parameters
    ----------
    colour, position : (M, M)
        Distances between the superpixels, in CIELAB and in image sides.
    alike : int
        Number of most similar fellows that one is compared with.
    distance_weight : float
        How much distance makes two superpixels more alike.
    """
    # (1) dissimilarity C / (1 + 3 P), the mean over the most similar fellows; the first is the superpixel itself
    unlike = np.sort(colour / (1 + distance_weight * position), axis=1)[:, 1 : alike + 1]
    return unit(unlike.mean(axis=1)).astype(np.float64) if unlike.size else np.zeros(len(colour))


def _stages(scene: Scene, params: GsParams) -> dict[str, Vector]:
    """Return the values of the superpixels that lead to the map, by name and in order: (N,) each."""
    colour = pairwise_distances(scene.colours)
    touching = adjacency(scene.labels, scene.count)
    border = border_regions(scene.labels, scene.count, params.border)
    # (2) the border without its odd superpixels is background: objects may touch the border
    members = np.flatnonzero(border)
    position = pairwise_distances(scene.positions[members])
    alike = max(1, round(params.alike * scene.count))
    odd = np.zeros(scene.count)
    odd[members] = oddness(colour[np.ix_(members, members)], position, alike, params.distance_weight)
    background = border & (odd <= params.odd)
    saliency = geodesic_saliency(colour, touching, border, background, params.top)
    return {"odd at the border": odd, "background": background.astype(np.float64), "map": saliency}


def geodesic_saliency(colour: Matrix, touching: Links, border: Mask, background: Mask, top: float) -> Vector:
    """Return how far N superpixels are from the background, over the graph of superpixels: (N,) in [0, 1].

    Parameters
    ----------
    colour : (N, N)
        Distances in CIELAB.
    touching : (N, N) bool
        Superpixels that touch.
    border, background : (N,) bool
        Superpixels at the image's border, and those of them that are background; one at least.
    top : float
        Share of the superpixels whose mean distance becomes 1.
    """
    # (3) small steps are free, or they would add up over a smooth background: the clip is the mean distance to the most
    # similar superpixel of the first two rings
    clip = np.where(two_rings(touching), colour, np.inf).min(axis=1).mean()
    # (4) shortest path to the background (eq. 1), also straight across the border
    lengths = distances_to(background, np.maximum(colour - clip, 0), with_clique(touching, border))
    # (5) relative to the largest ones
    largest = np.sort(lengths)[-max(1, round(top * len(lengths))) :].mean()
    return np.minimum(lengths / largest, 1.0) if largest > 0 else lengths


def compute(image: Image8, params: GsParams) -> FloatMap:
    """Return the GS map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    scene = Scene.of(image, params)
    return scene.paint(_stages(scene, params)["map"])


def steps(image: Image8, params: GsParams) -> dict[str, FloatMap]:
    """Return the maps that lead to the GS map, which is the last: name to (H, W) float32 in [0, 1]."""
    scene = Scene.of(image, params)
    return {name: scene.paint(values) for name, values in _stages(scene, params).items()}


PRIOR = Prior("GS", "Wei et al., ECCV 2012", GsParams, compute, steps)
