"""The manifest of a data set: the list of images and masks that every later stage iterates over."""

import csv
import os
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from unicodedata import category

from sodlift.atomic import atomic_file
from sodlift.errors import DataError, listed

COLUMNS = ("dataset", "stem", "image", "mask", "height", "width", "image_sha256", "mask_sha256", "split")
_MEND = "delete the file and run the datasets stage again"


@dataclass(frozen=True)
class Entry:
    """One image of a data set.

    Attributes
    ----------
    stem : str
        Name that image, mask and every map of it share, unique within the data set.
    image, mask : Path
        The files; ``mask`` is None for an image without ground truth.
    height, width : int
        Size of the image, in pixels.
    image_sha256, mask_sha256 : str
        Hexadecimal digests of the files' bytes; empty for a missing mask.
    split : str
        Part of the data set such as "train" or "test"; empty where it has none.
    """

    stem: str
    image: Path
    mask: Path | None
    height: int
    width: int
    image_sha256: str
    mask_sha256: str = ""
    split: str = ""


@dataclass(frozen=True)
class Manifest:
    """The images of one data set, sorted by stem; files are named here, not opened.

    Raises
    ------
    DataError
        If there is no entry, two entries share a stem, or a name has characters that no table or path can carry.
    """

    dataset: str
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if not self.entries:
            raise DataError(f"data set '{self.dataset}' has no images", expected="at least one")
        odd = [entry.stem for entry in self.entries if not _is_plain(entry)]
        if odd:
            raise DataError(
                f"data set '{self.dataset}' has file names that cannot be used: {listed(map(ascii, odd))}",
                expected="UTF-8 without control characters; stems without '/'",
                mend="rename the files",
            )
        entries = tuple(sorted(self.entries, key=lambda entry: entry.stem))
        twice = [a.stem for a, b in pairwise(entries) if a.stem == b.stem]
        if twice:
            raise DataError(
                f"data set '{self.dataset}' has several entries of one stem: {listed(twice)}",
                expected="each stem once",
                mend="rename the files, or narrow the pattern that finds them",
            )
        object.__setattr__(self, "entries", entries)

    @property
    def stems(self) -> tuple[str, ...]:
        """The stems, sorted."""
        return tuple(entry.stem for entry in self.entries)

    def part(self, number: int, parts: int) -> "Manifest":
        """Return every ``parts``-th image, from the ``number``-th (1 is the first) on; raises DataError for none."""
        return replace(self, entries=self.entries[number - 1 :: parts])

    @classmethod
    def load(cls, path: str | Path) -> "Manifest":
        """Read a manifest that ``save`` wrote; raises DataError naming the file, and the line where one is wrong."""
        path = Path(path)
        if not path.is_file():
            raise DataError("manifest not found", where=path, mend="run the datasets stage")
        try:
            with path.open(newline="", encoding="utf-8") as handle:
                reader = csv.reader(handle, strict=True)
                header = next(reader, [])
                rows = [(reader.line_num, row) for row in reader]
        except (csv.Error, UnicodeDecodeError) as cause:
            raise DataError(f"cannot read the manifest: {cause}", where=path, mend=_MEND) from cause
        if tuple(header) != COLUMNS:
            raise DataError(
                f"manifest has the columns {','.join(header) or '(none)'}",
                where=path,
                expected=",".join(COLUMNS),
                mend=_MEND,
            )
        folder = _absolute(path.parent)
        entries = tuple(_entry(row, folder, f"{path}, line {number}") for number, row in rows)
        names = sorted({row[0] for _, row in rows})
        if len(names) != 1:
            raise DataError(
                f"manifest names {len(names)} data sets: {', '.join(names) or '(no row)'}",
                where=path,
                expected="one data set",
                mend=_MEND,
            )
        try:
            return cls(names[0], entries)
        except DataError as cause:
            raise DataError(cause.what, where=path, expected=cause.expected, mend=_MEND) from None

    def save(self, path: str | Path) -> None:
        """Write the manifest as CSV, whole or not at all.

        Files are named relative to the manifest's folder, so that a project moved as a whole keeps working and two
        machines write the same bytes.
        """
        path = Path(path)
        folder = _absolute(path.parent)
        with atomic_file(path) as part, part.open("w", newline="", encoding="utf-8") as handle:
            rows = csv.writer(handle, lineterminator="\n")
            rows.writerow(COLUMNS)
            rows.writerows(_row(self.dataset, entry, folder) for entry in self.entries)


def _absolute(path: Path) -> Path:
    """Return ``path`` absolute and free of ``..`` without following links, so that ``save`` and ``load`` agree."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow links


def _is_plain(entry: Entry) -> bool:
    """Tell whether the entry's names are UTF-8 without control characters, and its stem can name a map's file."""
    names = f"{entry.stem}{entry.image}{entry.mask}"
    return not ({"Cc", "Cs"} & set(map(category, names)) or "/" in entry.stem or entry.stem in {"", ".", ".."})


def _row(dataset: str, entry: Entry, folder: Path) -> tuple[object, ...]:
    image, mask = (
        Path(os.path.relpath(_absolute(file), folder)).as_posix() if file else "" for file in (entry.image, entry.mask)
    )
    size = (entry.height, entry.width)
    return (dataset, entry.stem, image, mask, *size, entry.image_sha256, entry.mask_sha256, entry.split)


def _entry(row: list[str], folder: Path, where: str) -> Entry:
    if len(row) != len(COLUMNS):
        raise DataError(f"row of {len(row)} fields", where=where, expected=f"{len(COLUMNS)} fields", mend=_MEND)
    _, stem, image, mask, height, width, image_sha256, mask_sha256, split = row
    if not (height.isdecimal() and width.isdecimal() and int(height) > 0 and int(width) > 0):
        raise DataError(f"size '{height}' x '{width}'", where=where, expected="height and width in pixels", mend=_MEND)
    if not stem or not image:
        raise DataError("row without a stem or an image", where=where, mend=_MEND)
    files = (_absolute(folder / image), _absolute(folder / mask) if mask else None)
    return Entry(stem, *files, int(height), int(width), image_sha256, mask_sha256, split)
