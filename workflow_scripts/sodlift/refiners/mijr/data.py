"""What MIJR learns from: every superpixel of a pool with its features, and of each the partners it is linked to."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8, check_fit, read_mask, resize
from sodlift.atomic import atomic_folder
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.errors import DataError, listed
from sodlift.mapset import MapSet
from sodlift.pools.similar.aligned import Aligned, AlignedSet
from sodlift.pools.similar.images import ImagePool, name_of
from sodlift.progress import track
from sodlift.refiners.mijr.labels import agreement, pseudo_truth, shares
from sodlift.superpixels.regions import Labels, means
from sodlift.training.data import MASK_RULE
from sodlift.training.job import TrainingJob

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]

Extract = Callable[[Image8, Labels, int], Floats]
"""Gives the features (n, 2 C) of the superpixels of an image (H, W, 3); their labels are at the scene's size."""

_FEATURES, _REST = "features.npy", "instances.npz"


class Linked(NamedTuple):
    """The most trusted partners of the superpixels of an image.

    Attributes
    ----------
    image : (n, M) int32
        Which of the image's partners it lies in, -1 where there is none.
    superpixel : (n, M) int32
        Which of that image's superpixels it is, -1 likewise.
    cost : (n, M) float32
        Of the link, ascending; infinite where there is none.
    """

    image: Indices
    superpixel: Indices
    cost: Floats


def most_trusted(aligned: Aligned, count: int) -> Linked:
    """Return the ``count`` cheapest links of every superpixel, over all partners; ties go to the more similar one."""
    superpixels = aligned.scene.count
    image, target, cost = (
        np.full((superpixels, count), -1, np.int32),
        np.full((superpixels, count), -1, np.int32),
        np.full((superpixels, count), np.inf, np.float32),
    )
    if aligned.partners:
        links = np.concatenate([partner.links.partner for partner in aligned.partners], axis=1)
        costs = np.concatenate([partner.links.cost for partner in aligned.partners], axis=1)
        whose = np.repeat(np.arange(len(aligned.partners)), links.shape[1] // len(aligned.partners))
        order = np.argsort(costs, axis=1, kind="stable")[:, :count]
        found = np.take_along_axis(links, order, axis=1)
        width = found.shape[1]
        target[:, :width], cost[:, :width] = found, np.take_along_axis(costs, order, axis=1)
        image[:, :width] = np.where(found >= 0, whose[order], -1)
    return Linked(image, target, cost)


@dataclass(frozen=True)
class Instances:
    """All superpixels of a pool, image by image in the order of the pool's names.

    Attributes
    ----------
    starts : dict of str to int
        By image name, where its superpixels begin.
    counts : dict of str to int
        How many it has.
    features : (N, 2 C) float16
        A view of the file.
    certain : (N, 2) float32
        Share of each superpixel that the pseudo ground truth takes for foreground, and for background; both 0 in images
        without a usable base map, which thus leave the pool.
    base : (N,) float32
        Mean of the base map.
    truth : (N,) float32
        Share in the mask; NaN in an image without one.
    agreement : (N,) float32
        Share where the pseudo ground truth is certain and right.
    partners : (N, M) int32
        The superpixels that each is linked to, as positions among all; -1 where there is none.
    costs : (N, M) float32
        Of these links.
    learnt : tuple of str
        Names of the images with a mask and a usable base map: those to learn from.
    """

    starts: Mapping[str, int]
    counts: Mapping[str, int]
    features: npt.NDArray[np.float16]
    certain: Floats
    base: Floats
    truth: Floats
    agreement: Floats
    partners: Indices
    costs: Floats
    learnt: tuple[str, ...]


def digest_of_pool(job: TrainingJob) -> str:
    """Return a hash of the maps that the pool has, and of the links: what the engine does not see of the data.

    Raises DataError if a training set comes without maps.
    """
    found = hashlib.sha256()
    for manifest, maps, aligned in _given(job):
        for stem in maps.usable(manifest.stems):
            found.update(maps.path(stem).read_bytes())
        for file in sorted(aligned.rglob("*.npz")):
            found.update(f"{file.name} {file.stat().st_size}".encode())
    return found.hexdigest()


def _given(job: TrainingJob) -> Iterator[tuple[Manifest, MapSet, Path]]:
    """Yield each training set with its base maps and its alignment; raises DataError for one without maps."""
    for (manifest, maps), aligned in zip(job.sources, job.aligned, strict=True):
        if maps is None:
            name = manifest.dataset
            raise DataError(f"training set '{name}' comes without maps", mend="name the detector of its maps")
        yield manifest, maps, aligned


def open_instances(folder: Path, pool: ImagePool, job: TrainingJob, extract: Extract, count: int) -> Instances:
    """Return the instances; they are computed unless the folder holds them.

    Parameters
    ----------
    folder : path
        Where they are kept while the training runs.
    pool : ImagePool
        The images.
    job : TrainingJob
        With the base maps of every data set of the pool, and its alignment with the pool.
    extract : callable
        Gives the features of an image's superpixels.
    count : int
        Partners of a superpixel, M.

    Raises
    ------
    DataError, MapError
        If the job's data sets are not the pool's, or a file is broken.
    """
    if not (folder / _REST).is_file():
        found = _sources(pool, job)
        with atomic_folder(folder) as part:
            _fill(part, pool, found, extract, count)
    with np.load(folder / _REST, allow_pickle=False) as held:
        names, counts = [str(name) for name in held["names"]], held["counts"]
        starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
        return Instances(
            dict(zip(names, map(int, starts), strict=True)),
            dict(zip(names, map(int, counts), strict=True)),
            np.load(folder / _FEATURES, mmap_mode="r"),
            **{key: held[key] for key in ("certain", "base", "truth", "agreement", "partners", "costs")},
            learnt=tuple(map(str, held["learnt"])),
        )


class _Source(NamedTuple):
    """A data set of the pool: its images by their names in the pool, its base maps, its alignment."""

    entries: Mapping[str, Entry]
    maps: MapSet
    aligned: AlignedSet


def _sources(pool: ImagePool, job: TrainingJob) -> dict[str, _Source]:
    """Return the data sets by image name; raises DataError unless they are those of the pool."""
    found: dict[str, _Source] = {}
    for manifest, maps, aligned in _given(job):
        entries = {name_of(manifest, entry): entry for entry in manifest.entries}
        found |= dict.fromkeys(entries, _Source(entries, maps, AlignedSet(aligned)))
    if found.keys() != pool.entries.keys():
        odd = sorted(found.keys() ^ pool.entries.keys())
        mend = "train on the data sets of the pool, all of them"
        raise DataError(f"the pool and the training sets differ by {listed(odd)}", where=pool.folder, mend=mend)
    return found


class _Judged(NamedTuple):
    """What masks and maps say of the superpixels of an image; see ``Instances``."""

    certain: Floats
    base: Floats
    truth: Floats
    agreement: Floats
    usable: bool


def _fill(folder: Path, pool: ImagePool, sources: Mapping[str, _Source], extract: Extract, count: int) -> None:
    """Write the instances of all images of the pool."""
    counts = pool.counts
    total = sum(counts.values())
    ends = np.cumsum([0, *counts.values()])
    starts = dict(zip(counts, map(int, ends[:-1]), strict=True))
    features: np.memmap[Any, np.dtype[np.float16]] | None = None
    partners, costs, judged, learnt = np.full((total, count), -1, np.int32), [], [], []
    for name in track(pool.names, "features", len(pool.names)):
        source, image, start = sources[name], pool.image(name), starts[name]
        entry = source.entries[name]
        aligned = source.aligned.of(entry.stem)
        found = extract(image, aligned.scene.labels, counts[name])
        if features is None:
            shape = (total, found.shape[1])
            features = np.lib.format.open_memmap(folder / _FEATURES, "w+", np.float16, shape)
        here = slice(start, start + counts[name])
        features[here] = found
        linked = most_trusted(aligned, count)
        firsts = np.array([starts[partner.similar.stem] for partner in aligned.partners] or [0])
        partners[here] = np.where(linked.image >= 0, firsts[linked.image] + linked.superpixel, -1)
        costs.append(linked.cost)
        base = _base_map(image, entry, source.maps)
        judged.append(_judge(image, aligned.scene.full, counts[name], entry, base))
        if judged[-1].usable and entry.mask is not None:
            learnt.append(name)
    assert features is not None
    features.flush()
    held = {key: np.concatenate([getattr(one, key) for one in judged]) for key in _Judged._fields[:-1]}
    links = {"partners": partners, "costs": np.concatenate(costs)}
    names = {
        "names": np.array(list(counts)),
        "counts": np.array(list(counts.values())),
        "learnt": np.array(learnt, str),
    }
    everything: dict[str, Any] = {**held, **links, **names}
    np.savez(folder / _REST, **everything)


def _judge(image: Image8, labels: Labels, count: int, entry: Entry, base: FloatMap | None) -> _Judged:
    """Hold an image's base map and its mask against each other, superpixel by superpixel."""
    truth = np.full(count, np.nan, np.float32)
    mask = None if entry.mask is None else read_mask(entry.mask, MASK_RULE)
    if mask is not None:
        check_fit(mask.astype(np.float32), (image.shape[0], image.shape[1]), entry.mask)
        truth = shares(labels, count, mask)[:, 0]
    if base is None or not base.any():
        zeros = np.zeros(count, np.float32)
        return _Judged(np.zeros((count, 2), np.float32), zeros, truth, zeros, usable=False)
    certain = pseudo_truth(image, base)
    right = np.zeros(count, np.float32) if mask is None else shares(labels, count, agreement(certain, mask))[:, 0]
    mean = means(labels, count, base[..., None])[:, 0].astype(np.float32)
    return _Judged(shares(labels, count, *certain), mean, truth, right, usable=True)


def _base_map(image: Image8, entry: Entry, maps: MapSet) -> FloatMap | None:
    """Return the base map at the image's size, None where it was dropped or failed."""
    if not maps.usable([entry.stem]):
        return None
    base = maps.read(entry.stem)
    size = (image.shape[0], image.shape[1])
    check_fit(base, size, maps.path(entry.stem))
    return resize(base, size, "lanczos")
