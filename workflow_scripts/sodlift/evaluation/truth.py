"""The ground truth of one image, under any number of protocols."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import Protocol as Structure

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import binarise, read_grey
from sodlift.errors import DataError
from sodlift.evaluation.fit import Size, resized
from sodlift.evaluation.protocols import Protocol
from sodlift.metrics._pair import GroundTruth


class Entry(Structure):
    """An image of a data set, as a manifest lists it."""

    @property
    def stem(self) -> str:
        """Its name."""

    @property
    def mask(self) -> Path | None:
        """File of its ground truth."""

    @property
    def height(self) -> int:
        """Height of the image in pixels."""

    @property
    def width(self) -> int:
        """Width of the image in pixels."""


class Entries(Structure):
    """A data set, as a manifest lists it."""

    @property
    def dataset(self) -> str:
        """Its name."""

    @property
    def entries(self) -> Sequence[Entry]:
        """Its images."""


class Truth:
    """The ground truth of one image, read once and shared by every map and protocol.

    Attributes
    ----------
    stem : str
        The image's name.
    oddities : tuple of str
        What is odd about the file, among ``scores.COUNTS``.

    Raises
    ------
    DataError
        If the image has no mask, or its mask cannot be read.
    """

    def __init__(self, entry: Entry) -> None:
        if entry.mask is None:
            raise DataError(f"image '{entry.stem}' has no mask", expected="scoring needs masks")
        self.stem = entry.stem
        self._grey = read_grey(entry.mask, DataError)
        self._image_size = (entry.height, entry.width)
        self._made: dict[tuple[str, Size, str], GroundTruth] = {}
        grey, dim = _levels(self._grey.values.ravel(), self._grey.values.dtype.type(self._grey.full))
        odd = {"mask_grey": grey, "mask_dim": dim} | {f"mask_{note}": True for note in self._grey.notes}
        self.oddities = tuple(name for name, is_so in odd.items() if is_so)

    def size(self, protocol: Protocol) -> Size:
        """Return the size (height, width) at which the protocol scores; raises DataError if it is not known."""
        height, width = self._grey.values.shape if protocol.size == "mask" else self._image_size
        if not height * width:
            raise DataError(
                f"the size of image '{self.stem}' is not known, and protocol '{protocol.name}' scores at it",
                mend="give the images too, or take a protocol that scores at the masks' size",
            )
        return height, width

    def under(self, protocol: Protocol) -> GroundTruth:
        """Return the binary ground truth; protocols under which it is the same share it."""
        size = self.size(protocol)
        how = "" if size == self._grey.values.shape else protocol.resize
        key = (protocol.gt_rule, size, how)
        if key not in self._made:
            mask = binarise(resized(self._grey, size, how) if how else self._grey, protocol.gt_rule)
            alike = (made for made in self._made.values() if np.array_equal(made.mask, mask))
            self._made[key] = next(alike, None) or GroundTruth(mask)
        return self._made[key]


@njit(cache=True)
def _levels(values: npt.NDArray[Any], full: Any) -> tuple[bool, bool]:
    """Whether a mask has values between black and white, and whether it has foreground but no white."""
    black, white = 0, 0
    for value in values:
        black += value == 0
        white += value == full
    return black + white < len(values), black < len(values) and white == 0
