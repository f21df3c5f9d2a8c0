"""The guided filter as a refiner: the prior as a local linear function of the image's colours.

K. He, J. Sun, X. Tang, "Guided image filtering", ECCV 2010; TPAMI 35(6), 2013 (Sec. 3.4, colour guides; OpenCV's).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sodlift.arrays import FloatMap, Image8
from sodlift.errors import ConfigError
from sodlift.refiners._base import Refined, Refiner, RefinerType


@dataclass(frozen=True)
class GuidedFilterOptions:
    """Options of the guided filter.

    Attributes
    ----------
    radius : float
        Of its windows: below 1 a share of the image's shorter side (at least one pixel), from 1 a number of pixels.
    eps : float
        Variance of the guide, colours in [0, 1], from which on an edge is kept (Eq. 5); above 0.

    Raises
    ------
    ConfigError
        If one of them is out of its range.
    """

    radius: float = 0.02
    eps: float = 1e-4

    def __post_init__(self) -> None:
        if not 0 < self.radius < np.inf or (self.radius >= 1 and self.radius % 1):
            raise ConfigError(
                f"{self.radius!r} is not allowed", where="radius", expected="a share below 1, or a number of pixels"
            )
        if not 0 < self.eps < np.inf:
            raise ConfigError(f"{self.eps!r} is not allowed", where="eps", expected="above 0")

    @classmethod
    def presets(cls) -> "dict[str, GuidedFilterOptions]":
        """Return settings by name: ours, and what the paper feathers binary masks with."""
        return {"default": cls(), "feathering": cls(radius=60, eps=1e-6)}

    def pixels(self, size: tuple[int, int]) -> int:
        """Return the radius in an image of ``size``, in pixels."""
        return int(self.radius) if self.radius >= 1 else max(1, round(self.radius * min(size)))


@dataclass(frozen=True)
class GuidedFilter:
    """The guided filter ready to refine."""

    options: GuidedFilterOptions

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB; no map is refused."""
        if prior.min() == prior.max():
            return Refined(prior.copy())  # its own result; the filter would round it
        radius = self.options.pixels((prior.shape[0], prior.shape[1]))
        # on the scale of 255: where the determinant of a window's covariance is small, OpenCV passes over the guide
        filtered = cv2.ximgproc.guidedFilter(image, prior, radius, self.options.eps * 255**2)
        # a linear function leaves [0, 1] beside strong edges
        return Refined(np.asarray(np.clip(filtered, 0, 1), dtype=np.float32))


def _load(options: Any, weights: Path | None, device: str) -> Refiner:
    return GuidedFilter(options)


REFINER = RefinerType(
    title="Guided filter",
    source="He, Sun and Tang, ECCV 2010",
    learns_from=None,
    deep=False,
    options=GuidedFilterOptions,
    load=_load,
)
