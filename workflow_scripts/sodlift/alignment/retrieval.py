"""Similar images out of a pool, by the layout of the scene and the shapes in it (MIJR, TMM 2020, Sec. III-A)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.alignment.gist import gist
from sodlift.arrays import Image8
from sodlift.atomic import atomic_file
from sodlift.errors import DataError

Floats = npt.NDArray[np.float32]

HOG_SIDE = 128
_HOG = ((32, 32), (16, 16), (16, 16), 9)
"""Block, stride of blocks, cell, orientations: 1764 numbers. OpenCV's smaller cells would make 8100, four times as slow
to compare, of what is one image's shape."""


def hog(image: Image8) -> Floats:
    """Return histograms of oriented gradients (1764,) float32 of an image (H, W, 3), seen at 128x128 (OpenCV's)."""
    square = cv2.resize(image, (HOG_SIDE, HOG_SIDE), interpolation=cv2.INTER_AREA)
    described = cv2.HOGDescriptor((HOG_SIDE, HOG_SIDE), *_HOG).compute(square)
    return np.asarray(described, dtype=np.float32).ravel()


def describe(image: Image8) -> Floats:
    """Return GIST and HOG of an image (H, W, 3), each a unit vector, one after the other: (2276,) float32."""
    return np.concatenate([_unit(gist(image)), _unit(hog(image))])


def _unit(vector: Floats) -> Floats:
    """Return a vector of length 1; one of zeros, of an image without any structure, stays as it is."""
    norm = np.float32(np.linalg.norm(vector))
    return vector / norm if norm > 0 else vector


class Similar(NamedTuple):
    """An image of the pool and its Euclidean distance."""

    stem: str
    distance: float


@dataclass(frozen=True)
class Pool:
    """Images to retrieve from.

    Attributes
    ----------
    stems : tuple of str
        Their names.
    descriptors : (n, 2276) float32
        As ``describe`` makes them.
    """

    stems: tuple[str, ...]
    descriptors: Floats

    @classmethod
    def of(cls, images: Iterable[tuple[str, Image8]]) -> "Pool":
        """Describe images with their names.

        Raises
        ------
        DataError
            If there are none.
        """
        named = [(stem, describe(image)) for stem, image in images]
        if not named:
            raise DataError("the pool has no images", expected="at least one", mend="give a data set to retrieve from")
        return cls(tuple(stem for stem, _ in named), np.stack([descriptor for _, descriptor in named]))

    def nearest(self, descriptor: Floats, count: int, without: Collection[str] = ()) -> tuple[Similar, ...]:
        """Return the ``count`` most similar images, nearest first, equal ones in the pool's order.

        Fewer if the pool is smaller; ``without`` names images that are left out, such as the query itself.
        """
        wanted = min(count + len(without), len(self.stems))
        squares = self._norms - 2 * (self.descriptors @ descriptor)
        near = np.sort(np.argpartition(squares, wanted - 1)[:wanted])
        # Exact now: what was rounded in a product of matrices would order equal images by chance.
        distances = np.linalg.norm(self.descriptors[near] - descriptor, axis=1)
        order = np.argsort(distances, kind="stable")
        similar = (Similar(self.stems[near[i]], float(distances[i])) for i in order)
        return tuple(one for one in similar if one.stem not in without)[:count]

    @cached_property
    def _norms(self) -> Floats:
        """Their squared lengths."""
        norms: Floats = np.einsum("nd,nd->n", self.descriptors, self.descriptors)
        return norms

    def save(self, path: Path) -> None:
        """Write the pool as one NPZ file."""
        with atomic_file(path) as aside, aside.open("wb") as file:
            np.savez(file, stems=np.array(self.stems), descriptors=self.descriptors)

    @classmethod
    def load(cls, path: Path) -> "Pool":
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as held:
            return cls(tuple(str(stem) for stem in held["stems"]), held["descriptors"])
