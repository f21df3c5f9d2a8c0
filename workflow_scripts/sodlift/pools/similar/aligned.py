"""Images aligned with a pool: of each its scene, its partners, and where each superpixel is found in them.

``retrieval.csv`` lists every image's partners with their distances, ``scenes/<stem>.npz`` holds its superpixels and
boxes, ``links/<stem>.npz`` flows and links, by partner.
"""

import csv
from collections.abc import Sequence
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from sodlift.alignment.linking import Links, link
from sodlift.alignment.retrieval import Similar, describe
from sodlift.alignment.scene import Scene, scene
from sodlift.alignment.sift_flow import Flow, sift_flow
from sodlift.arrays import Image8, read_image
from sodlift.atomic import atomic_file, atomic_folder
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.errors import DataError
from sodlift.parallel import ahead, ordered_map
from sodlift.pools.similar.images import ImagePool
from sodlift.progress import track

_RETRIEVAL, _SCENES, _LINKS = "retrieval.csv", "scenes", "links"
_COLUMNS = ("stem", "pixels_sha256", "rank", "partner", "distance")


class Partner(NamedTuple):
    """One image of the pool beside the image that it is similar to.

    Attributes
    ----------
    similar : Similar
        Its name in the pool, ``<data set>/<stem>``, and its distance.
    flow : (150, 200, 2) int32
        Where each pixel goes, at ``scene.SIZE``.
    links : Links
        Its superpixels that the image's are linked to.
    """

    similar: Similar
    flow: Flow
    links: Links


class Aligned(NamedTuple):
    """An image and its partners, the most similar one first; fewer than asked for where the pool is small."""

    scene: Scene
    partners: tuple[Partner, ...]

    def save(self, folder: Path, stem: str) -> None:
        """Write the scene and what is known of each partner, but for their names, below a folder."""
        self.scene.save(folder / _SCENES / f"{stem}.npz")
        held = {
            "flows": np.array([partner.flow for partner in self.partners], np.int16),
            "links": np.array([partner.links.partner for partner in self.partners], np.int16),
            "costs": np.array([partner.links.cost for partner in self.partners], np.float32),
        }
        with atomic_file(folder / _LINKS / f"{stem}.npz") as aside, aside.open("wb") as file:
            np.savez_compressed(file, **held)  # type: ignore[arg-type]

    @classmethod
    def load(cls, folder: Path, stem: str, similar: Sequence[Similar]) -> "Aligned":
        """Read what ``save`` wrote, of these partners."""
        with np.load(folder / _LINKS / f"{stem}.npz", allow_pickle=False) as held:
            flows, links, costs = held["flows"].astype(np.int32), held["links"].astype(np.int32), held["costs"]
        partners = (Partner(one, flows[i], Links(links[i], costs[i])) for i, one in enumerate(similar))
        return cls(Scene.load(folder / _SCENES / f"{stem}.npz"), tuple(partners))


def align(image: Image8, pool: ImagePool, threads: int = 1) -> Aligned:
    """Align an image (H, W, 3) with its most similar ones of a pool, as the pool's options say.

    The image itself, where the pool has it, is none of them. As many ``threads`` work on partners at once; the result
    does not depend on their number.
    """
    descriptor, options = describe(image), pool.options
    copies = pool.copies(descriptor)
    here = pool.scene(copies[0]) if copies else scene(image, options.superpixels)
    sift = here.describe()

    def one(similar: Similar) -> Partner:
        matched = sift_flow(sift, pool.sift(similar.stem), options.flow)
        return Partner(similar, matched.flow, link(here, pool.scene(similar.stem), matched, options.link))

    found = pool.retrieval.nearest(descriptor, options.partners, copies)
    return Aligned(here, tuple(ahead(one, found, threads, threads)))


class AlignedSet:
    """The alignment of a data set with a pool, opened for reading.

    Raises
    ------
    DataError
        If the folder is none, or damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        table = self.folder / _RETRIEVAL
        if not table.is_file():
            raise DataError("not an alignment with a pool", where=self.folder, mend="run the stage that makes it")
        with table.open(newline="", encoding="utf-8") as handle:
            header, *rows = list(csv.reader(handle)) or [[]]
        if tuple(header) != _COLUMNS or any(len(row) != len(_COLUMNS) for row in rows):
            mend = "remove the folder and run the stage that makes it again"
            raise DataError("damaged alignment", where=table, expected=",".join(_COLUMNS), mend=mend)
        self._partners: dict[str, list[Similar]] = {}
        self._stems: dict[str, str] = {}
        for stem, digest, _, partner, distance in rows:
            self._stems[digest] = stem
            held = self._partners.setdefault(stem, [])
            if partner:
                held.append(Similar(partner, float(distance)))

    def of(self, stem: str) -> Aligned:
        """Return the alignment of an image by its stem; raises DataError for one that the set has not."""
        if stem not in self._partners:
            raise DataError(f"no alignment of image '{stem}'", where=self.folder, mend="run the stage that makes it")
        return Aligned.load(self.folder, stem, self._partners[stem])

    def of_image(self, image: Image8) -> Aligned:
        """Return the alignment of an image by its pixels (H, W, 3); raises DataError for one that the set has not."""
        stem = self._stems.get(digest_of(image))
        if stem is None:
            raise DataError("the image is none of the aligned ones", where=self.folder, mend="align its data set again")
        return self.of(stem)


def digest_of(image: Image8) -> str:
    """Return the SHA-256 of an image's pixels."""
    return sha256(image.tobytes()).hexdigest()


def align_dataset(manifest: Manifest, pool: Path, folder: Path, workers: int) -> None:
    """Write the alignment of every image of a data set with a pool: whole, or not at all.

    Parameters
    ----------
    manifest : Manifest
        The data set.
    pool, folder : path
        The pool's folder, and the one to be.
    workers : int
        Processes; the result does not depend on their number.

    Raises
    ------
    DataError
        If an image cannot be read, the pool is none, or the folder is in use.
    """
    ImagePool(pool)  # what is wrong with it is told here, not by a worker
    with atomic_folder(folder) as part, threadpool_limits(1):
        (part / _SCENES).mkdir()
        (part / _LINKS).mkdir()
        work = partial(_write, pool, part)
        found = ordered_map(work, manifest.entries, workers, preload=["sodlift.pools.similar.aligned"])
        rows = [row for rows in track(found, f"align {manifest.dataset}", len(manifest.entries)) for row in rows]
        with (part / _RETRIEVAL).open("w", newline="", encoding="utf-8") as handle:
            table = csv.writer(handle, lineterminator="\n")
            table.writerow(_COLUMNS)
            table.writerows(rows)


_opened = lru_cache(1)(ImagePool)
"""A worker's pool, opened once."""


def _write(pool: Path, folder: Path, entry: Entry) -> list[tuple[object, ...]]:
    """Write the alignment of one image; return its rows of the table, one without a partner where it has none."""
    image = read_image(entry.image)
    found = align(image, _opened(pool))
    found.save(folder, entry.stem)
    partners = [(i + 1, p.similar.stem, repr(p.similar.distance)) for i, p in enumerate(found.partners)]
    return [(entry.stem, digest_of(image), *partner) for partner in partners or [(0, "", "")]]
