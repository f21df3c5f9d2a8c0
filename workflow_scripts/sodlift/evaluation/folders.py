"""Folders of ground truths and of maps, paired by file name: what is to be scored where there is no manifest.

A file belongs to an image by its name without the ending. Files of other kinds (``Thumbs.db``, ``records.csv``) and
hidden ones are passed over, and subfolders are not entered. A pattern such as ``DIR/*_DSS.png`` in place of a folder
takes the files that it matches, and the name is what the star stands for.
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from sodlift.arrays import read_image
from sodlift.errors import ConfigError, DataError, MapError, SodliftError, listed
from sodlift.problems import Problem, raise_any

KINDS = (".bmp", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff")
"""Endings of files that are read, in lower or upper case."""

_TRIES = 8
"""Names with which a hint is sought; more cost time and find no more."""

Source = str | Path
"""A folder, or a pattern of the files in one."""


@dataclass(frozen=True)
class ImageFiles:
    """The files of a folder by the names of their images; they are ``evaluation.cell.Maps``.

    Attributes
    ----------
    folder : Path
        Where they lie.
    files : mapping of str to Path
        By name, sorted.
    """

    folder: Path
    files: Mapping[str, Path]

    def usable(self, stems: Iterable[str]) -> list[str]:
        """Return those of ``stems`` that have a file."""
        return [stem for stem in stems if stem in self.files]

    def path(self, stem: str) -> Path:
        """Return the file of ``stem``; raises KeyError where there is none."""
        return self.files[stem]


@dataclass(frozen=True)
class FolderEntry:
    """An image, known by its ground truth; height and width are 0 where no folder of images is given."""

    stem: str
    mask: Path
    height: int = 0
    width: int = 0


@dataclass(frozen=True)
class FolderData:
    """The images of a folder of ground truths; they are ``evaluation.truth.Entries``."""

    dataset: str
    entries: tuple[FolderEntry, ...]


@dataclass(frozen=True)
class Paired:
    """What is to be scored.

    Attributes
    ----------
    data : FolderData
        The ground truths.
    maps : mapping of str to ImageFiles
        The maps by method.
    prior : ImageFiles or None
        The prior maps.
    extra : mapping of str to tuple of str
        Names of maps without a ground truth by method, which are passed over.
    """

    data: FolderData
    maps: Mapping[str, ImageFiles]
    prior: ImageFiles | None = None
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def inputs(self) -> set[Path]:
        """Return every file that is read, resolved."""
        groups = [*self.maps.values(), *([self.prior] if self.prior else [])]
        masks = [entry.mask for entry in self.data.entries]
        return {file.resolve() for file in (*masks, *(file for group in groups for file in group.files.values()))}


def pair_folders(
    gt: Source,
    preds: Mapping[str, Source],
    images: Source | None = None,
    prior: Source | None = None,
    allow_missing: bool = False,
) -> Paired:
    """Find the maps of each ground truth.

    Parameters
    ----------
    gt : str or Path
        Folder or pattern of the ground truths.
    preds : mapping of str to str or Path
        Folders or patterns of maps by method.
    images : str or Path, optional
        Folder or pattern of the images, for protocols that score at their size; others may lie beside them.
    prior : str or Path, optional
        Folder or pattern of the prior maps, for protocols that drop images by them.
    allow_missing : bool
        Whether maps may be missing, or have no ground truth.

    Raises
    ------
    DataError, MapError
        If a folder is missing, cannot be listed, holds no image file, two of one name, or something of an image file's
        name that is no file; or if the size of an image cannot be read.
    ConfigError
        If a pattern cannot be understood, or maps are missing or have no ground truth: all such are named by method,
        with what their names have in common.
    """
    truth = list_files(gt, "ground truths", DataError)
    maps = {name: list_files(source, "maps", MapError) for name, source in preds.items()}
    judges = None if prior is None else list_files(prior, "prior maps", MapError)
    groups = [*maps.items(), *([("prior maps", judges)] if judges else [])]
    raise_any(_mismatches(truth, groups, allow_missing), f"pairing with the ground truths in {truth.folder}")
    sizes = _sizes(truth, images) if images is not None else {}
    entries = tuple(FolderEntry(stem, mask, *sizes.get(stem, ())) for stem, mask in truth.files.items())
    extra = {name: tuple(stem for stem in found.files if stem not in truth.files) for name, found in maps.items()}
    return Paired(FolderData(truth.folder.resolve().name, entries), maps, judges, extra)


def list_files(source: Source, what: str, error: type[SodliftError] = DataError) -> ImageFiles:
    """List the image files of a folder or pattern; ``what`` says in messages what they are. See ``pair_folders``."""
    folder, pattern = _parse(Path(source))
    found: dict[str, list[Path]] = {}
    others: list[Path] = []
    for file in _listing(folder, what, error):
        stem = _stem(file.name, pattern)
        if stem is None:
            others.append(file)
        else:
            found.setdefault(stem, []).append(file)
    files = [file for group in found.values() for file in group]
    if not files:
        raise _nothing(folder, pattern, what, others, error)
    if odd := [file.name for file in files if not file.is_file()]:
        raise error(
            f"{what} that are no files: {listed(odd)}",
            where=folder,
            expected="image files",
            mend="remove the folders and the links that lead nowhere",
        )
    if twice := [f"{stem} ({listed(file.name for file in group)})" for stem, group in found.items() if len(group) > 1]:
        raise error(
            f"several {what} share a name: {listed(twice)}",
            where=folder,
            expected="one file an image",
            mend=f"remove the surplus files, or say which are meant by a pattern such as '{folder}/*.png'",
        )
    return ImageFiles(folder, {stem: found[stem][0] for stem in sorted(found)})


def _parse(source: Path) -> tuple[Path, tuple[str, str] | None]:
    """Return the folder, and what stands before and after the star of a pattern."""
    if "*" not in source.name or source.is_dir():
        return source, None
    before, _, after = source.name.partition("*")
    if "*" in after or not after.lower().endswith(KINDS):
        raise ConfigError(
            f"cannot understand the pattern '{source.name}'",
            where=source.parent,
            expected=f"one star for the image's name, and an ending among {', '.join(KINDS)}",
            mend="write it like '*_DSS.png'",
        )
    return source.parent, (before, after)


def _listing(folder: Path, what: str, error: type[SodliftError]) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        raise error(f"folder of {what} not found", where=folder, mend="check the path") from None
    except NotADirectoryError:
        raise error(
            f"folder of {what} is a file",
            where=folder,
            mend="give the folder that holds it; put a pattern in quotes, so that the shell does not expand it",
        ) from None
    except OSError as cause:
        why = cause.strerror
        raise error(f"folder of {what} cannot be listed: {why}", where=folder, mend="check its permissions") from cause


def _stem(name: str, pattern: tuple[str, str] | None) -> str | None:
    """Return the name of the image that a file belongs to, in composed Unicode, or None if it is not meant."""
    before, after = pattern or ("", Path(name).suffix)
    known = after.lower() in KINDS or pattern is not None
    stem = name[len(before) : len(name) - len(after)]
    if name.startswith(".") or not known or not stem or name != before + stem + after:
        return None
    return unicodedata.normalize("NFC", stem)  # archives made on macOS decompose it


def _nothing(
    folder: Path, pattern: tuple[str, str] | None, what: str, others: list[Path], error: type[SodliftError]
) -> SodliftError:
    folders = [file.name for file in others if file.is_dir() and not file.name.startswith(".")]
    rest = [file.name for file in others if file.name not in folders]
    mend = "check the path"
    if folders:
        mend = f"subfolders are not entered; give one: {listed(folders, 3)}"
    elif rest:
        mend = f"check the path; the folder holds {listed(rest, 3)}"
    wanted = f"'{pattern[0]}*{pattern[1]}'" if pattern else f"files ending in {', '.join(KINDS)}"
    return error(f"no {what} in the folder", where=folder, expected=wanted, mend=mend)


def _mismatches(truth: ImageFiles, groups: Iterable[tuple[str, ImageFiles]], allow_missing: bool) -> Iterable[Problem]:
    """Yield what is missing or has no ground truth; where that is allowed, only groups that fit nothing."""
    for name, maps in groups:
        missing = [stem for stem in truth.files if stem not in maps.files]
        extra = [stem for stem in maps.files if stem not in truth.files]
        if not (missing or extra) or (allow_missing and len(missing) < len(truth.files)):
            continue
        otherwise = "check the folders; nothing fits"
        if not allow_missing:
            otherwise = "add or remove files, or give --allow-missing (allow_missing=True) to leave out and count them"
        found = [f"{len(missing)} of {len(truth.files)} maps are missing: {listed(missing)}"] if missing else []
        found += [f"{len(extra)} of {len(maps.files)} maps have no ground truth: {listed(extra)}"] if extra else []
        yield Problem(
            name,
            "; ".join(found),
            "a map for each ground truth, of the same name but for the ending",
            _hint(truth, maps, missing, extra) or otherwise,
            str(maps.folder),
        )


def _hint(truth: ImageFiles, maps: ImageFiles, missing: Collection[str], extra: Collection[str]) -> str:
    """Return what names that nearly fit have in common, and how to say so; empty where they do not nearly fit."""
    if affixes := _affixes(missing, extra, len(truth.files)):
        return _pattern_hint("maps", maps, extra, affixes)
    if affixes := _affixes(extra, missing, len(maps.files)):
        return _pattern_hint("ground truths", truth, missing, affixes)
    folded = {stem.casefold(): stem for stem in extra}
    alike = [f"'{stem}' and '{folded[stem.casefold()]}'" for stem in missing if stem.casefold() in folded]
    return f"names differ in case: {listed(alike, 3)}; rename the files alike" if alike else ""


def _affixes(plain: Collection[str], longer: Collection[str], number: int) -> tuple[str, str] | None:
    """Return what, put before and after, turns plain names into longer ones for more than half of all files."""
    longer = set(longer)
    for stem in sorted(plain, key=len, reverse=True)[:_TRIES]:
        for name in sorted((name for name in longer if stem in name), key=lambda name: (len(name), name))[:_TRIES]:
            before, _, after = name.partition(stem)
            if 2 * sum(before + other + after in longer for other in plain) > number:
                return before, after
    return None


def _pattern_hint(what: str, files: ImageFiles, stems: Collection[str], affixes: tuple[str, str]) -> str:
    before, after = affixes
    words = [f"begin with '{before}'"] if before else []
    words += [f"end in '{after}'"] if after else []
    of_kind = next(files.files[stem].suffix for stem in stems if stem.startswith(before) and stem.endswith(after))
    pattern = f"{files.folder}/{before}*{after}{of_kind}"
    return f"the names of the {what} {' and '.join(words)}: give '{pattern}' in place of the folder"


def _sizes(truth: ImageFiles, source: Source) -> dict[str, tuple[int, int]]:
    """Return height and width of each ground truth's image."""
    images = list_files(source, "images")
    if missing := [stem for stem in truth.files if stem not in images.files]:
        raise DataError(
            f"{len(missing)} of {len(truth.files)} ground truths have no image: {listed(missing)}",
            where=images.folder,
            mend=_hint(truth, images, missing, [stem for stem in images.files if stem not in truth.files])
            or "add the images, or take a protocol that scores at the ground truth's size",
        )
    return {stem: _size(images.files[stem]) for stem in truth.files}


def _size(file: Path) -> tuple[int, int]:
    try:
        with Image.open(file) as image:
            return image.height, image.width
    except Exception:  # reading it whole says in our words what is wrong
        height, width = read_image(file).shape[:2]
        return height, width
