"""Detectors whose saliency maps lie in a folder, as their authors publish them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from sodlift.arrays import check_fit, read_grey, resize
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors._base import DetectorType, Machine
from sodlift.detectors._health import CheckedWriter, short
from sodlift.errors import MapError
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


def files(options: MapsOptions, dataset: str) -> list[Path]:
    """Return every file in the folder of a data set's maps, hidden ones aside, by name.

    Raises
    ------
    MapError
        If the folder is missing.
    """
    folder = _folder(options, dataset)
    if not folder.is_dir():
        raise MapError("folder of maps not found", where=folder, mend="put the maps there, or correct `folder`")
    return sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))


def run(options: MapsOptions, manifest: Manifest, writer: CheckedWriter, machine: Machine) -> None:
    """Take every image's map from the folder, as stored; its own size is kept and noted where it is another.

    Images whose map is missing, ambiguous, broken or of another shape are told to the writer. ``machine`` plays no
    part: reading is not worth a process.

    Raises
    ------
    MapError
        If the folder is missing.
    """
    found = files(options, manifest.dataset)
    writer.source = _folder(options, manifest.dataset)
    by_stem: dict[str, list[Path]] = {}
    for file in found:
        if file.suffix.lower() in SUFFIXES:
            by_stem.setdefault(file.stem, []).append(file)
    used: set[Path] = set()
    for entry in track(manifest.entries, f"maps of {manifest.dataset}"):
        candidates = [file for suffix in options.suffixes for file in by_stem.get(entry.stem + suffix, ())]
        used.update(candidates)
        if len(candidates) == 1:
            _take(entry, candidates[0], options.allow_aspect, writer)
        elif candidates:
            writer.refuse(entry.stem, "several", " or ".join(file.name for file in candidates))
        else:
            wanted = " or ".join(f"{entry.stem}{suffix}.png" for suffix in options.suffixes)
            writer.refuse(entry.stem, "missing", wanted)
    for file in found:
        if file not in used:
            writer.remark("unused", short(file))


def _folder(options: MapsOptions, dataset: str) -> Path:
    return Path(str(options.folder).replace("{dataset}", dataset))


def _take(entry: Entry, file: Path, allow_aspect: bool, writer: CheckedWriter) -> None:
    """Add the map in ``file``, or tell the writer why it is none."""
    try:
        grey = read_grey(file, MapError)
    except MapError as cause:
        writer.refuse(entry.stem, "unreadable", f"{short(file)} ({cause.what}; {cause.mend})")
        return
    saliency, size = grey.unit(), (entry.height, entry.width)
    height, width = saliency.shape
    sizes = f"{width}x{height} for an image of {entry.width}x{entry.height}"
    notes = list(grey.notes)
    if (height, width) != size:
        notes.append(sizes)
    if not _fits(saliency, size):
        item = f"{short(file)} ({sizes}; width x height)"
        if not allow_aspect:
            writer.refuse(entry.stem, "transposed" if _fits(saliency.T, size) else "aspect", item)
            return
        writer.remark("stretched", item)
        notes.append("stretched")
        saliency = resize(saliency, size)
    writer.read_from(file, grey)
    writer.add(entry.stem, saliency, note="; ".join(notes))


def _fits(saliency: npt.NDArray[Any], size: tuple[int, int]) -> bool:
    """Whether ``check_fit`` lets a map (h, w) pass for an image of ``size = (height, width)``."""
    try:
        check_fit(saliency, size)
    except MapError:
        return False
    return True


DETECTOR = DetectorType("a folder of saliency maps", MapsOptions, run, files)
