"""SIFT flow: dense correspondence between different scenes (Liu, Yuen, Torralba, PAMI 2011).

The displacement w = (u, v) of each pixel p is found that makes least

    sum_p |s1(p) - s2(p + w)|_1 + gamma (|u| + |v|) + sum_pq min(alpha |u_p - u_q|, d) + min(alpha |v_p - v_q|, d)

over neighbours pq, s being SIFT descriptors. Belief propagation runs on two layers, one of u and one of v, joined at
each pixel by the data term; from coarse to fine, each level within a window around what the last one found.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sodlift.alignment._propagation import beliefs, data_costs, halved
from sodlift.alignment.dense_sift import LENGTH, Descriptors
from sodlift.errors import ConfigError, DataError

Flow = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SiftFlowOptions:
    """Weights and schedule; descriptors are unit vectors times 255.

    Defaults bend more easily than the published weights and keep nearer to no displacement: between different scenes
    they carry masks over better (docs/alignment.md).

    Attributes
    ----------
    alpha : float
        Cost of each pixel by which neighbours' displacements differ.
    truncation : float
        The most that such a difference costs (d of the paper).
    gamma : float
        Cost of each pixel of a displacement, in pixels of the image on every level.
    levels : int
        Of the pyramid, each half the size of the one before.
    top_reach, reach : int
        Pixels that the search reaches in each direction, on the coarsest level and on all others.
    top_iterations, iterations : int
        Sweeps of belief propagation, likewise.
    """

    alpha: float = 0.5 * 255
    truncation: float = 10.0 * 255
    gamma: float = 0.02 * 255
    levels: int = 4
    top_reach: int = 10
    reach: int = 2
    top_iterations: int = 60
    iterations: int = 30

    @classmethod
    def published(cls) -> "SiftFlowOptions":
        """Return the weights that the authors use."""
        return cls(alpha=2.0 * 255, truncation=40.0 * 255, gamma=0.005 * 255)

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 0 or (value == 0 and name in ("levels", "top_iterations", "iterations")):
                raise ConfigError(
                    f"{value!r} is not allowed", where=name, expected="above 0 (weights and reaches: or 0)"
                )


class Matched(NamedTuple):
    """What SIFT flow finds for each pixel of the first image.

    Attributes
    ----------
    flow : (H, W, 2) int32
        Its displacement (u, v), along x and y, to its partner in the second image, which lies within that image.
    distance : (H, W) float32
        L1 distance of the two descriptors.
    """

    flow: Flow
    distance: Floats


def sift_flow(first: Descriptors, second: Descriptors, options: SiftFlowOptions = SiftFlowOptions()) -> Matched:
    """Match two images by their descriptors.

    Parameters
    ----------
    first, second : (H, W, 128) uint8
        From ``dense_sift``, of images that were resized to one size.
    options : SiftFlowOptions
        Weights and schedule.

    Raises
    ------
    DataError
        If they are not of one size.
    """
    if first.shape != second.shape or first.ndim != 3 or first.shape[2] != LENGTH:
        raise DataError(
            f"descriptors of sizes {first.shape} and {second.shape} cannot be matched",
            expected=f"both (H, W, {LENGTH}), of one size",
            mend="resize both images to one size before dense_sift",
        )
    pyramid = [(first, second)]
    for _ in range(options.levels - 1):
        if min(pyramid[-1][0].shape[:2]) < 2:
            break
        pyramid.append((halved(pyramid[-1][0]), halved(pyramid[-1][1])))
    flow = np.zeros((*pyramid[-1][0].shape[:2], 2), np.int32)
    for level in range(len(pyramid) - 1, -1, -1):
        top = level == len(pyramid) - 1
        if not top:
            flow = _doubled(flow, pyramid[level][0].shape[0], pyramid[level][0].shape[1])
        reach, sweeps = (options.top_reach, options.top_iterations) if top else (options.reach, options.iterations)
        flow = _matched(*pyramid[level], flow, options, options.gamma * 2**level, reach, sweeps)
    return Matched(flow, _distances(first, second, flow))


def _doubled(flow: Flow, height: int, width: int) -> Flow:
    """Return the flow of a level at the size of the next finer one."""
    rows = np.minimum(np.arange(height) // 2, flow.shape[0] - 1)
    columns = np.minimum(np.arange(width) // 2, flow.shape[1] - 1)
    doubled: Flow = 2 * flow[rows[:, None], columns]
    return doubled


def _matched(
    first: Descriptors,
    second: Descriptors,
    centre: Flow,
    options: SiftFlowOptions,
    gamma: float,
    reach: int,
    sweeps: int,
) -> Flow:
    """Return the best flow within ``reach`` of ``centre``; ``gamma`` is that of this level's pixels."""
    costs = data_costs(first, second, centre, reach)
    own = np.ascontiguousarray(centre.transpose(0, 2, 1)).astype(np.float32)
    choice = beliefs(costs, own, sweeps, options.alpha, options.truncation, gamma)
    flow = centre + (choice.transpose(0, 2, 1) - reach)
    height, width = first.shape[:2]
    y, x = np.mgrid[:height, :width]
    flow[..., 0] = np.clip(x + flow[..., 0], 0, width - 1) - x
    flow[..., 1] = np.clip(y + flow[..., 1], 0, height - 1) - y
    return flow


def _distances(first: Descriptors, second: Descriptors, flow: Flow) -> Floats:
    """Return the L1 distance of each pixel's descriptor to its partner's."""
    return data_costs(first, second, flow, 0)[:, 0, 0]
