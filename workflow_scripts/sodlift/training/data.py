"""The images of a training and what is learnt from them: decoded once, into a file that is mapped into memory.

A decoded sample is a stack of planes, (4, H, W) uint8: red, green, blue, and the target; without a target (3, H, W).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8, check_fit, read_image, read_map, read_mask, resize, resize_image, to_uint8
from sodlift.atomic import atomic_folder
from sodlift.datasets.manifest import Manifest
from sodlift.errors import DataError
from sodlift.mapset import MapSet
from sodlift.progress import track
from sodlift.training.job import TrainingJob

Targets = Literal["priors", "masks", "none"]
"""What comes with an image: a map in [0, 1], a mask of exactly 0 and 1, or nothing."""

Refuse = Callable[[FloatMap, FloatMap], str]
"""``refuse(stored target, target at training size)`` says why a sample cannot be learnt from; empty if it can."""

MASK_RULE = "gt127"
CHUNK = 64
"""Images that are decoded before they are written, so that memory does not grow with their number."""

_PLANES, _INDEX = "planes.bin", "index.json"


@dataclass(frozen=True)
class Item:
    """Where one sample lies, and what its files are."""

    dataset: str
    detector: str
    stem: str
    image: Path
    target: Path | None
    image_sha256: str
    target_sha256: str

    @property
    def row(self) -> list[str]:
        """What the training manifest says of it; no path, so that a project may be moved."""
        return [self.dataset, self.detector, self.stem, self.image_sha256, self.target_sha256]


def items_of(job: TrainingJob, targets: Targets) -> list[Item]:
    """Return every image of the job that has what ``targets`` asks for.

    Raises
    ------
    DataError
        If maps are asked for and a training set has none, or an image has no mask where masks are.
    MapError
        If an image has no record among the maps.
    """
    return [item for manifest, maps in job.sources for item in _ITEMS[targets](manifest, maps)]


def _prior_items(manifest: Manifest, maps: MapSet | None) -> Iterator[Item]:
    if maps is None:
        raise DataError(f"training set '{manifest.dataset}' comes without maps", mend="name the detector of its maps")
    usable = set(maps.usable(manifest.stems))
    for entry in manifest.entries:
        if entry.stem in usable:
            path = maps.path(entry.stem)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            names = (manifest.dataset, maps.folder.name, entry.stem)
            yield Item(*names, entry.image, path, entry.image_sha256, digest)


def _mask_items(manifest: Manifest, maps: MapSet | None) -> Iterator[Item]:
    for entry in manifest.entries:
        if entry.mask is None:
            raise DataError(
                f"image '{entry.stem}' of training set '{manifest.dataset}' has no mask",
                mend="train on a data set with a mask for every image",
            )
        yield Item(manifest.dataset, "", entry.stem, entry.image, entry.mask, entry.image_sha256, entry.mask_sha256)


def _bare_items(manifest: Manifest, maps: MapSet | None) -> Iterator[Item]:
    for entry in manifest.entries:
        yield Item(manifest.dataset, "", entry.stem, entry.image, None, entry.image_sha256, "")


_ITEMS = {"priors": _prior_items, "masks": _mask_items, "none": _bare_items}


def digest_of(items: Iterable[Item], also: str = "") -> str:
    """Return a hash of the images and their targets, and of what else a text stands for."""
    facts = [item.row for item in items]
    return hashlib.sha256(json.dumps([*facts, also] if also else facts).encode()).hexdigest()


def held_out(stem: str, share: float) -> bool:
    """Tell whether an image belongs to the held-out ``share``: by a hash of its stem, whatever the other images are."""
    return int.from_bytes(hashlib.sha256(stem.encode()).digest()[:8]) < share * 2**64


class Decoded(NamedTuple):
    """One sample's planes, and its target as stored (None without one)."""

    planes: Image8
    stored: FloatMap | None


def decode(item: Item, size: int | None, targets: Targets) -> Decoded:
    """Read one sample at ``size`` x ``size`` (None: the image's size); priors by Lanczos, masks by the nearest pixel.

    Raises
    ------
    DataError, MapError
        If a file is broken, or the target's aspect is not the image's.
    """
    image = read_image(item.image)
    shape = (size, size) if size else (image.shape[0], image.shape[1])
    planes = np.moveaxis(resize_image(image, shape), 2, 0)
    if item.target is None:
        return Decoded(np.ascontiguousarray(planes), None)
    read, method = _READERS[targets]
    stored = read(item.target)
    check_fit(stored, (image.shape[0], image.shape[1]), item.target)
    target = to_uint8(resize(stored, shape, method))
    return Decoded(np.concatenate([planes, target[None]]), stored)


def _read_mask(path: Path) -> FloatMap:
    return read_mask(path, MASK_RULE).astype(np.float32)


_READERS: dict[str, tuple[Callable[[Path], FloatMap], str]] = {
    "priors": (read_map, "lanczos"),
    "masks": (_read_mask, "nearest"),
}


class Samples:
    """Decoded samples, mapped into memory.

    Attributes
    ----------
    items : list of Item
        Those that can be learnt from, by their position.
    skipped : Counter of str
        How many others there are, by reason.
    """

    def __init__(self, folder: Path, items: Sequence[Item]) -> None:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        self._planes = np.memmap(folder / _PLANES, np.uint8, "r")
        self._places: list[tuple[int, tuple[int, int, int]]] = [(at, tuple(shape)) for at, shape in index["places"]]
        self.items = [items[i] for i in index["kept"]]
        self.skipped: Counter[str] = Counter(index["skipped"])

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> npt.NDArray[np.uint8]:
        """Return the planes (3 or 4, H, W) of a sample, a view of the file."""
        at, shape = self._places[index]
        return self._planes[at : at + int(np.prod(shape))].reshape(shape)

    def summary(self) -> str:
        """Return how many samples are used and why others are not, for the log."""
        skipped = "".join(f"; {count} skipped: {reason}" for reason, count in sorted(self.skipped.items()))
        return f"{len(self)} training images{skipped}"


def open_samples(
    cache: Path, key: str, items: Sequence[Item], size: int | None, targets: Targets, refuse: Refuse, threads: int
) -> Samples:
    """Return the decoded samples; they are decoded unless the folder ``cache`` holds those of the same ``key``.

    Raises
    ------
    DataError
        If no sample is usable, a file is broken, or the disk is full.
    """
    folder = cache / key
    if not (folder / _INDEX).is_file():
        remove_samples(cache)  # what another training, or one killed while decoding, left
        try:
            with atomic_folder(folder) as part:
                _fill(part, items, size, targets, refuse, threads)
        except OSError as cause:
            raise DataError(
                f"cannot keep the decoded images: {cause.strerror}",
                where=cache,
                mend="make room beside the checkpoint, or train at a smaller size",
            ) from cause
    return Samples(folder, items)


def remove_samples(cache: Path) -> None:
    """Delete all decoded samples: the index first, so that nobody takes what a kill leaves for the whole."""
    for index in cache.glob(f"*/{_INDEX}"):
        index.unlink()
    rmtree(cache, ignore_errors=True)


def _fill(
    folder: Path, items: Sequence[Item], size: int | None, targets: Targets, refuse: Refuse, threads: int
) -> None:
    kept, places, skipped, at = [], [], Counter[str](), 0
    with (folder / _PLANES).open("wb") as file:
        for number, sample in enumerate(track(_decoded(items, size, targets, threads), "decoding", len(items))):
            reason = "" if sample.stored is None else refuse(sample.stored, (sample.planes[3] / 255).astype(np.float32))
            if reason:
                skipped[reason] += 1
                continue
            kept.append(number)
            places.append((at, sample.planes.shape))
            at += file.write(sample.planes.tobytes())
    if not kept:
        reasons = "; ".join(f"{count} x {reason}" for reason, count in sorted(skipped.items()))
        raise DataError(
            f"none of {len(items)} training images is usable: {reasons or 'the list is empty'}",
            mend="train with other priors or masks, or change the thresholds"
            if items
            else "name a training set, with usable maps where these are learnt from",
        )
    index = {"kept": kept, "places": places, "skipped": skipped}
    (folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")


def _decoded(items: Sequence[Item], size: int | None, targets: Targets, threads: int) -> Iterator[Decoded]:
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(items), CHUNK):
            yield from pool.map(lambda item: decode(item, size, targets), items[start : start + CHUNK])
