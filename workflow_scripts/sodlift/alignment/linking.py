"""Superpixels of one image linked to those of another: MIJR's bi-level alignment (TMM 2020, Sec. III-A, Eq. 1-3).

Superpixel s may link to t, box i to j. With d(s, t) the mean SIFT distance of the pixels that the flow links (Eq. 2),

    g(i, j) = mean of d over links from i into j + the share of the boxes' links that do not join them        (Eq. 3)

and the two levels in turn keep their K best links, K = 10, 9 .. 1 (Eq. 1): boxes by g and by how likely they hold an
object, superpixels by d, by how far they lie from where the flow leads, and by how well linked boxes back them.
docs/alignment.md tells where the paper is silent.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.alignment.scene import Scene
from sodlift.alignment.sift_flow import Matched
from sodlift.errors import ConfigError, DataError

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]

CANDIDATES = 30
"""How many superpixels around where the flow takes a superpixel it may link to."""
_TYPICAL = np.float32(1500)
"""A SIFT distance of pixels that the flow links in different scenes; distances are counted in it."""
_UNLINKED = np.float32(1.2)
"""d of superpixels that no pixel links; the paper's 0/0."""


@dataclass(frozen=True)
class LinkOptions:
    """What links superpixels.

    Attributes
    ----------
    level : {"flow", "mid", "bilevel"}
        The flow alone; linked boxes alone (a superpixel keeps its place within them); or both in turn.
    top : int
        Partners of each superpixel.
    start : int
        K of the first round.
    radius : float
        Pixels off where a superpixel should go that cost as much as a typical SIFT distance.
    backing : float
        Weight of the boxes against the flow.
    sharpness : float
        How much a box's link is worth less as g grows.
    """

    level: Literal["flow", "mid", "bilevel"] = "bilevel"
    top: int = 1
    start: int = 10
    radius: float = 30.0
    backing: float = 1.0
    sharpness: float = 4.0

    def __post_init__(self) -> None:
        if self.level not in ("flow", "mid", "bilevel"):
            raise ConfigError(f"{self.level!r} is no level", where="level", expected="flow, mid or bilevel")
        for name in ("top", "start", "radius", "backing", "sharpness"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{getattr(self, name)!r} is not allowed", where=name, expected="above 0")


class Links(NamedTuple):
    """Partners of each superpixel of the first image.

    Attributes
    ----------
    partner : (n, top) int32
        Superpixels of the second image, most trusted first; -1 where it has no more.
    cost : (n, top) float32
        Ascending, at least 0, +inf where there is no partner; in the same units whatever the second image.
    """

    partner: Indices
    cost: Floats


def link(first: Scene, second: Scene, matched: Matched, options: LinkOptions = LinkOptions()) -> Links:
    """Link each superpixel of ``first`` to those of ``second``.

    Parameters
    ----------
    first, second : Scene
        Where either has no boxes, or none that stands out, every level is the flow's.
    matched : Matched
        Of ``sift_flow``, from the first to the second.

    Raises
    ------
    DataError
        If the flow is not of the scenes' size.
    """
    if matched.flow.shape != (*first.labels.shape, 2):
        raise DataError(
            f"a flow of shape {matched.flow.shape}",
            expected=f"{(*first.labels.shape, 2)}",
            mend="run sift_flow on the two scenes' describe()",
        )
    landing, distances = _flown(first, second, matched)
    partner, off = _around(landing, second, options.radius)
    d = np.take_along_axis(distances, partner, axis=1)
    cost = d + off
    if options.level == "flow" or not (first.members.worth.any() and second.members.worth.any()):
        return _best(partner, cost, options.top)
    if options.level == "mid":
        g = proposal_costs(first, second, *_kept(1, cost, partner, d))
        return _best(*_around(_placed(first, second, g, options), second, options.radius), options.top)
    # Boxes count as the flow fails: where it finds equal descriptors everywhere, nothing is left to correct.
    weight = np.float32(options.backing) * matched.distance.mean() / _TYPICAL
    for kept in range(options.start, 0, -1):
        g = proposal_costs(first, second, *_kept(kept, cost, partner, d))
        cost = d + off + weight * _unbacked(first, second, partner, g, kept, options)
    return _best(partner, cost, options.top)


def proposal_costs(first: Scene, second: Scene, partner: Indices, d: Floats) -> Floats:
    """Return g of Eq. 3 (boxes, boxes), from superpixels' links ``partner`` (n, K) and their ``d`` (n, K).

    The paper sums d, which is least for boxes that share nothing. This is the mean, plus the share, from 0 to 1, of the
    two boxes' links that do not join them; +inf where none does.
    """
    counts, sums = _into_boxes(partner, d, second.held)
    joined, total = first.held.T @ counts, first.held.T @ sums
    both = first.held.sum(axis=0)[:, None] * partner.shape[1] + counts.sum(axis=0)
    g = total / np.maximum(joined, 1) + 1 - 2 * joined / np.maximum(both, 1)
    return np.where(joined > 0, g, np.float32(np.inf))


def _flown(first: Scene, second: Scene, matched: Matched) -> tuple[npt.NDArray[np.float64], Floats]:
    """Return where the flow takes each superpixel on average (n, 2), x and y, and d of all pairs (n, m) (Eq. 2)."""
    pixels = np.zeros((first.count, second.count), np.float32)
    sums, landing = np.zeros_like(pixels), np.zeros((first.count, 2))
    _gather(first.labels, second.labels, matched.flow, matched.distance, pixels, sums, landing)
    d = np.where(pixels > 0, sums / np.maximum(pixels * _TYPICAL, 1), _UNLINKED)
    return landing / pixels.sum(axis=1, keepdims=True), d


def _around(landing: npt.NDArray[np.float64], second: Scene, radius: float) -> tuple[Indices, Floats]:
    """Return the superpixels nearest to each place (n, c), and their squared distances from it in radii."""
    to, centres = landing.astype(np.float32), second.centres.astype(np.float32)
    squares = (to[:, :1] - centres[:, 0]) ** 2 + (to[:, 1:] - centres[:, 1]) ** 2
    count = min(CANDIDATES, second.count)
    partner = np.sort(np.argpartition(squares, count - 1, axis=1)[:, :count], axis=1)
    off = np.take_along_axis(squares, partner, axis=1) / radius**2
    return partner.astype(np.int32), off.astype(np.float32)


def _kept(count: int, cost: Floats, partner: Indices, d: Floats) -> tuple[Indices, Floats]:
    """Return the ``count`` links of least cost, and their d."""
    least = np.argpartition(cost, min(count, cost.shape[1]) - 1, axis=1)[:, :count]
    return np.take_along_axis(partner, least, axis=1), np.take_along_axis(d, least, axis=1)


def _best(partner: Indices, cost: Floats, top: int) -> Links:
    """Return the ``top`` partners of least cost, in order; equal ones in theirs."""
    order = np.argsort(cost, axis=1, kind="stable")[:, :top]
    missing = ((0, 0), (0, top - order.shape[1]))
    return Links(
        np.pad(np.take_along_axis(partner, order, axis=1), missing, constant_values=-1),
        np.pad(np.take_along_axis(cost, order, axis=1), missing, constant_values=np.inf),
    )


def _worth(first: Scene, second: Scene, g: Floats, sharpness: float) -> Floats:
    """Return how much links of boxes count (boxes, boxes), the more the lower their g."""
    worth = first.members.worth[:, None] * second.members.worth
    return np.asarray(worth * np.exp(np.float32(-sharpness) * g), dtype=np.float32)


def _unbacked(first: Scene, second: Scene, partner: Indices, g: Floats, kept: int, options: LinkOptions) -> Floats:
    """Return what each link (n, c) lacks in backing by boxes against the best backed one, in root mean squares.

    Linked boxes back the links of what belongs to one's object to what belongs to the other's, and of what does not
    to what does not.
    """
    worth = _worth(first, second, g, options.sharpness)
    kept = min(kept, worth.shape[1])
    worth[worth < np.partition(worth, -kept, axis=1)[:, -kept, None]] = 0
    backing = _products(first.members.belongs @ worth, second.members.belongs, partner)
    backing /= max(np.sqrt(np.mean(backing**2)), np.float32(1e-12))
    return np.asarray(backing.max(axis=1, keepdims=True) - backing)


def _placed(first: Scene, second: Scene, g: Floats, options: LinkOptions) -> npt.NDArray[np.float64]:
    """Return where superpixels' places within their boxes are in the boxes' partners of least g (n, 2), x and y.

    The mean over all boxes that hold a superpixel; its own place where none does.
    """
    here, there = (scene.proposals.boxes.astype(float) for scene in (first, second))
    # Of partners with equal g, which hold the same superpixels, the one that is most alike.
    unlike = np.abs(here[:, None] - there).sum(axis=2)
    best = (g + 1e-6 * unlike).argmin(axis=1)
    worth = _worth(first, second, g, options.sharpness)[np.arange(len(here)), best] * first.held
    scale = there[best, 2:] / here[:, 2:]
    shift = there[best, :2] - here[:, :2] * scale
    total = worth.sum(axis=1, keepdims=True)
    placed = (worth @ shift + worth @ scale * first.centres) / np.maximum(total, 1e-30)
    return np.asarray(np.where(total > 1e-12, placed, first.centres))


@njit(nogil=True, cache=True)
def _gather(first, second, flow, distance, pixels, sums, landing):  # type: ignore[no-untyped-def]
    """Count the pixels that link superpixels, add up their distances, and the places that they land at."""
    for y in range(first.shape[0]):
        for x in range(first.shape[1]):
            s, to_x, to_y = first[y, x], x + flow[y, x, 0], y + flow[y, x, 1]
            t = second[to_y, to_x]
            pixels[s, t] += 1
            sums[s, t] += distance[y, x]
            landing[s, 0] += to_x
            landing[s, 1] += to_y


@njit(nogil=True, cache=True)
def _into_boxes(partner, d, held):  # type: ignore[no-untyped-def]
    """Return how many links of each superpixel lead into each box (n, boxes), and the sum of their d."""
    counts = np.zeros((partner.shape[0], held.shape[1]), np.float32)
    sums = np.zeros_like(counts)
    for s in range(partner.shape[0]):
        for k in range(partner.shape[1]):
            boxes = held[partner[s, k]]
            for j in range(boxes.size):
                counts[s, j] += boxes[j]
                sums[s, j] += boxes[j] * d[s, k]
    return counts, sums


@njit(nogil=True, cache=True, fastmath=True)
def _products(rows, columns, partner):  # type: ignore[no-untyped-def]
    """Return the inner products of each row s (n, k) with the columns (m, k) that ``partner`` (n, c) names: (n, c)."""
    made = np.empty(partner.shape, np.float32)
    for s in range(partner.shape[0]):
        for c in range(partner.shape[1]):
            total = np.float32(0)
            for k in range(rows.shape[1]):
                total += rows[s, k] * columns[partner[s, c], k]
            made[s, c] = total
    return made
