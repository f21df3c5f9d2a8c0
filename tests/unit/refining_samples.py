"""Small data sets on disk: images, a manifest and prior maps."""

from collections.abc import Callable
from pathlib import Path

import mirm_samples
import numpy as np
from PIL import Image

from sodlift.arrays import FloatMap, Image8
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.mapset import MapSet, new_mapset

Maker = Callable[[int], tuple[Image8, FloatMap]]


def dataset(folder: Path, count: int, make: Maker = mirm_samples.scene) -> tuple[Manifest, MapSet]:
    """Write ``count`` images and priors; the n-th are ``make(n)``."""
    (folder / "images").mkdir(parents=True)
    entries = []
    with new_mapset(folder / "priors") as writer:
        for index in range(count):
            image, prior = make(index)
            path = folder / "images" / f"{index:02d}.png"
            Image.fromarray(image).save(path)
            writer.add(path.stem, prior)
            entries.append(Entry(path.stem, path, None, image.shape[0], image.shape[1], f"digest {index}"))
    return Manifest("scenes", tuple(entries)), MapSet(folder / "priors")


def weak(seed: int) -> tuple[Image8, FloatMap]:
    """A scene whose prior has no certain foreground."""
    image, prior = mirm_samples.scene(seed)
    return image, prior * np.float32(0.8)
