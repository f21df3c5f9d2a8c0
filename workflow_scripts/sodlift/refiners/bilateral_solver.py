"""The fast bilateral solver as a refiner: smooth within colours, true to the prior where that is sure.

J. T. Barron, B. Poole, "The fast bilateral solver", ECCV 2016. OpenCV has it too, but not in its packages on PyPI,
which are built without Eigen; so this is our own, on NumPy and SciPy.

It minimises over maps x (Eq. 1, W^ bistochastic, t the prior, c the confidence)

    lambda / 2 sum_ij W^_ij (x_i - x_j)^2 + sum_i c_i (x_i - t_i)^2

with x = S' y for values y of the occupied cells of a grid over position and colour (Sec. 2.1): A y = b with
A = lambda (D_m - D_n B D_n) + diag(S c) and b = S (c t).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array, diags_array

from sodlift.arrays import FloatMap, Image8
from sodlift.errors import ConfigError
from sodlift.refiners._base import Refined, Refiner, RefinerType

Numbers = npt.NDArray[np.float64]

ROUNDS = 20
"""Of making the blur bistochastic (Alg. 1); after them its row sums are right to 1e-6."""

TOLERANCE = 1e-5
"""Share of b's length at which the residual is small enough."""


@dataclass(frozen=True)
class BilateralSolverOptions:
    """Options of the bilateral solver.

    Attributes
    ----------
    space : float
        Side of a cell in pixels.
    luma, chroma : float
        Its side in brightness, and in each of the two colour differences (YCrCb), on the scale 0 to 255.
    smoothness : float
        Lambda, the weight of smoothness against confidence.
    doubt : float
        Confidence of a pixel at 1/2. A pixel's confidence is how far it is from there, ``|2 p - 1|``, at least this.
    iterations : int
        Steps of preconditioned conjugate gradients, at most.

    Raises
    ------
    ConfigError
        If one of them is out of its range.
    """

    space: float = 8
    luma: float = 4
    chroma: float = 4
    smoothness: float = 128
    doubt: float = 0.01
    iterations: int = 50

    def __post_init__(self) -> None:
        for key in ("space", "luma", "chroma"):
            if not 1 <= getattr(self, key) < np.inf:
                raise ConfigError(f"{getattr(self, key)!r} is not allowed", where=key, expected="1 or more")
        if not 0 < self.smoothness < np.inf:
            raise ConfigError(f"{self.smoothness!r} is not allowed", where="smoothness", expected="above 0")
        if not 0 < self.doubt <= 1:
            raise ConfigError(f"{self.doubt!r} is not allowed", where="doubt", expected="above 0, at most 1")
        if self.iterations < 1:
            raise ConfigError(f"{self.iterations!r} is not allowed", where="iterations", expected="1 or more")

    @classmethod
    def presets(cls) -> "dict[str, BilateralSolverOptions]":
        """Return settings by name: ours, and those that OpenCV's function has by default."""
        return {"default": cls(), "opencv": cls(space=8, luma=8, chroma=8, smoothness=128, iterations=25)}


class Grid(NamedTuple):
    """The occupied cells of an image.

    Attributes
    ----------
    cell : (pixels,) int
        The cell of each pixel, row by row.
    blur : (cells, cells) sparse
        B: 1 2 1 along each of the five axes, added up.
    """

    cell: npt.NDArray[np.intp]
    blur: csr_array

    def splat(self, values: npt.NDArray[Any]) -> Numbers:
        """Return S v: the sum of the pixels' values in each cell."""
        return np.bincount(self.cell, values.ravel(), self.blur.shape[0]).astype(np.float64)

    def bistochastic(self) -> tuple[Numbers, Numbers]:
        """Return n and m such that D_n B D_n has the row sums m, which are about the cells' pixels (Alg. 1)."""
        mass = self.splat(np.ones(len(self.cell)))
        n = np.ones(len(mass))
        for _ in range(ROUNDS):
            n = np.sqrt(n * mass / (self.blur @ n))
        return n, n * (self.blur @ n)


def grid(image: Image8, options: BilateralSolverOptions) -> Grid:
    """Return the occupied cells of an image (H, W, 3) uint8 RGB."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width]
    colours = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    sides = (options.space, options.space, options.luma, options.chroma, options.chroma)
    axes = [
        np.rint(values.ravel() / side).astype(np.int64) + 1  # an empty cell on either side, so that none wraps around
        for values, side in zip((y, x, *np.moveaxis(colours, 2, 0)), sides, strict=True)
    ]
    lengths = [int(axis.max()) + 2 for axis in axes]
    strides = np.cumprod([1, *lengths[:0:-1]])[::-1]
    cells, cell = np.unique(sum(axis * int(by) for axis, by in zip(axes, strides, strict=True)), return_inverse=True)
    count, own = len(cells), np.arange(len(cells))
    rows, columns, values = [own], [own], [np.full(count, 2.0 * len(axes))]
    for by in strides:
        there = np.minimum(np.searchsorted(cells, cells + by), count - 1)
        joined = own[cells[there] == cells + by]
        rows += [joined, there[joined]]
        columns += [there[joined], joined]
        values += [np.ones(len(joined))] * 2
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return Grid(cell.ravel(), coo_array(entries, shape=(count, count)).tocsr())


def solve(on: Grid, target: FloatMap, confidence: FloatMap, smoothness: float, iterations: int) -> FloatMap:
    """Return the smooth map (H, W) of a target (H, W) with a positive confidence (H, W)."""
    n, m = on.bistochastic()
    trust, right = on.splat(confidence), on.splat(confidence * target)
    system = (diags_array(smoothness * m + trust) - smoothness * (diags_array(n) @ on.blur @ diags_array(n))).tocsr()
    values = _conjugate_gradients(system, right, right / trust, iterations)
    return values[on.cell].reshape(target.shape).astype(np.float32)


def _conjugate_gradients(system: csr_array, right: Numbers, start: Numbers, iterations: int) -> Numbers:
    """Solve a positive definite system, its diagonal as the preconditioner (Sec. 3).

    SciPy's own takes its products from BLAS, whose last bits change with the number of threads.
    """
    diagonal = system.diagonal()
    x, residual = start, right - system @ start
    direction = scaled = residual / diagonal
    for _ in range(iterations):
        if _dot(residual, residual) <= TOLERANCE**2 * _dot(right, right):
            break
        before, moved = _dot(residual, scaled), system @ direction
        step = before / _dot(direction, moved)
        x, residual = x + step * direction, residual - step * moved
        scaled = residual / diagonal
        direction = scaled + _dot(residual, scaled) / before * direction
    return x


def _dot(a: Numbers, b: Numbers) -> float:
    return float((a * b).sum())


@dataclass(frozen=True)
class BilateralSolver:
    """The bilateral solver ready to refine."""

    options: BilateralSolverOptions

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB; no map is refused."""
        if prior.min() == prior.max():
            return Refined(prior.copy())  # its own result
        confidence = np.maximum(np.abs(2 * prior - 1), np.float32(self.options.doubt))
        on = grid(image, self.options)
        solved = solve(on, prior, confidence, self.options.smoothness, self.options.iterations)
        return Refined(np.clip(solved, 0, 1))  # the exact solution lies within; a last step may not


def _load(options: Any, weights: Path | None, device: str) -> Refiner:
    return BilateralSolver(options)


REFINER = RefinerType(
    title="Bilateral solver",
    source="Barron and Poole, ECCV 2016",
    learns_from=None,
    deep=False,
    options=BilateralSolverOptions,
    load=_load,
)
