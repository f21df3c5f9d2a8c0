"""The source photographs, where they come from, and the outlines drawn around what stands out in them.

The photographs are not ours: they are read from the installed packages that ship them. The outlines in
``outlines.csv`` were drawn by hand, snapped with GrabCut and corrected by eye; one row is one ring of ``x:y`` points.
"""

import csv
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.arrays import Image8, Mask, read_image
from sodlift.errors import DataError, MissingDependencyError

_SOURCES, _OUTLINES = (Path(__file__).with_name(name) for name in ("sources.csv", "outlines.csv"))


@dataclass(frozen=True)
class Source:
    """A photograph of an installed package.

    ``split`` is the only part of the data set in which its content may appear.
    """

    title: str
    author: str
    licence: str
    url: str
    package: str
    path: str
    split: str


def _sources() -> dict[str, Source]:
    with _SOURCES.open(newline="", encoding="utf-8") as handle:
        return {row.pop("name"): Source(**row) for row in csv.DictReader(handle)}


SOURCES: dict[str, Source] = _sources()
"""The photographs by name (``sources.csv``). Only those whose licence clearly lets them be passed on are used."""

_EXTRAS = {
    "skimage": ("scikit-image", "demo"),
    "sklearn": ("scikit-learn", "demo"),
    "matplotlib": ("matplotlib", "demo"),
}


@cache
def photo(name: str) -> Image8:
    """Return the photograph ``name`` as (H, W, 3) uint8 RGB, read-only.

    Raises
    ------
    MissingDependencyError
        If the package that ships it is not installed.
    DataError
        If the installed package no longer ships it.
    """
    source = SOURCES[name]
    spec = importlib.util.find_spec(source.package)
    if spec is None or spec.origin is None:
        project, extra = _EXTRAS[source.package]
        raise MissingDependencyError(
            f"the photograph '{name}' comes with {project}, which is not installed",
            where=f"sodlift.demo, {source.package}/{source.path}",
            mend=f"pip install 'sodlift[{extra}]', or pip install {project}",
        )
    path = Path(spec.origin).parent / source.path
    if not path.is_file():
        raise DataError(f"the photograph '{name}' is missing from {source.package}", where=path)
    pixels = read_image(path)
    pixels.setflags(write=False)
    return pixels


_Ring = tuple[bool, npt.NDArray[np.int32]]


@cache
def _rings() -> dict[str, list[_Ring]]:
    rings: dict[str, list[_Ring]] = {}
    with _OUTLINES.open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            points = np.array([[int(v) for v in point.split(":")] for point in row["points"].split()], np.int32)
            rings.setdefault(row["photo"], []).append((row["hole"] == "1", points))
    return rings


@cache
def outline(name: str) -> Mask:
    """Return what stands out in the photograph ``name`` as (H, W) bool, read-only."""
    if name == "horse":  # the source is a silhouette itself: black on white
        mask = photo(name)[..., 0] < 128
    else:
        canvas = np.zeros(photo(name).shape[:2], np.uint8)
        for hole, points in _rings()[name]:
            cv2.fillPoly(canvas, [points], 0 if hole else 1)
        mask = canvas > 0
    mask.setflags(write=False)
    return mask


@cache
def without_object(name: str) -> Image8:
    """Return the photograph with what stands out painted over from its surroundings, for use as a backdrop."""
    pixels = np.ascontiguousarray(photo(name))
    scale = 160 / max(pixels.shape[:2])
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    hole = cv2.resize(outline(name).astype(np.uint8), small.shape[1::-1], interpolation=cv2.INTER_AREA)
    hole = cv2.dilate(hole, np.ones((7, 7), np.uint8))
    filled = cv2.inpaint(small, hole, 7, cv2.INPAINT_TELEA)
    soft = cv2.GaussianBlur(filled, (0, 0), 3.0)
    weight = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 4.0)[..., None].clip(0, 1)
    joined = (soft * weight + filled * (1 - weight)).astype(np.uint8)
    shape = (pixels.shape[1], pixels.shape[0])
    large = np.asarray(cv2.resize(joined, shape, interpolation=cv2.INTER_CUBIC), np.uint8)
    large.setflags(write=False)
    return large
