"""The inference of ``sodlift.crf.dense`` for images of any sizes at once, in plain torch operations, for a GPU.

The mathematics are those of ``lattice``, ``kernels`` and ``dense``, down to the order of operations, so that a pixel
takes the same simplex. A vertex's name has the number of its image as one more digit: all images lie on one lattice,
and no two of them touch. Vertices are numbered by sorting the names instead of by a hash table, and a vertex's values
are summed as one run of the sorted names: no sum depends on which thread came first.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sodlift.arrays import FloatMap, Image8
from sodlift.crf.dense import Pairwise
from sodlift.crf.unary import Energies
from sodlift.errors import ConfigError


@torch.inference_mode()
def infer(
    images: Sequence[Image8], energies: Sequence[Energies], pairwise: Pairwise, device: torch.device
) -> list[FloatMap]:
    """Return of each image what ``sodlift.crf.dense.infer`` does, up to rounding.

    Parameters
    ----------
    images : sequence of (H, W, 3) uint8
        RGB, of any sizes; at least one.
    energies : sequence of (2, H, W) float32
        Unary energies of background and foreground, one for each image.
    pairwise : Pairwise
        The kernels.
    device : torch.device
        Where it is worked out; ``docs/refiners/densecrf.md`` has the memory that a pixel needs.

    Returns
    -------
    list of (H, W) float32
        In [0, 1].

    Raises
    ------
    ConfigError
        If a kernel's deviations are too small beside the images to be put on a lattice.
    """
    sizes = [(image.shape[0], image.shape[1]) for image in images]
    owner, position = _pixels(sizes, device)
    colour = torch.from_numpy(np.concatenate([image.reshape(-1, 3) for image in images])).to(device).T.float()
    unary = torch.from_numpy(np.concatenate([(one[0] - one[1]).ravel() for one in energies])).to(device)
    near = _over(position, pairwise.smooth_sxy)
    alike = torch.cat([_over(position, pairwise.bilateral_sxy), _over(colour, pairwise.bilateral_srgb)])
    kernels = (
        (_kernel(near, owner), pairwise.smooth_weight),
        (_kernel(alike, owner), pairwise.bilateral_weight),
    )
    constant = unary
    for kernel, weight in kernels:
        constant = constant - weight * kernel.of_ones
    foreground = _logistic(unary)
    for _ in range(pairwise.steps):
        logit = constant
        for kernel, weight in kernels:
            logit = logit + 2 * weight * kernel.filter(foreground)
        foreground = _logistic(logit)
    parts = np.split(foreground.cpu().numpy(), np.cumsum([height * width for height, width in sizes])[:-1])
    return [part.reshape(size) for part, size in zip(parts, sizes, strict=True)]


def _pixels(sizes: Sequence[tuple[int, int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return of every pixel of all images the number of its image, (n,) int64, and its x and y, (2, n) float32."""
    height, width = torch.tensor(sizes, device=device).T
    count = height * width
    owner = torch.repeat_interleave(count)
    within = torch.arange(len(owner), device=device) - (count.cumsum(0) - count)[owner]
    return owner, torch.stack([within % width[owner], within // width[owner]]).float()


def _over(values: Tensor, deviation: float) -> Tensor:
    """Return values / deviation, rounded as a division: by a plain number, torch multiplies on a GPU."""
    return values / torch.full((), deviation, device=values.device)


def _logistic(logits: Tensor) -> Tensor:
    return (1 + torch.tanh(0.5 * logits)) * 0.5


class _Lattice(NamedTuple):
    """Points on a lattice; its m vertices are numbered in the order of their names.

    Attributes
    ----------
    corners : (d + 1, n) int32
        The vertices around each point.
    weights : (d + 1, n) float32
        Barycentric.
    order : (n (d + 1),) int32
        The places in ``corners`` sorted by their vertex.
    bounds : (m + 1,) int64
        Where each vertex's run in ``order`` begins, and where the last one ends.
    neighbours : (d + 1, 2, m) int32
        Of each vertex along each axis; m where there is none.
    """

    corners: Tensor
    weights: Tensor
    order: Tensor
    bounds: Tensor
    neighbours: Tensor

    def filter(self, values: Tensor) -> Tensor:
        """Splat, blur along every axis, slice: (n,) float32 to the same."""
        spread = (self.weights * values).flatten().index_select(0, self.order)
        lattice = torch.segment_reduce(spread, "sum", offsets=self.bounds)
        for along in self.neighbours:
            beside = functional.pad(lattice, (0, 1))
            lattice = lattice + 0.5 * (beside.index_select(0, along[0]) + beside.index_select(0, along[1]))
        read = lattice.index_select(0, self.corners.flatten()).view_as(self.weights)
        return (self.weights * read).sum(0) * float(np.float32(1 / (1 + 2.0 ** -(len(self.weights) - 1))))


class _Kernel(NamedTuple):
    """What ``sodlift.crf.kernels.Kernel`` is, for all images."""

    lattice: _Lattice
    scale: Tensor
    of_ones: Tensor

    def filter(self, values: Tensor) -> Tensor:
        """Return K~ values, of (n,) float32."""
        return self.scale * self.lattice.filter(self.scale * values)


def _kernel(features: Tensor, owner: Tensor) -> _Kernel:
    """Return the kernel of features (d, n) of the pixels of several images."""
    lattice = _build(features, owner)
    scale = lattice.filter(torch.ones_like(features[0])).sqrt().reciprocal()
    return _Kernel(lattice, scale, scale * lattice.filter(scale))


def _build(features: Tensor, owner: Tensor) -> _Lattice:
    """Put points (d, n) on the lattice, those of each image on a part of its own."""
    base, turn, weights = _simplices(features)
    steps, every = _steps(base, int(owner[-1]) + 1)
    corners = _names(base, turn, steps) + every * owner
    del base, turn  # a third of what is held when the names are sorted
    names, order = corners.flatten().sort(stable=True)
    vertices, number, counts = torch.unique_consecutive(names, return_inverse=True, return_counts=True)
    corners = torch.empty_like(number, dtype=torch.int32)
    corners[order] = number.int()
    bounds = functional.pad(counts.cumsum(0), (1, 0))
    return _Lattice(corners.view_as(weights), weights, order.int(), bounds, _neighbours(vertices, steps))


def _simplices(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return of points (d, n) the q_i of their simplex's corner 0, when each coordinate turns back, and the weights.

    Each (d + 1, n). A coordinate that turns back at t is one farther at corners 1 .. t, and d back at t + 1.
    """
    d, count = features.shape
    # As in ``lattice``: a blur step has the variance 1/2 along each of d + 1 axes.
    scale = [float(np.float32(np.sqrt(2 / 3) * (d + 1) / np.sqrt((i + 1) * (i + 2)))) for i in range(d)]
    lifted, total = features.new_empty(d + 1, count), features.new_zeros(count)
    for i in range(d, 0, -1):
        scaled = features[i - 1] * scale[i - 1]
        lifted[i] = total - i * scaled
        total = total + scaled
    lifted[0] = total
    inverse = float(np.float32(1 / (d + 1)))
    quotient = lifted * inverse
    above, below = quotient.ceil(), quotient.floor()
    nearest = torch.where(above - quotient < quotient - below, above, below)
    offset = lifted - nearest * (d + 1)
    base = nearest.int()
    # Rounding may have left the plane; the coordinates that were rounded farthest go back.
    rank = offset.argsort(dim=0, descending=True, stable=True).argsort(dim=0) + base.sum(0)
    back = (rank < 0).int() - (rank > d).int()
    base += back
    turn = d - rank - (d + 1) * back
    share = torch.empty_like(offset).scatter_(0, turn, (offset - (d + 1) * back) * inverse)
    weights = torch.cat([share[:1] + 1 - share[-1:], share[1:] - share[:-1]])
    return base, turn, weights


def _steps(base: Tensor, images: int) -> tuple[Tensor, int]:
    """Return the step of a vertex's name along each coordinate, (d + 1,) int64, and from one image to the next."""
    d = len(base) - 1
    # A corner may be one less, its neighbours one less or more again.
    spans = [int(high) - int(low) + 4 for low, high in zip(base.amin(1), base.amax(1), strict=True)][:d]
    strides = [d + 1]
    for span in spans:
        strides.append(strides[-1] * span)
    if strides[-1] * images >= 2**63:
        raise ConfigError(
            f"features of a dense CRF span {max(spans) * (d + 1)} lattice steps in {d} dimensions, in {images} images",
            expected="standard deviations that are not that small beside the image",
            mend="raise sxy or srgb of the kernel, or refine fewer images at once",
        )
    return torch.tensor([*strides[:d], 0], device=base.device), strides[
        d
    ]  # the last coordinate follows from the others


def _names(base: Tensor, turn: Tensor, steps: Tensor) -> Tensor:
    """Return the names of the corners of each point, (d + 1, n) int64."""
    low = base.amin(1, keepdim=True) - 2
    first = ((base - low) * steps[:, None]).sum(0)
    turned = torch.empty_like(turn).scatter_(0, turn, steps[:, None].expand_as(turn))
    back = functional.pad(turned[:-1].cumsum(0), (0, 0, 1, 0))
    return first + torch.arange(len(base), device=base.device)[:, None] - back


def _neighbours(vertices: Tensor, steps: Tensor) -> Tensor:
    """Return the neighbours (d + 1, 2, m) of vertices that are given by their sorted names."""
    d, count = len(steps) - 1, len(vertices)
    found = torch.full((d + 1, 2, count + 1), count, dtype=torch.int32, device=vertices.device)
    numbers = torch.arange(count, dtype=torch.int32, device=vertices.device)
    # One step down: k - 1, or from 0 round to d; along the axis q grows by 1 beside the others.
    down = torch.where(vertices % (d + 1) == 0, vertices - steps.sum() + d, vertices - 1)
    for axis in range(d + 1):
        wanted = down + steps[axis]
        place = torch.searchsorted(vertices, wanted)
        there = vertices[place.clamp_(max=count - 1)] == wanted
        place = torch.where(there, place, count)
        found[axis, 0, :count] = place
        found[axis, 1, place] = numbers  # those without a neighbour write to the end, which is cut off
    return found[:, :, :count].contiguous()
