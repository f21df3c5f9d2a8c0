"""Maps in place of a detector's, which show how much of a refined map comes from the prior and how much does not.

A refiner that is given nothing, everything, another image's map or the ground truth tells what it adds by itself: one
that follows its prior ends near what it was given, one that detects by itself ends near its usual result.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from sodlift.arrays import FloatMap, read_mask, resize
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors._base import DetectorType, Machine
from sodlift.detectors._health import CheckedWriter
from sodlift.errors import ConfigError, DataError
from sodlift.mapset import MapSet
from sodlift.progress import track

Kind = Literal["empty", "uniform", "ground_truth", "another_image"]


@dataclass(frozen=True)
class SubstituteOptions:
    """What stands in for the prior.

    Attributes
    ----------
    kind : str
        ``empty`` (0 everywhere), ``uniform`` (``level`` everywhere), ``ground_truth`` (the mask), or ``another_image``:
        the map that detector ``of`` has of the next image by stem (the first one's for the last), at this one's size.
    of : str
        Detector whose maps are taken for another image.
    level : float
        The value of ``uniform``, in [0, 1].
    maps : Path, optional
        Folder of the maps of ``of`` on the data set; the workflow fills it in.

    Raises
    ------
    ConfigError
        If ``of`` is missing or makes no sense, or ``level`` is out of range.
    """

    kind: Kind
    of: str = ""
    level: float = 0.9
    maps: Path | None = None

    def __post_init__(self) -> None:
        if (self.kind == "another_image") != bool(self.of):
            expected = "the name of a detector" if self.kind == "another_image" else f"none for kind '{self.kind}'"
            raise ConfigError(f"{self.of!r} is not allowed", where="of", expected=expected)
        if not 0 <= self.level <= 1:
            raise ConfigError(f"{self.level!r} is not allowed", where="level", expected="a number from 0 to 1")

    @property
    def needs(self) -> str | None:
        """The detector whose maps are needed."""
        return self.of or None


class _Place(NamedTuple):
    """One image, the one after it, and the options."""

    entry: Entry
    other: Entry
    options: SubstituteOptions


def _uniform(place: _Place) -> FloatMap:
    return np.full((place.entry.height, place.entry.width), place.options.level, np.float32)


def _empty(place: _Place) -> FloatMap:
    return np.zeros((place.entry.height, place.entry.width), np.float32)


def _ground_truth(place: _Place) -> FloatMap:
    if place.entry.mask is None:
        mend = "use data sets with masks, or another kind"
        raise DataError("image without a mask, for its ground truth as a prior", where=place.entry.image, mend=mend)
    return read_mask(place.entry.mask).astype(np.float32)


def _another_image(place: _Place) -> FloatMap:
    assert place.options.maps is not None
    theirs = MapSet(place.options.maps).read(place.other.stem)
    return np.clip(resize(theirs, (place.entry.height, place.entry.width)), 0, 1)


KINDS: dict[str, Callable[[_Place], FloatMap]] = {
    "empty": _empty,
    "uniform": _uniform,
    "ground_truth": _ground_truth,
    "another_image": _another_image,
}
"""What each kind makes of an image."""


def run(options: SubstituteOptions, manifest: Manifest, writer: CheckedWriter, machine: Machine) -> None:
    """Write the substitute of every image's map; ``machine`` plays no part: there is nothing to compute.

    Raises
    ------
    DataError
        If the ground truth is asked for and an image has none.
    ConfigError
        If there is one image only, and thus no other.
    MapError
        If the other image has no map.
    """
    entries, make = manifest.entries, KINDS[options.kind]
    if options.of and len(entries) < 2:
        raise ConfigError(f"no other image in '{manifest.dataset}'", where="kind", expected="two images at least")
    writer.may_be_truth = options.kind == "ground_truth"
    others = (*entries[1:], entries[0])
    for entry, other in zip(track(entries, f"{options.kind} {manifest.dataset}"), others, strict=True):
        writer.add(entry.stem, make(_Place(entry, other, options)))


DETECTOR = DetectorType("a stand-in for a prior, to see what a refiner does by itself", SubstituteOptions, run)
