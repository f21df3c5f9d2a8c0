"""The folder of a pool: of every image its scene, and all descriptors in one file.

``options.json`` tells how it is used, ``manifests/<data set>.csv`` lists the images, ``scenes/<data set>/<stem>.npz``
holds superpixels and boxes, ``descriptors.npz`` GIST and HOG by ``<data set>/<stem>``, the name that an image has in a
pool, and ``superpixels.json`` how many superpixels, by the same names.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property, lru_cache, partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from sodlift.alignment.dense_sift import Descriptors
from sodlift.alignment.retrieval import Floats, Pool, describe
from sodlift.alignment.scene import Scene, scene
from sodlift.arrays import Image8, read_image
from sodlift.atomic import atomic_folder
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.errors import DataError
from sodlift.options import build
from sodlift.parallel import ordered_map
from sodlift.pools.similar.options import SimilarOptions
from sodlift.progress import track

_OPTIONS, _MANIFESTS, _SCENES, _DESCRIPTORS = "options.json", "manifests", "scenes", "descriptors.npz"
_COUNTS = "superpixels.json"
KEPT = 64
"""Images of a pool that are kept in memory, the last ones used."""


def name_of(manifest: Manifest, entry: Entry) -> str:
    """Return the name of an image in a pool."""
    return f"{manifest.dataset}/{entry.stem}"


class ImagePool:
    """A pool, opened for reading.

    Attributes
    ----------
    folder : Path
        Where it lies.
    options : SimilarOptions
        How images are aligned with it.
    manifests : tuple of Manifest
        Its images.
    entries : dict of str to Entry
        They by their names, in the pool's order.
    counts : dict of str to int
        How many superpixels each has, likewise.
    retrieval : Pool
        Their descriptors.

    Raises
    ------
    DataError
        If the folder is no pool, or not all of one.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        settings = self.folder / _OPTIONS
        files = sorted((self.folder / _MANIFESTS).glob("*.csv"))
        if not files or not settings.is_file():
            raise DataError("not a pool of images", where=self.folder, mend="run the stage that makes it")
        self.options: SimilarOptions = build(
            SimilarOptions, json.loads(settings.read_text(encoding="utf-8")), str(settings)
        )
        self.manifests = tuple(map(Manifest.load, files))
        self.entries = {name_of(manifest, entry): entry for manifest in self.manifests for entry in manifest.entries}
        self.counts: dict[str, int] = json.loads((self.folder / _COUNTS).read_text(encoding="utf-8"))
        self.retrieval = Pool.load(self.folder / _DESCRIPTORS)
        self.scene = lru_cache(KEPT)(self._scene)
        self.sift = lru_cache(KEPT)(self._sift)

    @cached_property
    def digest(self) -> bytes:
        """A hash (32 bytes) of its images and the number of their superpixels: two pools of one digest are one."""
        facts = [[name, entry.image_sha256, self.counts[name]] for name, entry in self.entries.items()]
        return sha256(json.dumps(facts).encode()).digest()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of its images."""
        return tuple(self.entries)

    def copies(self, descriptor: Floats) -> list[str]:
        """Return the names of the images with this very descriptor: an image must not be its own partner."""
        same = (self.retrieval.descriptors == descriptor).all(axis=1)
        return [name for name, is_copy in zip(self.names, same, strict=True) if is_copy]

    def image(self, name: str) -> Image8:
        """Read an image, (H, W, 3); raises DataError where its file is gone."""
        return read_image(self.entries[name].image)

    def _scene(self, name: str) -> Scene:
        return Scene.load(self.folder / _SCENES / f"{name}.npz")

    def _sift(self, name: str) -> Descriptors:
        return self.scene(name).describe()


def build_pool(options: SimilarOptions, manifests: Sequence[Manifest], folder: Path, workers: int) -> None:
    """Write the pool of all images of some data sets: whole, or not at all.

    Parameters
    ----------
    options : SimilarOptions
        How images are aligned with it.
    manifests : sequence of Manifest
        The data sets.
    folder : path
        The folder to be.
    workers : int
        Processes; the result does not depend on their number.

    Raises
    ------
    DataError
        If an image cannot be read, or the folder is in use.
    """
    named = [(name_of(manifest, entry), entry.image) for manifest in manifests for entry in manifest.entries]
    with atomic_folder(folder) as part, threadpool_limits(1):
        for manifest in manifests:
            (part / _SCENES / manifest.dataset).mkdir(parents=True)
            # names files relative to where it lies: the folder's final place is as deep
            manifest.save(part / _MANIFESTS / f"{manifest.dataset}.csv")
        (part / _OPTIONS).write_text(json.dumps(asdict(options), indent=1), encoding="utf-8")
        work = partial(_write, part / _SCENES, options.superpixels)
        seen = ordered_map(work, named, workers, preload=["sodlift.alignment.scene"])
        descriptors, counts = zip(*track(seen, "pool", total=len(named)), strict=True)
        names = tuple(name for name, _ in named)
        Pool(names, np.stack(descriptors)).save(part / _DESCRIPTORS)
        (part / _COUNTS).write_text(json.dumps(dict(zip(names, counts, strict=True))), encoding="utf-8")


def _write(folder: Path, superpixels: int, named: tuple[str, Path]) -> tuple[Floats, int]:
    """Write the scene of one image; return its descriptor and the number of its superpixels."""
    name, file = named
    image = read_image(file)
    found = scene(image, superpixels)
    found.save(folder / f"{name}.npz")
    return describe(image), found.count
