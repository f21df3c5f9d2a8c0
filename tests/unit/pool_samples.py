"""Small pools on disk, of images of one object each."""

from pathlib import Path

import numpy as np
from PIL import Image

from sodlift.arrays import FloatMap, Image8
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.mapset import MapSet, new_mapset
from sodlift.pools.similar import POOL
from sodlift.pools.similar.options import SimilarOptions

OPTIONS = SimilarOptions(superpixels=30, partners=2)
SIZE = (60, 80)


def scene(seed: int) -> tuple[Image8, FloatMap]:
    """A red disc and a blue one on dark texture, and the mask of the red one."""
    random = np.random.default_rng(seed)
    rows, columns = np.indices(SIZE)
    row, column = random.uniform((20, 20), (40, 25))
    red, blue = ((rows - row) ** 2 + (columns - middle) ** 2 < 14**2 for middle in (column, column + 35))
    image = random.integers(0, 60, (*SIZE, 3))
    image[red] += np.array([160, 20, 20])
    image[blue] += np.array([20, 20, 160])
    return image.astype(np.uint8), red.astype(np.float32)


def base_map(mask: FloatMap, seed: int) -> FloatMap:
    """What a detector makes of a scene: each second time it takes the blue disc for the object."""
    shifted = np.roll(mask, 35 * (seed % 2), axis=1)
    return np.where(shifted > 0, 0.9, 0.05).astype(np.float32)


def dataset(
    folder: Path, count: int, name: str = "scenes", first: int = 0, masks: int | None = None
) -> tuple[Manifest, MapSet]:
    """Write images, masks of the first ``masks`` of them (None: all), and base maps."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    entries = []
    with new_mapset(folder / "base") as writer:
        for number in range(count):
            image, mask = scene(first + number)
            files = [folder / part / f"{number:02d}.png" for part in ("images", "masks")]
            Image.fromarray(image).save(files[0])
            Image.fromarray((mask * 255).astype(np.uint8)).save(files[1])
            masked = masks is None or number < masks
            digests = (f"image {first + number}", f"mask {first + number}" if masked else "")
            entries.append(Entry(files[0].stem, files[0], files[1] if masked else None, *SIZE, *digests))
            writer.add(files[0].stem, base_map(mask, number))
    return Manifest(name, tuple(entries)), MapSet(folder / "base")


def pool(folder: Path, *manifests: Manifest, options: SimilarOptions = OPTIONS) -> Path:
    """Write a pool and return its folder."""
    POOL.build(options, manifests, folder, 1)
    return folder


def aligned(folder: Path, manifest: Manifest, of: Path) -> Path:
    """Write an alignment and return its folder."""
    POOL.align(manifest, of, folder, 1)
    return folder
