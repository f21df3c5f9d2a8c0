"""What alignment sees of an image: its superpixels, and boxes that may hold an object (MIJR, TMM 2020, Sec. III)."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sodlift.alignment._members import Members, members
from sodlift.alignment.dense_sift import Descriptors, dense_sift
from sodlift.alignment.proposals import Proposals, choose, edge_boxes
from sodlift.arrays import Image8, resize_image
from sodlift.atomic import atomic_file
from sodlift.superpixels.colour import lab_planes
from sodlift.superpixels.regions import Floats, Labels, centroids, means
from sodlift.superpixels.slic import slic

SIZE = (150, 200)
"""Height and width at which images are compared, all alike: SIFT flow needs images of one size."""
SUPERPIXELS = 500
"""How many MIJR asks SLIC for (Sec. III-A)."""
_FINER = 2
"""Boxes are searched at so many times ``SIZE``: EdgeBoxes finds none below 1000 pixels, 3 % of an image of ``SIZE``."""


@dataclass(frozen=True)
class Scene:
    """An image as alignment sees it, by itself; any aspect is squeezed to ``SIZE``.

    Attributes
    ----------
    image : (150, 200, 3) uint8
        RGB.
    labels : (150, 200) int32
        Superpixels, 0 to n - 1, every one of them in use.
    full : (H, W) int32
        The same superpixels at the image's own size, where SLIC found them.
    proposals : Proposals
        At most 100 boxes, in pixels of ``SIZE``.
    """

    image: Image8
    labels: Labels
    full: Labels
    proposals: Proposals

    @property
    def count(self) -> int:
        """The number of superpixels, n."""
        return int(self.labels.max()) + 1

    @cached_property
    def centres(self) -> Floats:
        """Their centroids (n, 2), x and y, in pixels of ``SIZE``."""
        return np.ascontiguousarray(centroids(self.labels, self.count)[:, ::-1])

    @cached_property
    def colours(self) -> Floats:
        """Their mean CIELAB colours (n, 3)."""
        return means(self.labels, self.count, lab_planes(self.image).transpose(1, 2, 0))

    @cached_property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Which boxes hold which superpixels' centres: (boxes, n)."""
        corner = self.proposals.boxes[:, None, :2]
        centres = np.floor(self.centres)  # the pixel that holds it, so that a box of the whole image holds all
        within = (centres >= corner) & (centres < corner + self.proposals.boxes[:, None, 2:])
        return np.asarray(within.all(axis=2))

    @cached_property
    def held(self) -> npt.NDArray[np.float32]:
        """The same as numbers, by superpixel: (n, boxes)."""
        return np.ascontiguousarray(self.inside.T, dtype=np.float32)

    @cached_property
    def members(self) -> Members:
        """Which superpixels belong to what the boxes hold."""
        return members(self.proposals, SIZE, self.centres, self.colours)

    def describe(self) -> Descriptors:
        """Return dense SIFT (150, 200, 128) uint8, as ``sift_flow`` takes it."""
        return dense_sift(self.image)

    def save(self, path: Path) -> None:
        """Write the scene as one NPZ file."""
        boxes, scores = self.proposals
        with atomic_file(path) as aside, aside.open("wb") as file:
            labels, full = (one.astype(np.uint16) for one in (self.labels, self.full))
            np.savez_compressed(file, image=self.image, labels=labels, full=full, boxes=boxes, scores=scores)

    @classmethod
    def load(cls, path: Path) -> "Scene":
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as held:
            labels, full = (held[name].astype(np.int32) for name in ("labels", "full"))
            return cls(held["image"], labels, full, Proposals(held["boxes"], held["scores"]))


def scene(image: Image8, superpixels: int = SUPERPIXELS) -> Scene:
    """Return what alignment sees of an image (H, W, 3) uint8; about so many ``superpixels``.

    A superpixel that would have no pixel left at ``SIZE`` is given up at either size.
    """
    full, labels = _segmented(image, superpixels)
    return Scene(resize_image(image, SIZE), labels, full, _proposed(image))


def _segmented(image: Image8, superpixels: int) -> tuple[Labels, Labels]:
    """Return the superpixels of an image at its own size and at ``SIZE``, the same ones."""
    full, _ = slic(image, superpixels)
    rows, columns = (((np.arange(to) + 0.5) * size / to).astype(int) for to, size in zip(SIZE, full.shape, strict=True))
    reduced = full[rows[:, None], columns]
    kept = np.zeros(full.max() + 1, bool)
    kept[reduced] = True
    # A lost pixel takes the superpixel of the pixel of SIZE that it lies in: that one is there by construction.
    down, across = (
        ((np.arange(size) + 0.5) * to / size).astype(int) for to, size in zip(SIZE, full.shape, strict=True)
    )
    full = np.where(kept[full], full, reduced[down[:, None], across])
    number = (np.cumsum(kept) - 1).astype(np.int32)
    return number[full], number[reduced]


def _proposed(image: Image8) -> Proposals:
    """Return MIJR's choice of boxes, in pixels of ``SIZE``."""
    finer = (_FINER * SIZE[0], _FINER * SIZE[1])
    boxes, scores = choose(edge_boxes(resize_image(image, finer)), finer)
    corner = boxes[:, :2] // _FINER
    far = -(-(boxes[:, :2] + boxes[:, 2:]) // _FINER)
    return Proposals(np.concatenate([corner, far - corner], axis=1), scores)
