"""The two kernels of a dense CRF over an image, on lattices and symmetrically normalised."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sodlift.arrays import Image8
from sodlift.crf import lattice
from sodlift.crf.lattice import Floats, Lattice

SIZES = 4
"""Image sizes whose smoothness kernel is kept: sets have few sizes, and it depends on nothing else."""


class Kernel(NamedTuple):
    """K~ = D^-1/2 K D^-1/2, where K(i, j) = exp(-|f_i - f_j|^2 / 2), i = j included, and D has the sums of its rows.

    Attributes
    ----------
    lattice : Lattice
        The pixels' features.
    scale : (n,) float32
        The diagonal of D^-1/2.
    of_ones : (n,) float32
        K~ 1.
    """

    lattice: Lattice
    scale: Floats
    of_ones: Floats

    def __matmul__(self, values: Floats) -> Floats:
        """Return K~ values, of (n,) float32."""
        filtered: Floats = self.scale * self.lattice.filter(self.scale * values)
        return filtered


def _kernel(*features: Floats) -> Kernel:
    """Return the kernel of features that are given one by one, each (H, W)."""
    points = lattice.build(np.stack([feature.ravel() for feature in features], axis=1))
    sums = points.filter(np.ones(features[0].size, np.float32))
    scale = np.reciprocal(np.sqrt(sums))
    return Kernel(points, scale, scale * points.filter(scale))


def _position(size: tuple[int, int], sxy: float) -> tuple[Floats, Floats]:
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    return x / np.float32(sxy), y / np.float32(sxy)


@lru_cache(SIZES)
def smoothness(size: tuple[int, int], sxy: float) -> Kernel:
    """Return the kernel of positions alone, for an image of ``size`` (H, W) and a deviation of ``sxy`` pixels."""
    return _kernel(*_position(size, sxy))


def appearance(image: Image8, sxy: float, srgb: float) -> Kernel:
    """Return the kernel of positions and colours of an image (H, W, 3), with deviations in pixels and grey levels."""
    colours = np.moveaxis(image, 2, 0).astype(np.float32) / np.float32(srgb)
    return _kernel(*_position((image.shape[0], image.shape[1]), sxy), *colours)
