"""A data set in local folders: images and masks by glob patterns, paired by stem."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from sodlift.datasets.sources._base import Listing, Pair, Source
from sodlift.datasets.sources._lists import read_list, stems_of
from sodlift.errors import ConfigError, DataError, listed

_IMAGE_KINDS = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff"})
_MASK_KINDS = _IMAGE_KINDS | {".npy"}

SHIPPED = Path(__file__).resolve().parents[2] / "shipped"
"""The folder of the shipped configuration, where lists lie that a data set's archive does not hold."""

_OF_SHIPPED = "config:"


@dataclass(frozen=True)
class FolderOptions:
    """Where the files lie.

    Attributes
    ----------
    root : str
        Folder of the data set; a relative one starts at the project's folder.
    images, masks : str
        Glob patterns below ``root``; the file name's part ignores case. ``masks: null`` is a data set for inference
        only. Hidden files and ``__MACOSX`` folders are passed over.
    image_suffix, mask_suffix : str
        What follows the stem in file names, before the extension: ``_gt`` pairs ``a.jpg`` with ``a_gt.png``. A file
        that both patterns match is a mask when it ends in ``mask_suffix``.
    unmasked : tuple of str
        Stems that are known to have no mask.
    splits : str, optional
        Glob pattern below ``root`` of text files that list stems or file names, one a line; each is a split named
        after its file: ``lists/*.txt`` with ``lists/train.txt`` makes the split "train". A pattern that begins with
        ``config:`` is below the folder of the shipped configuration: ``config:splits/MSRA-B/*.txt``.
    split : str, optional
        The split to use; null uses every image.
    """

    root: str
    images: str = "images/*"
    masks: str | None = "masks/*"
    image_suffix: str = ""
    mask_suffix: str = ""
    unmasked: tuple[str, ...] = ()
    splits: str | None = None
    split: str | None = None


def find(options: FolderOptions, root: Path) -> Listing:
    """Find and pair the files of a data set in local folders.

    Raises
    ------
    DataError
        If the folder or every image is missing, images lack masks, two files share a stem, or a split list names an
        image that is not there.
    ConfigError
        If a pattern is not below ``options.root``, both patterns match the same file, or the split is unknown.
    """
    folder = root / Path(options.root).expanduser()
    if not folder.is_dir():
        raise DataError("folder of the data set not found", where=folder, mend="check `root` in the data set's row")
    mask_files = _matches(folder, options.masks) if options.masks is not None else []
    claimed = frozenset(mask_files)
    image_files = [file for file in _matches(folder, options.images) if not _is_mask(file, claimed, options)]
    images, others = _by_stem(image_files, options.image_suffix, _IMAGE_KINDS, folder, "image")
    masks, strays = _by_stem(mask_files, options.mask_suffix, _MASK_KINDS, folder, "mask")
    if not images:
        raise DataError(
            f"no image matches '{options.images}'",
            where=folder,
            expected=f"files ending in {options.image_suffix}{{{','.join(sorted(_IMAGE_KINDS))}}}",
            mend="check `images` and `image_suffix` in the data set's row",
        )
    if options.masks is not None:
        _check_masks(images, masks, options, folder)
    strays += [file for stem, file in masks.items() if stem not in images]
    splits = _splits(options.splits, folder, images) if options.splits is not None else {}
    pairs = tuple(Pair(stem, images[stem], masks.get(stem), splits.get(stem, "")) for stem in sorted(images))
    return Listing(pairs, tuple(sorted(others + strays))).select(options.split, folder)


SOURCE = Source("images and masks in local folders", FolderOptions, find, lambda options: options.masks is not None)


def _matches(folder: Path, pattern: str) -> list[Path]:
    """Return the files that ``pattern`` matches, sorted; only its last part ignores case."""
    if not pattern or pattern.startswith("/"):
        raise ConfigError(
            f"invalid file pattern '{pattern}'", where=folder, expected="a pattern such as 'images/*.jpg'"
        )
    parents, _, name = pattern.rpartition("/")
    folders = [f for f in folder.glob(parents) if f.is_dir() and "__MACOSX" not in f.parts] if parents else [folder]
    return sorted(
        file
        for parent in folders
        for file in parent.iterdir()
        if fnmatchcase(file.name.lower(), name.lower()) and not file.name.startswith(".") and file.is_file()
    )


def _is_mask(file: Path, mask_files: frozenset[Path], options: FolderOptions) -> bool:
    """Tell whether an image pattern's match belongs to the masks; raises ConfigError where nothing tells them apart."""
    if file not in mask_files:
        return False
    if not options.mask_suffix:
        raise ConfigError(
            f"patterns '{options.images}' and '{options.masks}' both match {file.name}",
            where=file.parent,
            mend="narrow them by extension or folder, or set `mask_suffix`",
        )
    return file.stem.endswith(options.mask_suffix)


def _by_stem(
    files: Iterable[Path], suffix: str, kinds: frozenset[str], folder: Path, what: str
) -> tuple[dict[str, Path], list[Path]]:
    """Return the files by stem, and those of another kind or suffix; raises DataError where two share a stem."""
    found: dict[str, list[Path]] = {}
    others: list[Path] = []
    for file in files:
        if file.suffix.lower() in kinds and file.stem.endswith(suffix):
            found.setdefault(_stem(file, suffix), []).append(file)
        else:
            others.append(file)
    twice = {stem: group for stem, group in found.items() if len(group) > 1}
    if twice:
        groups = [f"{stem} ({', '.join(str(f.relative_to(folder)) for f in group)})" for stem, group in twice.items()]
        raise DataError(
            f"several {what} files share a stem: {listed(groups)}",
            where=folder,
            expected=f"one {what} a stem",
            mend=f"remove or rename the surplus files, or narrow `{what}s` in the data set's row",
        )
    return {stem: group[0] for stem, group in found.items()}, others


def _stem(file: Path, suffix: str) -> str:
    """Return the stem in composed Unicode: archives made on macOS decompose it."""
    return unicodedata.normalize("NFC", file.stem.removesuffix(suffix))


def _check_masks(images: Mapping[str, Path], masks: Mapping[str, Path], options: FolderOptions, folder: Path) -> None:
    unknown = [stem for stem in options.unmasked if stem not in images]
    if unknown:
        raise ConfigError(f"`unmasked` names images that are not there: {listed(unknown)}", where=folder)
    missing = sorted(images.keys() - masks.keys() - set(options.unmasked))
    if missing:
        orphans = sorted(masks.keys() - images.keys())
        hint = f" Masks without an image: {listed(orphans, 3)}; should `mask_suffix` say why?" if orphans else ""
        raise DataError(
            f"{len(missing)} of {len(images)} images have no mask: {listed(missing)}",
            where=folder,
            expected=f"a mask matching '{options.masks}' for each image",
            mend="add the masks, list these stems in `unmasked`, or set `masks: null` for inference only." + hint,
        )


def _splits(pattern: str, folder: Path, images: Mapping[str, Path]) -> dict[str, str]:
    """Return the split of each listed stem; raises DataError for unknown stems and those in two lists."""
    folder = SHIPPED if pattern.startswith(_OF_SHIPPED) else folder
    files = _matches(folder, pattern.removeprefix(_OF_SHIPPED))
    if not files:
        raise DataError(f"no split list matches '{pattern}'", where=folder, mend="check `splits` in the data set's row")
    split_of: dict[str, str] = {}
    for file in files:
        stems, unknown = stems_of(read_list(file), images)
        if unknown:
            raise DataError(
                f"split list names {len(unknown)} images that are not there: {listed(unknown)}",
                where=file,
                expected="a stem or file name a line",
                mend="add the images, or correct the list",
            )
        both = sorted(stem for stem in stems if split_of.get(stem, file.stem) != file.stem)
        if both:
            raise DataError(
                f"images that are in another split too: {listed(both)}",
                where=file,
                expected="each image in one split",
                mend="correct the lists",
            )
        split_of.update(dict.fromkeys(stems, file.stem))
    return split_of
