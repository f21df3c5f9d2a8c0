"""Deep detectors over a data set: images decoded ahead, in batches on a GPU."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple, Protocol

import numpy as np
import torch

from sodlift.arrays import FloatMap, Image8, read_image
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors._base import Machine
from sodlift.parallel import ahead
from sodlift.progress import track
from sodlift.training.on_device import arithmetic, batch_on, batches, in_memory

DECODERS = 2
"""Threads that decode; they run beside the network, most of whose time is spent outside Python."""


class DeepDetector(Protocol):
    """A network that finds maps by itself, ready to use: its weights are loaded."""

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        ...

    def network_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the height and width that the network sees of an image of ``size``; equal ones share a batch."""
        ...

    def predict(self, images: Sequence[Image8]) -> list[FloatMap]:
        """Return the maps of images (H, W, 3) uint8 RGB of one network size: each (H, W) float32 in [0, 1]."""
        ...


class Writer(Protocol):
    """What takes the maps, such as a data set's ``CheckedWriter``."""

    def add(self, stem: str, saliency: FloatMap) -> None:
        """Take the map (H, W) in [0, 1] of an image."""
        ...

    def refuse(self, stem: str, kind: str, item: str) -> None:
        """Be told what is wrong with the map of an image."""
        ...


def detect(
    detector: DeepDetector, manifest: Manifest, writer: Writer, machine: Machine, *, quiet: bool = False
) -> None:
    """Add the map of every image in ``manifest`` to ``writer``, at the image's size; shows the progress unless quiet.

    On a CPU images go one by one, in the manifest's order and on ``machine.workers`` threads; on a GPU images of one
    size go together. What a network gives that is no map is told to the writer, so that the report names every such
    image; nothing of the set is kept then.

    Raises
    ------
    DataError
        If an image is broken.
    ConfigError
        If the device's memory is too small for one image.
    """
    batch, entries = batch_on(detector.device), manifest.entries
    if batch > 1:
        entries = tuple(sorted(entries, key=lambda entry: detector.network_size((entry.height, entry.width))))
    shown = entries if quiet else track(entries, f"{type(detector).__name__} {manifest.dataset}")
    with (
        _threads(machine.workers),
        torch.inference_mode(),
        arithmetic(detector.device, machine.precision),
        closing(ahead(_read, shown, DECODERS, 2 * batch + DECODERS)) as loaded,
    ):
        for group in batches(loaded, lambda one: detector.network_size(one.size), batch):
            maps = in_memory(detector.predict, [one.image for one in group], "images")
            for one, saliency in zip(group, maps, strict=True):
                _add(one, saliency, writer)


class _Loaded(NamedTuple):
    """An entry with its image (H, W, 3)."""

    entry: Entry
    image: Image8

    @property
    def size(self) -> tuple[int, int]:
        return self.image.shape[0], self.image.shape[1]


def _read(entry: Entry) -> _Loaded:
    return _Loaded(entry, read_image(entry.image))


def is_map(saliency: FloatMap, size: tuple[int, int]) -> bool:
    """Return whether what a network gave is finite, in [0, 1] and of its image's size (height, width)."""
    return bool(saliency.shape == size and np.isfinite(saliency).all() and saliency.min() >= 0 and saliency.max() <= 1)


def _add(one: _Loaded, saliency: FloatMap, writer: Writer) -> None:
    if is_map(saliency, one.size):
        writer.add(one.entry.stem, saliency)
    else:
        writer.refuse(one.entry.stem, "invalid", one.entry.stem)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let torch use so many threads of the CPU within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
