"""Detectors whose saliency maps lie in a folder, as their authors publish them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sodlift.arrays import check_fit, read_grey, resize
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors._base import DetectorType
from sodlift.errors import MapError, listed
from sodlift.mapset import MapWriter
from sodlift.progress import track

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".npy")
"""File name suffixes of maps, in any case."""


@dataclass(frozen=True)
class MapsOptions:
    """Where the maps lie and how they are named.

    Attributes
    ----------
    folder : Path
        Folder of the maps; ``{dataset}`` in it stands for the data set's name.
    suffixes : tuple of str
        What may follow the image's stem in a map's name, such as "_DSS"; the empty string is nothing.
    allow_aspect : bool
        Take maps of another aspect ratio than their image, such as squares, and stretch them to it.
    """

    folder: Path
    suffixes: tuple[str, ...] = ("",)
    allow_aspect: bool = False


def find_maps(options: MapsOptions, manifest: Manifest) -> dict[str, Path]:
    """Return the map file of every image, by stem.

    Raises
    ------
    MapError
        If the folder is missing, images have no map (they are named), or several files could be an image's map.
    """
    folder = Path(str(options.folder).replace("{dataset}", manifest.dataset))
    if not folder.is_dir():
        raise MapError("folder of maps not found", where=folder, mend="put the maps there, or correct `folder`")
    files = _by_stem(folder)
    found = {
        stem: [file for suffix in options.suffixes for file in files.get(stem + suffix, ())] for stem in manifest.stems
    }
    _refuse_missing(found, folder, options.suffixes)
    _refuse_several(found, folder)
    return {stem: candidates[0] for stem, candidates in found.items()}


def _by_stem(folder: Path) -> Mapping[str, list[Path]]:
    files: dict[str, list[Path]] = defaultdict(list)
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in SUFFIXES:
            files[file.stem].append(file)
    return files


def _refuse_missing(found: Mapping[str, list[Path]], folder: Path, suffixes: Iterable[str]) -> None:
    missing = [stem for stem, candidates in found.items() if not candidates]
    if missing:
        names = " or ".join(f"<stem>{suffix}.png" for suffix in suffixes)
        raise MapError(
            f"{len(missing)} of {len(found)} maps are missing: {listed(missing)}",
            where=folder,
            expected=f"{names} (or another of {', '.join(SUFFIXES[1:])}) for each image",
            mend="add the maps, or say in `suffixes` what follows the stem in their names",
        )


def _refuse_several(found: Mapping[str, list[Path]], folder: Path) -> None:
    several = [" or ".join(file.name for file in files) for files in found.values() if len(files) > 1]
    if several:
        raise MapError(
            f"several files could be the map of an image: {listed(several)}",
            where=folder,
            expected="one file an image",
            mend="remove all but one, or narrow `suffixes`",
        )


def run(options: MapsOptions, manifest: Manifest, writer: MapWriter, workers: int) -> None:
    """Take every image's map from the folder, as stored; its own size is kept and noted where it is another.

    ``workers`` plays no part: reading is not worth a process.

    Raises
    ------
    MapError
        See ``find_maps``; also for a broken file, values outside [0, 1] and a map that does not fit its image.
    """
    files = find_maps(options, manifest)
    for entry in track(manifest.entries, f"maps of {manifest.dataset}"):
        _add(entry, files[entry.stem], options.allow_aspect, writer)


def _add(entry: Entry, file: Path, allow_aspect: bool, writer: MapWriter) -> None:
    grey = read_grey(file, MapError)
    saliency, size = grey.unit(), (entry.height, entry.width)
    height, width = saliency.shape
    notes = list(grey.notes)
    if (height, width) != size:
        notes.append(f"{width}x{height} for an image of {entry.width}x{entry.height}")
    try:
        check_fit(saliency, size, file)
    except MapError:
        if not allow_aspect:
            raise
        saliency = resize(saliency, size)
        notes.append("stretched")
    writer.add(entry.stem, saliency, note="; ".join(notes))


DETECTOR = DetectorType("a folder of saliency maps", MapsOptions, run)
