"""How a refiner takes several priors or images at once: shared features, batches, side by side."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch

from sodlift.arrays import FloatMap, Image8
from sodlift.errors import SodliftError
from sodlift.refiners._base import Refined
from sodlift.training.on_device import batch_on


@runtime_checkable
class SharedRefiner(Protocol):
    """A refiner whose network sees an image before it sees any of its priors."""

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        ...

    def network_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the height and width that the network sees of an image of ``size``; equal ones share a batch."""
        ...

    def encode(self, images: Sequence[Image8]) -> Sequence[Any]:
        """Return the features of images (H, W, 3) uint8 RGB of one network size, in their order."""
        ...

    def refine_all(self, features: Any, priors: Sequence[FloatMap]) -> list[Refined]:
        """Refine priors (H, W) in [0, 1] of the image with these features; each result is what ``refine`` gives."""
        ...


@runtime_checkable
class SideBySideRefiner(Protocol):
    """A refiner of several images of any sizes at once, such as one whose work on an image is for one thread."""

    @property
    def at_once(self) -> int:
        """How many images it best takes at once."""
        ...

    def refine_many(self, images: Sequence[Image8], priors: Sequence[FloatMap]) -> list[Refined | SodliftError]:
        """Refine each prior (H, W) in [0, 1] by its image; a failure is given, not raised."""
        ...


def batch_of(refiner: object) -> int:
    """Return how many images ``refiner`` best works on at once."""
    if isinstance(refiner, SideBySideRefiner):
        return refiner.at_once
    return batch_on(refiner.device) if isinstance(refiner, SharedRefiner) else 1
