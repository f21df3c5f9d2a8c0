"""A user's own folders: maps of any image format as the library's sets of maps, images, and the maps to write."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
from PIL import Image

from sodlift.arrays import write_map
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.errors import DataError, MapError, listed
from sodlift.evaluation.folders import list_files
from sodlift.mapset import MapRecord, MapSet


class FolderMaps(MapSet):
    """The maps of a folder (or pattern, such as ``'maps/*_DSS.png'``) by the stems of their images.

    Raises
    ------
    MapError
        If an image has no map, or the folder is missing or holds two files of a stem. Maps without an image are
        passed over.
    """

    def __init__(self, source: Path, stems: Collection[str]) -> None:
        found = list_files(source, "maps", MapError)
        missing = [stem for stem in stems if stem not in found.files]
        if missing:
            raise MapError(
                f"{len(missing)} of {len(stems)} images have no map: {listed(missing)}",
                where=source,
                expected="a file of the image's name, whatever its ending",
                mend="add the maps, take these images out, or say how the names differ: 'maps/*_DSS.png'",
            )
        self.folder = found.folder
        self.records = {stem: MapRecord(stem) for stem in stems}
        self._files = found.files

    def path(self, stem: str) -> Path:
        """Return the file of ``stem``; raises MapError if there is none."""
        if stem not in self.records:
            raise MapError(f"map of image '{stem}' is missing", where=self.folder)
        return self._files[stem]


def images_of(folder: Path) -> dict[str, Path]:
    """Return the images of a folder (or pattern) by stem; raises DataError."""
    return dict(list_files(folder, "images", DataError).files)


def manifest_of(images: Mapping[str, Path]) -> Manifest:
    """Return images by stem as a data set, by their headers; raises DataError where one cannot be read."""
    return Manifest("images", tuple(_entry(stem, file) for stem, file in images.items()))


def _entry(stem: str, file: Path) -> Entry:
    try:
        with Image.open(file) as handle:
            width, height = handle.size
    except Exception as cause:  # decoders have many words for what they cannot read
        raise DataError("no image that can be read", where=file, mend="replace the file, or leave it out") from cause
    return Entry(stem, file.absolute(), None, height, width, image_sha256="")


@dataclass(frozen=True)
class WrittenMaps:
    """A folder that maps are written to, each whole or not at all."""

    path: Path

    def file(self, stem: str) -> Path:
        """Return the file of an image's map."""
        return self.path / f"{stem}.png"

    def add(self, stem: str, saliency: npt.NDArray[Any] | None, status: str = "ok", note: str = "") -> None:
        """Write the map (H, W) in [0, 1] of an image; None, where there is none, writes nothing."""
        if saliency is not None:
            write_map(self.file(stem), saliency)
