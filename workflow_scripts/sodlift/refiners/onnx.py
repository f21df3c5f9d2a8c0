"""Refiners from elsewhere: a network in an ONNX file that takes an image and a prior and gives a map.

It is run like a detector in such a file (``sodlift.training.onnx_file``), with a second input.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sodlift.arrays import FloatMap, Image8, resize, resize_image
from sodlift.errors import ConfigError
from sodlift.refiners._base import Refined, Refiner, RefinerType
from sodlift.refiners._side_by_side import SideBySide
from sodlift.training.onnx_file import Model, OnnxOptions, Wanted, check_found, fitted, load, predict


@dataclass(frozen=True)
class OnnxRefinerOptions(OnnxOptions):
    """The network, what it takes and what its output means; priors are resized by Lanczos, images as by a detector.

    Attributes
    ----------
    image, prior : str
        The names of its inputs: the image, (1, 3, height, width), and the prior, (1, 1, height, width).
    prior_range : (low, high)
        What 0 and 1 of the prior become; ``[-1, 1]`` for networks that take all values centred.

    Raises
    ------
    ConfigError
        If the names are the same, the range is none, or as ``OnnxOptions`` does.
    """

    image: str = "image"
    prior: str = "prior"
    prior_range: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image == self.prior:
            raise ConfigError(
                f"image and prior are both '{self.image}'", where="prior", expected="the names of two inputs"
            )
        low, high = self.prior_range
        if low == high or not np.isfinite(self.prior_range).all():
            raise ConfigError(f"prior_range is {[low, high]}", where="prior_range", expected="two finite numbers")


@dataclass(frozen=True)
class OnnxRefiner(SideBySide):
    """A network ready to refine."""

    model: Model
    options: OnnxRefinerOptions

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB.

        Raises
        ------
        MapError
            If the network fails on them, or its output is no map.
        """
        options, (low, high) = self.options, self.options.prior_range
        pixels = options.normalisation.apply(fitted(image, options, resize_image))
        scaled = low + (high - low) * fitted(prior, options, _lanczos)[None, None]
        size = (image.shape[0], image.shape[1])
        return Refined(predict(self.model, options, [pixels, scaled], size, options.file))


def _lanczos(prior: FloatMap, size: tuple[int, int]) -> FloatMap:
    return resize(prior, size, "lanczos")


def _files(options: OnnxRefinerOptions) -> list[Path]:
    """Return the network's file; raises WeightsError if it is missing."""
    check_found(options.file)
    return [options.file]


def _load(options: Any, weights: Path | None, device: str) -> Refiner:
    wanted = [Wanted("an image", 3, options.image), Wanted("a prior", 1, options.prior)]
    return OnnxRefiner(load(options, wanted), options)


REFINER = RefinerType(
    title="A network in an ONNX file",
    source="outside of sodlift",
    learns_from=None,
    deep=False,
    options=OnnxRefinerOptions,
    load=_load,
    files=_files,
)
