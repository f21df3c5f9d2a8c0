"""Trained networks on a device: how many images they take at once, in which arithmetic, and short memory."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from typing import Literal, TypeVar

import torch

from sodlift.errors import ConfigError

Precision = Literal["float32", "bfloat16"]

GPU_BATCH = 16
"""Images that a GPU works on at once. On a CPU a batch is no faster than its images one by one."""

T = TypeVar("T")
R = TypeVar("R")

_LOG = logging.getLogger("sodlift.inference")


def batch_on(device: torch.device) -> int:
    """Return how many images a network best takes at once."""
    return GPU_BATCH if device.type == "cuda" else 1


@contextmanager
def arithmetic(device: torch.device, precision: Precision) -> Iterator[None]:
    """Run the block's networks in ``precision``; distances and sums keep float32."""
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        yield


def batches(items: Iterable[T], key: Callable[[T], object], most: int) -> Iterator[list[T]]:
    """Yield runs of at most ``most`` items that follow each other and have one ``key``, such as a size, in order."""
    for _, run in groupby(items, key):
        while batch := list(islice(run, most)):
            yield batch


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
                mend="set the option `size`, take precision bfloat16, or run on the CPU",
            ) from cause
    half = len(items) // 2
    torch.cuda.empty_cache()
    _LOG.warning("out of memory with %d %s at once; going on with %d", len(items), what, half)
    return in_memory(work, items[:half], what) + in_memory(work, items[half:], what)
