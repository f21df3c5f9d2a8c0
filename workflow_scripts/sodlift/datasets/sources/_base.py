"""What a source of a data set is."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from sodlift.errors import ConfigError, SodliftError
from sodlift.registry import unknown_name


@dataclass(frozen=True)
class Pair:
    """An image and its mask (None where it has none), found but not yet opened."""

    stem: str
    image: Path
    mask: Path | None = None
    split: str = ""


@dataclass(frozen=True)
class Listing:
    """What a source found.

    Attributes
    ----------
    pairs : tuple of Pair
        The images to use, sorted by stem, each stem once.
    unused : tuple of Path
        Files that lie where the source looked and belong to no pair: masks without an image, files of other kinds.
    """

    pairs: tuple[Pair, ...]
    unused: tuple[Path, ...] = ()

    def select(self, split: str | None, where: object) -> "Listing":
        """Return the part named ``split``, or everything for None; raises ConfigError if there is no such part."""
        if split is None:
            return self
        known = {pair.split for pair in self.pairs} - {""}
        if not known:
            raise ConfigError(f"split '{split}' of a data set without splits", where=where, mend="set `split: null`")
        if split not in known:
            raise unknown_name("split", split, known, where)
        return replace(self, pairs=tuple(pair for pair in self.pairs if pair.split == split))


@dataclass(frozen=True)
class Source:
    """One kind of place that data sets come from.

    Attributes
    ----------
    title : str
        What it is, in a few words.
    options : type
        Frozen dataclass of its options, built from a data set's row in the registry.
    find : callable
        ``find(options, root) -> Listing``: looks for the files without decoding any. Relative folders in the options
        start at ``root``. Raises DataError when images and masks do not pair, ConfigError for wrong options.
    masked : callable
        ``masked(options) -> bool``: whether there is ground truth, without looking for the files.
    """

    title: str
    options: type
    find: Callable[[Any, Path], Listing]
    masked: Callable[[Any], bool] = lambda options: True


class Row(Protocol):
    """A data set's row of the registry: its source and that source's options."""

    @property
    def kind(self) -> Any:
        """The Source."""

    @property
    def options(self) -> Any:
        """An instance of the source's options."""


def has_masks(row: Row) -> bool:
    """Whether a data set has ground truth that maps can be scored against."""
    return bool(row.kind.masked(row.options))


def fingerprint(row: Row, root: Path) -> str:
    """Return a short hash of the names, places and sizes of a data set's files, without reading any.

    It tells when a manifest is out of date: files were added, removed, moved or replaced by others of another size.
    Places are seen from the working folder, so that moving a project with its data changes nothing. Where the files
    cannot be found, it is the hash of the error, which the stage that needs them will raise.
    """
    try:
        listing = row.kind.find(row.options, root)
        files = [file for pair in listing.pairs for file in (pair.image, pair.mask) if file is not None]
        facts = [f"{os.path.relpath(file)} {file.stat().st_size}" for file in (*files, *listing.unused)]
        facts += [f"{pair.stem} {pair.split}" for pair in listing.pairs]
    except SodliftError as error:
        facts = [str(error)]
    return sha256("\0".join(facts).encode(errors="surrogateescape")).hexdigest()[:16]
