"""MC: saliency by absorbing Markov chains, also printed as AMC.

Source: B. Jiang, L. Zhang, H. Lu, C. Yang, M.-H. Yang, "Saliency Detection via Absorbing Markov Chain", ICCV 2013.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8
from sodlift.priors._affinity import colour_affinity
from sodlift.priors._base import Prior
from sodlift.priors._canvas import Canvas
from sodlift.priors._stretch import unit
from sodlift.superpixels.colour import lab_planes
from sodlift.superpixels.graph import Links, Matrix, adjacency, solve, two_rings
from sodlift.superpixels.regions import Labels, border_regions, means
from sodlift.superpixels.slic import slic_lab

Vector = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class McParams:
    """Parameters of MC, at the reference's values.

    Attributes
    ----------
    side : int
        Longest side worked at, in pixels; larger images are shrunk.
    regions : int
        Superpixels asked for.
    compactness : float
        SLIC's m.
    steepness : float
        How fast an affinity falls with colour distance, one over the paper's sigma squared.
    least_affinity : float
        Added to the affinity of all neighbours.
    frame_affinity : float
        Sum of the affinities between border superpixels and those inside that touch them, up to which the border is
        taken for a drawn frame and left out; 0 keeps all but perfect frames.
    spread : float
        Score of the absorbed times' histogram from which they are weighted by recurrence, at most 5.
    isolated : float
        Degree, with 1 for the superpixel itself, below which a superpixel is judged by its neighbours.
    salient : float
        Saliency of a neighbour above which an isolated superpixel is salient.
    """

    side: int = 1000
    regions: int = 250
    compactness: float = 20.0
    steepness: float = 10.0
    least_affinity: float = 1e-5
    frame_affinity: float = 13.0
    spread: float = 2.0
    isolated: float = 1.1
    salient: float = 0.3


def facing_sides(labels: Labels, count: int) -> Links:
    """Return the links between superpixels at facing pixels of opposite sides of the image (H, W): (N, N) bool."""
    links = np.zeros((count, count), bool)
    for one, other in ((labels[0], labels[-1]), (labels[:, 0], labels[:, -1])):
        links[one, other] = links[other, one] = True
    np.fill_diagonal(links, False)
    return links


@dataclass(frozen=True)
class Chain:
    """An absorbing Markov chain over N superpixels, the transient states, as a linear system.

    Each superpixel at the border has a double that absorbs. A walk goes from i to its neighbour j, stays, or is
    absorbed with probabilities proportional to w_ij, w_ii = 1 and the affinities to the doubled superpixels, its own
    among them.

    Attributes
    ----------
    laplacian : (N, N) float64
        D - W. As Q = D⁻¹ W holds the transient states' transition probabilities, (I - Q) y = u is (D - W) y = D u.
    degree : (N,) float64
        The diagonal of D: sums of the affinities to the transient and to the absorbing states.
    """

    laplacian: Matrix
    degree: Vector

    @classmethod
    def of(cls, affinity: Matrix, border: Mask) -> "Chain":
        """Build the chain from affinities (N, N) with ones on the diagonal and the superpixels (N,) at the border."""
        degree = affinity.sum(axis=1) + affinity[:, border].sum(axis=1)
        return cls(np.diag(degree) - affinity, degree)

    def absorption(self) -> Vector:
        """Return the chance of being absorbed at the next step, from each state: (N,)."""
        return np.asarray(self.laplacian.sum(axis=1) / self.degree)

    def absorbed_time(self) -> Vector:
        """Return the expected number of steps before absorption, from each state: (N,)."""
        return solve(self.laplacian, self.degree)

    def weighted_time(self) -> Vector:
        """Return the same with each visit weighted by the state's time of recurrence, up to a factor: (N,)."""
        # the time of recurrence is inverse to the degree, u = D⁻¹ 1
        return solve(self.laplacian, np.ones_like(self.degree))


def _inside(affinity: Matrix, touching: Links, border: Mask, params: McParams) -> tuple[Mask, Mask]:
    """Return which superpixels take part, all or all within a drawn frame, and which of them are the border."""
    ties = (affinity[border] * touching[border])[:, ~border]
    if ties.size and ties.sum() <= params.frame_affinity:
        return ~border, touching[border].any(axis=0) & ~border
    return np.ones_like(border), border


def _spread(saliency: Vector) -> float:
    """Return how much of N values in [0, 1] is neither high nor low: Σ p_b·min(b, 11 - b) over ten bins, 1 to 5."""
    shares = np.histogram(saliency, bins=10, range=(0, 1))[0] / len(saliency)
    return float((shares * np.minimum(np.arange(1, 11), np.arange(10, 0, -1))).sum())


def _settled(times: Vector, isolated: Mask, touching: Links, params: McParams) -> Vector:
    """Return absorbed times in [0, 1]; a superpixel that few walks leave is salient where a neighbour is."""
    out = np.zeros(len(times))
    out[~isolated] = unit(times[~isolated])
    out[isolated] = (touching[isolated] & (out > params.salient)).any(axis=1)
    return out


def chain_saliency(affinity: Matrix, touching: Links, border: Mask, params: McParams) -> dict[str, Vector]:
    """Return what leads to the saliency of N superpixels, which is the last, by name and in order: (N,) each.

    Parameters
    ----------
    affinity : (N, N) float64
        Symmetric, ones on the diagonal.
    touching : (N, N) bool
        Superpixels that touch.
    border : (N,) bool
        Superpixels at the image's border, one at least.
    params : McParams
    """
    # (3) a border that has little to do with what it surrounds is a frame
    inside, border = _inside(affinity, touching, border, params)
    touching = touching[inside][:, inside]
    chain = Chain.of(affinity[inside][:, inside], border[inside])
    isolated = chain.degree < params.isolated
    isolated &= not isolated.all()
    # (4) absorbed time; where the values are neither high nor low, the walk dwells in plain regions and each visit
    # counts the less, the more often its state is visited anyway
    first = times = _settled(chain.absorbed_time(), isolated, touching, params)
    if _spread(first) >= params.spread:
        times = _settled(chain.weighted_time(), isolated, touching, params)
    stages = {"absorbed at the next step": chain.absorption(), "absorbed time": first, "map": times}
    return {name: _scattered(values, inside) for name, values in stages.items()}


def _scattered(values: Vector, inside: Mask) -> Vector:
    """Return the values of the superpixels ``inside`` among all of them, the others at zero."""
    out = np.zeros(len(inside))
    out[inside] = values
    return out


def _stages(image: Image8, params: McParams) -> tuple[Labels, dict[str, Vector]]:
    """Return the superpixels and their values that lead to the map, by name and in order."""
    planes = lab_planes(image)
    labels, count = slic_lab(planes, params.regions, params.compactness)
    colours = means(labels, count, np.moveaxis(planes, 0, 2))
    if np.ptp(colours, axis=0).max() == 0:
        return labels, {"map": np.zeros(count)}
    # (1) superpixels that touch, or would if the image were a torus, are neighbours; so are their neighbours
    touching = adjacency(labels, count, diagonal=True)
    links = two_rings(touching | facing_sides(labels, count))
    # (2) w = exp(-mm(d) / σ²), and 1 with oneself
    affinity = colour_affinity(colours, links, params.steepness) + params.least_affinity * links
    np.fill_diagonal(affinity, 1.0)
    return labels, chain_saliency(affinity, touching, border_regions(labels, count), params)


def compute(image: Image8, params: McParams) -> FloatMap:
    """Return the MC map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    canvas = Canvas.of(image, params.side)
    labels, stages = _stages(canvas.image, params)
    return canvas.paint(labels, stages["map"])


def steps(image: Image8, params: McParams) -> dict[str, FloatMap]:
    """Return the maps that lead to the MC map, which is the last: name to (H, W) float32 in [0, 1]."""
    canvas = Canvas.of(image, params.side)
    labels, stages = _stages(canvas.image, params)
    return {name: canvas.paint(labels, values) for name, values in stages.items()}


PRIOR = Prior("MC", "Jiang et al., ICCV 2013", McParams, compute, steps)
