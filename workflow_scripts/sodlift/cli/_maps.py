"""A user's own folder of maps, of any image format, as the library's sets of maps."""

from collections.abc import Collection
from pathlib import Path

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
