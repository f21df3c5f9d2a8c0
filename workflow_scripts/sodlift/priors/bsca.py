"""BSCA: background-based saliency, improved by a single-layer cellular automaton.

Source: Y. Qin, H. Lu, Y. Xu, H. Wang, "Saliency Detection via Cellular Automata", CVPR 2015, sections 3 and 4.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._affinity import colour_affinity
from sodlift.priors._base import Prior
from sodlift.priors._canvas import Canvas, CanvasParams
from sodlift.priors._stretch import unit
from sodlift.superpixels.colour import Planes, lab_colours, lab_planes
from sodlift.superpixels.graph import Matrix, adjacency, pairwise_distances, two_rings, with_clique
from sodlift.superpixels.kmeans import kmeans
from sodlift.superpixels.regions import Floats, Labels, border_regions, centroids, means
from sodlift.superpixels.slic import slic_lab

Vector = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class BscaParams(CanvasParams):
    """Parameters of BSCA, at the reference's values: those of the working image and its own.

    Attributes
    ----------
    regions : int
        Superpixels asked for, in both segmentations.
    background_compactness : float
        SLIC's m of the segmentation that the background map is made on.
    compactness : float
        SLIC's m of the automaton's cells.
    clusters : int
        Colour clusters of the border, the paper's K.
    colour_sigma : float
        The paper's sigma 1, for colours in [0, 1].
    spatial_sigma : float
        The paper's sigma 2, for positions in [0, 1].
    balance : float
        The paper's beta: keeps superpixels as alike as can be from outweighing all others.
    steepness : float
        How fast a neighbour's influence falls with colour distance, one over the paper's sigma 3 squared.
    coherence : float
        The paper's a: range of what a cell's own state weighs.
    least_coherence : float
        The paper's b: the least that it weighs.
    early : int
        Updates before each of which the border is pushed down.
    middle : int
        Further ones at which the foreground is lifted too.
    late : int
        Updates after these, without guidance.
    push : float
        What the border loses before an update.
    certain : float
        State above which a cell is certain foreground.
    enough : float
        Share of certain cells below which the others are lifted.
    """

    regions: int = 300
    background_compactness: float = 30.0
    compactness: float = 20.0
    clusters: int = 3
    colour_sigma: float = 0.2
    spatial_sigma: float = 1.3
    balance: float = 10.0
    steepness: float = 10.0
    coherence: float = 0.6
    least_coherence: float = 0.2
    early: int = 5
    middle: int = 5
    late: int = 10
    push: float = 0.6
    certain: float = 0.93
    enough: float = 0.02


def background_saliency(
    colours: npt.NDArray[Any], positions: npt.NDArray[Any], border: Mask, params: BscaParams
) -> Vector:
    """Return how far N superpixels are from the border's colour clusters (section 3): (N,) float32 in [0, 1].

    Parameters
    ----------
    colours : (N, 3)
        CIELAB, each channel in [0, 1].
    positions : (N, 2)
        Centroids, in any unit.
    border : (N,) bool
        Superpixels at the image's border, one at least.
    params : BscaParams
    """
    members = np.flatnonzero(border)
    # (1) K-means of the border's colours, from superpixels spread along the border
    last = len(members) - 1
    seeds = members[np.linspace(min(1, last), max(0, last - 1), params.clusters).astype(np.int64)]
    cluster, _ = kmeans(colours[members], colours[seeds])
    # (2) distinction from each superpixel of the border, 1 / (exp(-d / 2σ₁²) + β)
    apart = pairwise_distances(colours)[:, members]
    distinct = 1 / (np.exp(-apart / (2 * params.colour_sigma**2)) + params.balance)
    placed = unit(positions)
    total = np.zeros(len(colours))
    for k in np.unique(cluster):
        own = cluster == k
        # (3) global colour distinction, the mean over a cluster, stretched (eq. 1)
        colour = unit(distinct[:, own].mean(axis=1))
        # (4) global spatial distance, the mean of exp(-d² / 2σ₂²) (eq. 2); a cluster's positions are stretched alone
        (y, x), (own_y, own_x) = placed.T, unit(positions[members[own]]).T
        squared = (y[:, None] - own_y) ** 2 + (x[:, None] - own_x) ** 2
        near = np.exp(-squared / (2 * params.spatial_sigma**2)).mean(axis=1)
        # (5) the sum over the clusters of their products (eq. 3)
        total += colour * near
    return unit(total)


@dataclass(frozen=True)
class Automaton:
    """The rules by which N cells change their states, all in float32.

    Attributes
    ----------
    impact : (N, N) float32
        Influence of the neighbours; each row sums to one (F* of eq. 5).
    coherence : (N,) float32
        What a cell's own state weighs (the diagonal of C*, eq. 7).
    border : (N,) bool
        Superpixels at the image's border.
    params : BscaParams
    """

    impact: npt.NDArray[np.float32]
    coherence: Vector
    border: Mask
    params: BscaParams

    @classmethod
    def of(cls, affinity: Matrix, border: Mask, params: BscaParams) -> "Automaton":
        """Derive the rules from the affinities (N, N) of neighbours; every cell has one at least."""
        # (6) F* = D⁻¹ F (eq. 5); a cell unlike its neighbours heeds itself: c = 1 / max F*, stretched to [b, a + b]
        impact = (affinity / affinity.sum(axis=1, keepdims=True)).astype(np.float32)
        own = unit(1 / impact.max(axis=1))
        return cls(impact, params.coherence * own + np.float32(params.least_coherence), border, params)

    def update(self, state: Vector) -> Vector:
        """Change all cells at once, S ← C* S + (I - C*) F* S (eq. 8)."""
        # einsum: the result of BLAS depends on its threads
        return np.asarray(self.coherence * state + (1 - self.coherence) * np.einsum("ij,j->i", self.impact, state))

    def guided(self, state: Vector, *, lift: bool) -> Vector:
        """Change all cells, the border pushed down first and, if ``lift``, too little foreground stretched."""
        state = np.where(self.border, state - self.params.push, state)
        state[state < 0] = 0.001
        certain = state > self.params.certain
        if lift and certain.sum() < self.params.enough * len(state):
            state[~certain] = unit(state[~certain])
        state = self.update(state)
        if not self.border.all():
            state[~self.border] = unit(state[~self.border])
        return state

    def run(self, state: Vector) -> tuple[Vector, Vector, Vector]:
        """Return the states (N,) after the early, the middle and the late updates of a state in [0, 1]."""
        for _ in range(self.params.early):
            state = self.guided(state, lift=False)
        early = state
        for _ in range(self.params.middle):
            state = self.guided(state, lift=True)
        middle = state
        for _ in range(self.params.late):
            state = unit(self.update(state))
        return early, middle, state


def _stages(image: Image8, params: BscaParams) -> dict[str, tuple[Labels, Vector]]:
    """Return the region values that lead to the map, in order, each with its segmentation."""
    planes = lab_planes(image)
    # (7) the background map has superpixels of its own; the automaton starts from its means over the cells
    coarse, count = slic_lab(planes, params.regions, params.background_compactness)
    border = border_regions(coarse, count)
    background = background_saliency(_stretched(planes, coarse, count), centroids(coarse, count), border, params)
    labels, count = slic_lab(planes, params.regions, params.compactness)
    start = means(labels, count, background[coarse][..., None])[:, 0].astype(np.float32)
    if not start.any():  # a constant image: the automaton would draw the shape of its graph
        return {"map": (labels, start)}
    # (8) cells touch, share a neighbour, or both lie at the border (F of eq. 4)
    border = border_regions(labels, count)
    links = two_rings(with_clique(adjacency(labels, count, diagonal=True), border))
    affinity = colour_affinity(lab_colours(means(labels, count, image)), links, params.steepness)
    automaton = Automaton.of(affinity, border, params)
    early, middle, late = automaton.run(start)
    return {
        "background map": (coarse, background),
        "coherence": (labels, automaton.coherence),
        "border pushed down": (labels, early),
        "foreground lifted": (labels, middle),
        "map": (labels, late),
    }


def _stretched(planes: Planes, labels: Labels, count: int) -> Floats:
    """Return the mean CIELAB of the regions, each channel stretched by its range over the pixels: (N, 3) in [0, 1]."""
    low, span = planes.min(axis=(1, 2)), np.ptp(planes, axis=(1, 2))
    return np.asarray((means(labels, count, np.moveaxis(planes, 0, 2)) - low) / np.where(span > 0, span, 1))


def compute(image: Image8, params: BscaParams) -> FloatMap:
    """Return the BSCA map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    canvas = Canvas.of(image, params.side, params.frame)
    return canvas.paint(*_stages(canvas.image, params)["map"])


def steps(image: Image8, params: BscaParams) -> dict[str, FloatMap]:
    """Return the maps that lead to the BSCA map, which is the last: name to (H, W) float32 in [0, 1]."""
    canvas = Canvas.of(image, params.side, params.frame)
    return {name: canvas.paint(*stage) for name, stage in _stages(canvas.image, params).items()}


PRIOR = Prior("BSCA", "Qin et al., CVPR 2015", BscaParams, compute, steps)
