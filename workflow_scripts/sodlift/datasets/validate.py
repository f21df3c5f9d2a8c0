"""Building a manifest from the files of a data set, each read once, and checking their health."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from sodlift.arrays import Grey, Image8, binarise, read_grey, read_image
from sodlift.datasets.health import KINDS, HealthReport
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.datasets.near_duplicates import copies, thumbnail
from sodlift.datasets.report import Spread, average, findings
from sodlift.datasets.sources._base import Pair, Source
from sodlift.datasets.subset import Subset, select
from sodlift.errors import DataError

Progress = Callable[[Sequence[Pair]], Iterable[Pair]]
"""Passes pairs on one by one and shows how far it is, as ``tqdm`` does."""

_MODES = {  # Pillow's mode of an image file: the findings it stands for
    "1": ("image_grey",),
    "L": ("image_grey",),
    "LA": ("image_grey", "image_alpha"),
    "I": ("image_grey", "image_16bit"),
    "I;16": ("image_grey", "image_16bit"),
    "I;16B": ("image_grey", "image_16bit"),
    "P": ("image_palette",),
    "PA": ("image_palette", "image_alpha"),
    "RGBA": ("image_alpha",),
    "CMYK": ("image_cmyk",),
}
_EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True)
class _Inspected:
    """What one reading of an image and its mask showed; ``remarks`` are (kind of finding, item)."""

    pair: Pair
    size: tuple[int, int] | None = None
    image_sha256: str = ""
    small: Image8 | None = None
    mask_sha256: str = ""
    foreground: float | None = None
    histogram: npt.NDArray[np.int64] | None = None
    remarks: tuple[tuple[str, str], ...] = ()


def build_manifest(
    name: str,
    source: Source,
    options: Any,
    root: Path,
    expected: int | None = None,
    subset: Subset | None = None,
    progress: Progress = iter,
) -> tuple[Manifest, HealthReport]:
    """Find the files of a data set, read each once, and return its manifest and its health report.

    Parameters
    ----------
    name : str
        Name of the data set.
    source : Source
        Where it comes from, an entry of ``SOURCES``.
    options : object
        An instance of ``source.options``.
    root : Path
        Folder at which relative folders of the options start.
    expected : int, optional
        Number of images that there must be; None leaves it open.
    subset : Subset, optional
        Use only these images; ``expected`` counts them all.
    progress : callable
        Wraps the sequence of pairs, for a progress bar.

    Raises
    ------
    DataError
        If images and masks do not pair, or the report holds errors: one message lists them all.
    ConfigError
        If the subset does not fit the data set; see ``select``.
    """
    listing = source.find(options, root)
    used = listing if subset is None else select(listing, subset, f"subset.{name}")
    found = [_inspect(pair) for pair in progress(used.pairs)]
    unused = [("unused", _short(file)) for file in listing.unused]
    report = _report(name, found, len(listing.pairs), expected, unused)
    report.raise_errors(_common_folder(listing.pairs))
    return Manifest(name, tuple(_entry(item) for item in found)), report


def validate(manifest: Manifest, expected: int | None = None, progress: Progress = iter) -> HealthReport:
    """Read the files of a manifest again and report their health; a file that changed since is an error.

    Nothing is raised for what is wrong with the files: see ``HealthReport.raise_errors``.
    """
    entries = {entry.stem: entry for entry in manifest.entries}
    pairs = tuple(Pair(entry.stem, entry.image, entry.mask, entry.split) for entry in manifest.entries)
    found = [_inspect(pair) for pair in progress(pairs)]
    changed: list[tuple[str, str]] = []
    for item in found:
        entry = entries[item.pair.stem]
        if item.image_sha256 not in {"", entry.image_sha256}:
            changed.append(("changed", _short(entry.image)))
        if entry.mask is not None and item.mask_sha256 not in {"", entry.mask_sha256}:
            changed.append(("changed", _short(entry.mask)))
    return _report(manifest.dataset, found, len(pairs), expected, changed)


def _inspect(pair: Pair) -> _Inspected:
    remarks: list[tuple[str, str]] = []
    size, image_sha256, small, mask_sha256, foreground, histogram = None, "", None, "", None, None
    try:
        image = read_image(pair.image)
    except DataError as cause:
        remarks.append(("unreadable", f"{_short(pair.image)} ({cause.what}; {cause.mend})"))
    else:
        size, image_sha256 = (image.shape[0], image.shape[1]), _digest(pair.image)
        small, kinds = thumbnail(image), _image_kinds(pair.image)
        if (image == image[..., :1]).all():
            kinds.add("image_grey")
        remarks += [(kind, _short(pair.image)) for kind in kinds]
    if pair.mask is None:
        remarks.append(("no_mask", pair.stem))
        return _Inspected(pair, size, image_sha256, small, remarks=tuple(remarks))
    try:
        grey = read_grey(pair.mask, DataError)
    except DataError as cause:
        remarks.append(("unreadable", f"{_short(pair.mask)} ({cause.what}; {cause.mend})"))
    else:
        mask_sha256 = _digest(pair.mask)
        foreground = float(binarise(grey, "gt128").mean())
        histogram = _histogram(grey)
        remarks += [(kind, f"{_short(pair.mask)}{detail}") for kind, detail in _mask_kinds(grey, foreground, histogram)]
        remarks += [(kind, f"{_short(pair.mask)}{detail}") for kind, detail in _size_kinds(size, grey.values.shape)]
    return _Inspected(pair, size, image_sha256, small, mask_sha256, foreground, histogram, tuple(remarks))


def _image_kinds(path: Path) -> set[str]:
    """Return the kinds of finding that the header of an image file shows; nothing is decoded."""
    with Image.open(path) as header:
        kinds = set(_MODES.get(header.mode, ()))
        if "transparency" in header.info:
            kinds.add("image_alpha")
        if any(";16" in str(tile[3]) for tile in header.tile):  # 16-bit colour, which Pillow opens as RGB
            kinds.add("image_16bit")
        if header.getexif().get(_EXIF_ORIENTATION, 1) != 1:
            kinds.add("image_rotated")
    return kinds


def _histogram(grey: Grey) -> npt.NDArray[np.int64]:
    """Return the number of pixels at each of 256 levels; 16-bit and float masks are rounded to 8 bits."""
    levels = grey.values if grey.values.dtype == np.uint8 else np.rint(grey.values / grey.full * 255).astype(np.uint8)
    return np.bincount(levels.ravel(), minlength=256)


def _mask_kinds(grey: Grey, foreground: float, histogram: npt.NDArray[np.int64]) -> list[tuple[str, str]]:
    levels = np.flatnonzero(histogram)
    brightest = grey.values.max()
    found = []
    if len(levels) > 2:
        found.append(("non_binary", f" ({_grey_share(histogram):.1%} grey, {len(levels)} levels)"))
    if grey.full > 1 and brightest == 1:
        found.append(("zero_one", ""))
    elif 0 < brightest < grey.full:
        found.append(("dim", f" (at most {levels[-1]})"))
    if foreground in {0.0, 1.0}:
        found.append(("full" if foreground else "empty", ""))
    if grey.notes:
        found.append(("mask_format", f" ({', '.join(grey.notes)})"))
    return found


def _size_kinds(image: tuple[int, int] | None, mask: tuple[int, ...]) -> list[tuple[str, str]]:
    if image is None or image == mask:
        return []
    kind = "transposed" if image == mask[::-1] else "size"
    return [(kind, f" (mask {mask[0]}x{mask[1]}, image {image[0]}x{image[1]}; height x width)")]


def _grey_share(histogram: npt.NDArray[np.int64]) -> float:
    return float(1 - (histogram[0] + histogram[255]) / histogram.sum())


def _report(
    name: str, found: Sequence[_Inspected], total: int, expected: int | None, extra: Iterable[tuple[str, str]]
) -> HealthReport:
    remarks = [*extra, *(remark for item in found for remark in item.remarks)]
    remarks += [*_duplicates(found), *_near_duplicates(found)]
    if expected not in {None, total}:
        remarks.append(("count", f"{total} found, {expected} expected"))
    sizes = [item.size for item in found if item.size is not None]
    shares = [item.foreground for item in found if item.foreground is not None]
    histogram = sum((item.histogram for item in found if item.histogram is not None), np.zeros(256, np.int64))
    splits = Counter(item.pair.split for item in found)
    return HealthReport(
        dataset=name,
        images=len(sizes),
        masks=len(shares),
        found=total,
        expected=expected,
        splits=dict(sorted(splits.items())) if set(splits) != {""} else {},
        distinct_sizes=len(set(sizes)),
        height=Spread.of([height for height, _ in sizes]),
        width=Spread.of([width for _, width in sizes]),
        foreground=Spread.of(shares),
        mean_foreground=average(shares),
        mask_levels=tuple(int(level) for level in np.flatnonzero(histogram)),
        grey_share=_grey_share(histogram) if shares else None,
        findings=findings(KINDS, remarks),
    )


def _duplicates(found: Sequence[_Inspected]) -> list[tuple[str, str]]:
    """Return a finding for each image that repeats the bytes of an earlier one."""
    readable = sorted((item.image_sha256, item.pair.stem) for item in found if item.image_sha256)
    return [("duplicate", f"{a[1]} = {b[1]}") for a, b in pairwise(readable) if a[0] == b[0]]


def _near_duplicates(found: Sequence[_Inspected]) -> list[tuple[str, str]]:
    """Return a finding for each two images that are near-identical without being the same file."""
    seen = [(item.pair.stem, item.image_sha256) for item in found if item.small is not None]
    small = [item.small for item in found if item.small is not None]
    return [
        ("near_duplicate", f"{a} ~ {b} (correlation {f'{agreement:.3f}'.lstrip('0')}{', mirrored' * mirrored})")
        for (i, j), (_, agreement, mirrored) in (copies(np.array(small)) if small else {}).items()
        for (a, digest), (b, other) in [(seen[i], seen[j])]
        if digest != other
    ]


def _entry(item: _Inspected) -> Entry:
    assert item.size is not None  # an unreadable image was raised before
    pair = item.pair
    return Entry(pair.stem, pair.image, pair.mask, *item.size, item.image_sha256, item.mask_sha256, pair.split)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _short(path: Path) -> str:
    """Return the file's name with its folder's, which tells an image from its mask."""
    return Path(*path.parts[-2:]).as_posix()


def _common_folder(pairs: Sequence[Pair]) -> str:
    return os.path.commonpath([file.parent for pair in pairs for file in (pair.image, pair.mask) if file is not None])
