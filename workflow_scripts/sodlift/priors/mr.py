"""MR: saliency by manifold ranking, also printed as GMR.

Source: C. Yang, L. Zhang, H. Lu, X. Ruan, M.-H. Yang, "Saliency Detection via Graph-Based Manifold Ranking", CVPR 2013.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._affinity import colour_affinity
from sodlift.priors._base import Prior
from sodlift.priors._scene import Scene, SceneParams
from sodlift.priors._stretch import unit
from sodlift.superpixels.graph import Matrix, adjacency, inverse, two_rings, with_clique
from sodlift.superpixels.regions import border_regions

Vector = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class MrParams(SceneParams):
    """Parameters of MR, at the reference's values: those of the segmentation and its own.

    Attributes
    ----------
    steepness : float
        How fast an affinity falls with colour distance, one over the paper's sigma squared.
    alpha : float
        How far a query reaches over the graph, below 1.
    """

    steepness: float = 10.0
    alpha: float = 0.99


def ranking_matrix(affinity: Matrix, alpha: float) -> Matrix:
    """Return what ranks N superpixels: summed over the columns of the queries it gives their ranks, (N, N) float64.

    Parameters
    ----------
    affinity : (N, N) float64
        Symmetric, zeros on the diagonal; each superpixel has a neighbour.
    alpha : float
        In [0, 1).
    """
    # (1) f = (D - αW)⁻¹ y (eq. 3); a query's relevance to itself would dwarf all others and is set to zero (section 4)
    ranking = inverse(np.diag(affinity.sum(axis=1)) - alpha * affinity)
    np.fill_diagonal(ranking, 0.0)
    return ranking


def two_stages(ranking: Matrix, sides: list[Mask]) -> dict[str, Vector]:
    """Return the background stage, its queries and the saliency of N superpixels, by name and in order: (N,) each.

    Parameters
    ----------
    ranking : (N, N)
        As ``ranking_matrix`` returns it.
    sides : list of (N,) bool
        Superpixels along each side of the image.
    """
    # (2) unlike all four sides: S_bq = Π (1 - mm(f_side)) (eq. 6 and 7)
    background = np.ones(len(ranking))
    for side in sides:
        background *= 1 - unit(ranking[:, side].sum(axis=1))
    background = unit(background).astype(np.float64)
    # (3) like what is above the mean of that: S_fq = mm(f) (eq. 8)
    queries = background > background.mean()
    saliency = unit(ranking[:, queries].sum(axis=1)).astype(np.float64)
    return {"unlike the four sides": background, "queries": queries.astype(np.float64), "map": saliency}


def _stages(scene: Scene, params: MrParams) -> dict[str, Vector]:
    """Return the values of the superpixels that lead to the map, by name and in order: (N,) each."""
    labels, count = scene.labels, scene.count
    if scene.flat:  # the ranks would draw the shape of the graph
        return dict.fromkeys(("unlike the four sides", "queries", "map"), np.zeros(count))
    # (4) superpixels at the border are neighbours, and neighbours' neighbours are (section 3.2)
    closed = with_clique(adjacency(labels, count, diagonal=True), border_regions(labels, count))
    affinity = colour_affinity(scene.colours, two_rings(closed), params.steepness)
    sides = [np.isin(np.arange(count), side) for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1])]
    return two_stages(ranking_matrix(affinity, params.alpha), sides)


def compute(image: Image8, params: MrParams) -> FloatMap:
    """Return the MR map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    scene = Scene.of(image, params)
    return scene.paint(_stages(scene, params)["map"])


def steps(image: Image8, params: MrParams) -> dict[str, FloatMap]:
    """Return the maps that lead to the MR map, which is the last: name to (H, W) float32 in [0, 1]."""
    scene = Scene.of(image, params)
    return {name: scene.paint(values) for name, values in _stages(scene, params).items()}


PRIOR = Prior("MR", "Yang et al., CVPR 2013", MrParams, compute, steps)
