"""How a refiner takes several priors or images at once: shared features, batches, side by side; short memory."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import torch

from sodlift.arrays import FloatMap, Image8
from sodlift.errors import ConfigError, SodliftError
from sodlift.refiners._base import Refined

Precision = Literal["float32", "bfloat16"]

GPU_BATCH = 16
"""Images that a GPU works on at once. On a CPU a batch is no faster than its images one by one."""

T = TypeVar("T")
R = TypeVar("R")

_LOG = logging.getLogger("sodlift.inference")


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
    """A refiner whose work on an image is for one thread, so that several images run side by side."""

    def refine_many(self, images: Sequence[Image8], priors: Sequence[FloatMap]) -> list[Refined | SodliftError]:
        """Refine each prior (H, W) in [0, 1] by its image, on torch's threads; a failure is given, not raised."""
        ...


def batch_of(refiner: object) -> int:
    """Return how many images ``refiner`` best works on at once."""
    if isinstance(refiner, SideBySideRefiner):
        return torch.get_num_threads()
    return GPU_BATCH if isinstance(refiner, SharedRefiner) and refiner.device.type == "cuda" else 1


@contextmanager
def arithmetic(refiner: SharedRefiner, precision: Precision) -> Iterator[None]:
    """Run the block's networks in ``precision``; distances and sums keep float32."""
    with torch.autocast(refiner.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        yield


def in_memory(work: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T], what: str) -> list[R]:
    """Return ``work(items)``, in halves and halves of them, with a warning, where the device's memory is too small.

    Raises
    ------
    ConfigError
        If it is too small for a single item.
    """
    try:
        return list(work(items))
    except torch.OutOfMemoryError as cause:
        if len(items) == 1:
            raise ConfigError(
                f"the device's memory is too small for one of the {what}: {str(cause).splitlines()[0]}",
                mend="set the refiner's option `size`, take precision bfloat16, or run on the CPU",
            ) from cause
    half = len(items) // 2
    torch.cuda.empty_cache()
    _LOG.warning("out of memory with %d %s at once; going on with %d", len(items), what, half)
    return in_memory(work, items[:half], what) + in_memory(work, items[half:], what)
