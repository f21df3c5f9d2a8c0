"""SF: saliency filters.

Source: F. Perazzi, P. Krähenbühl, Y. Pritch, A. Hornung, "Saliency Filters: Contrast Based Filtering for Salient Region
Detection", CVPR 2012, sections 3.2 to 3.4; on superpixels, as in the comparison of Zhu et al., CVPR 2014.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._base import Prior
from sodlift.priors._scene import Scene, SceneParams
from sodlift.priors._stretch import unit
from sodlift.superpixels.graph import gaussian, pairwise_distances

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SfParams(SceneParams):
    """Parameters of SF, at the reference's values: those of the segmentation and its own.

    Attributes
    ----------
    spatial_sigma : float
        Reach of the contrast, in image sides.
    colour_sigma : float
        CIELAB distance up to which two superpixels count as one colour.
    compact : float
        How fast saliency falls as the superpixels of a colour spread, the paper's k.
    """

    spatial_sigma: float = 0.25
    colour_sigma: float = 20.0
    compact: float = 6.0


def contrast_and_spread(colours: npt.NDArray[Any], positions: Vector, params: SfParams) -> tuple[Vector, Vector]:
    """Return how unlike their surroundings N superpixels are and how far their colours spread: twice (N,) float64.

    Parameters
    ----------
    colours : (N, 3)
        CIELAB.
    positions : (N, 2)
        Centroids, in image sides.
    params : SfParams
    """
    colour = pairwise_distances(colours)
    # (1) uniqueness U_i = Σ_j ‖c_i - c_j‖ w(p_i, p_j) (eq. 1), not divided by Σ_j w: what lies at the
    # border has less to stand out from
    contrast = (colour * gaussian(pairwise_distances(positions), params.spatial_sigma)).sum(axis=1)
    # (2) distribution D_i = Σ_j ‖p_j - μ_i‖² w(c_i, c_j) about the colour's mean position (eq. 5),
    # μ_i = Σ_j w p_j / Σ_j w; not divided by Σ_j w either: what is common spreads more
    alike = gaussian(colour, params.colour_sigma)
    weight = alike.sum(axis=1)
    # einsum: the result of BLAS depends on its threads. The sum is Σ_j w ‖p_j‖² - ‖μ_i‖² Σ_j w
    means = np.einsum("ij,jd->id", alike, positions) / weight[:, None]
    spread = np.einsum("ij,j->i", alike, (positions**2).sum(axis=1)) - weight * (means**2).sum(axis=1)
    return contrast, spread


def _stages(scene: Scene, params: SfParams) -> dict[str, Vector]:
    """Return the values of the superpixels that lead to the map, by name and in order: (N,) each."""
    contrast, spread = contrast_and_spread(scene.colours, scene.positions, params)
    # (3) S_i = U_i exp(-k D_i), both stretched (eq. 7)
    saliency = unit(contrast) * np.exp(-params.compact * unit(spread), dtype=np.float64)
    return {"uniqueness": contrast, "distribution": spread, "map": saliency}


def compute(image: Image8, params: SfParams) -> FloatMap:
    """Return the SF map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    scene = Scene.of(image, params)
    return scene.paint(_stages(scene, params)["map"])


def steps(image: Image8, params: SfParams) -> dict[str, FloatMap]:
    """Return the maps that lead to the SF map, which is the last: name to (H, W) float32 in [0, 1]."""
    scene = Scene.of(image, params)
    return {name: scene.paint(values) for name, values in _stages(scene, params).items()}


PRIOR = Prior("SF", "Perazzi et al., CVPR 2012", SfParams, compute, steps)
