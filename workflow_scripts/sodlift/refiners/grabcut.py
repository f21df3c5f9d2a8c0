"""GrabCut as a refiner: two mixtures of Gaussians and a graph cut, begun with thresholds of the prior.

C. Rother, V. Kolmogorov, A. Blake, "GrabCut: interactive foreground extraction using iterated graph cuts", SIGGRAPH
2004 (OpenCV's). The prior takes the place of the user's rectangle and strokes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sodlift.arrays import FloatMap, Image8
from sodlift.errors import ConfigError
from sodlift.refiners._base import Refined, Refiner, RefinerType
from sodlift.refiners._side_by_side import SideBySide

SEED = 0
"""Of the k-means that begins the mixtures; set for each image, so that none depends on those before it.

OpenCV has a generator in each thread, so that images side by side do not share it either.
"""


@dataclass(frozen=True)
class GrabCutOptions:
    """Options of GrabCut; defaults are the preset ``fixed``.

    Attributes
    ----------
    background : float
        Pixels at most this are background for good.
    probable : float
        Of the other pixels, those of at least this begin as foreground.
    foreground : float
        Pixels of at least this are foreground for good.
    relative : bool
        The three are multiples of the prior's mean instead of values; each at most the prior's maximum, so that a
        prior that is not constant has certain foreground.
    iterations : int
        Rounds of mixtures and cut.

    Raises
    ------
    ConfigError
        Unless 0 <= background < probable <= foreground, background <= 1, and there are iterations.
    """

    background: float = 0.1
    probable: float = 0.5
    foreground: float = 0.9
    relative: bool = False
    iterations: int = 5

    def __post_init__(self) -> None:
        if not 0 <= self.background < self.probable <= self.foreground < np.inf or self.background > 1:
            raise ConfigError(
                f"thresholds {self.background:g}, {self.probable:g}, {self.foreground:g}",
                where="background",
                expected="0 <= background < probable <= foreground, and background <= 1",
            )
        if not self.relative and self.foreground > 1:
            raise ConfigError(
                f"{self.foreground:g} is above every map", where="foreground", expected="at most 1, or `relative: true`"
            )
        if self.iterations < 1:
            raise ConfigError(f"{self.iterations} is not allowed", where="iterations", expected="1 or more")

    @classmethod
    def presets(cls) -> "dict[str, GrabCutOptions]":
        """Return settings by name: fixed thresholds, and multiples of the prior's mean."""
        return {"fixed": cls(), "mean": cls(background=0.5, probable=1.5, foreground=4, relative=True)}

    def thresholds(self, prior: FloatMap) -> tuple[float, float, float]:
        """Return background, probable and foreground as values of this prior."""
        given = (self.background, self.probable, self.foreground)
        if not self.relative:
            return given
        mean, top = float(prior.mean(dtype=np.float64)), float(prior.max())
        background, probable, foreground = (min(factor * mean, top) for factor in given)
        return background, probable, foreground


@dataclass(frozen=True)
class GrabCut(SideBySide):
    """GrabCut ready to refine."""

    options: GrabCutOptions

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB; the map is binary.

        A prior without certain background or without certain foreground is kept, with a note: nothing then keeps the
        cut from one label for all.
        """
        background, probable, foreground = self.options.thresholds(prior)
        certain, ground = prior >= foreground, prior <= background
        if prior.min() == prior.max() or not ground.any():
            return Refined(prior.copy(), note="kept prior: no certain background")
        if not certain.any():
            return Refined(prior.copy(), note="kept prior: no certain foreground")
        labels = np.where(prior >= probable, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        labels[ground], labels[certain] = cv2.GC_BGD, cv2.GC_FGD
        ours, theirs = np.zeros((2, 1, 65))  # the mixtures as OpenCV keeps them: five Gaussians of 13 numbers each
        cv2.setRNGSeed(SEED)
        # red and blue may change places: the energies do not know them apart
        whole = (0, 0, image.shape[1], image.shape[0])  # not looked at where there are labels
        cv2.grabCut(image, labels, whole, ours, theirs, self.options.iterations, cv2.GC_INIT_WITH_MASK)
        # the two foregrounds are the odd labels
        return Refined((labels & 1).astype(np.float32))


def _load(options: Any, weights: Path | None, device: str) -> Refiner:
    return GrabCut(options)


REFINER = RefinerType(
    title="GrabCut",
    source="Rother, Kolmogorov and Blake, SIGGRAPH 2004",
    learns_from=None,
    deep=False,
    options=GrabCutOptions,
    load=_load,
)
