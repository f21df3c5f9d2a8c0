"""What an item of the catalogue is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sodlift.config.rows import DatasetRow, DetectorRow
from sodlift.errors import DataError
from sodlift.fetch.install import install
from sodlift.fetch.release import Release, ReleaseFile
from sodlift.fetch.store import Store


@dataclass(frozen=True)
class Registered:
    """What is registered, and the folder at which relative paths of the data start."""

    datasets: Mapping[str, DatasetRow]
    detectors: Mapping[str, DetectorRow]
    data_root: Path


class Item(Protocol):
    """One thing that is in place or has to be fetched."""

    @property
    def address(self) -> str:
        """Its name in the catalogue, such as ``datasets/ECSSD``, ``maps/DSS/ECSSD``, ``weights/vgg16/torchvision``."""

    @property
    def expected(self) -> int | None:
        """How many files (images, maps) it has; None where that is open."""

    @property
    def release(self) -> Release:
        """Where its files come from; those alone that it needs."""

    def place(self, store: Store) -> Path | None:
        """Return where it is looked for; None where it comes with an installed package."""

    def found(self, store: Store) -> int | None:
        """Return how many images or maps are in place, None where nothing is; raises SodliftError for a broken one."""

    def get(self, store: Store) -> None:
        """Put it in place; raises SodliftError where that cannot be done."""

    def verify(self, store: Store) -> list[str]:
        """Return what was checked of what is in place, a line each; raises SodliftError for what is wrong."""


@dataclass(frozen=True)
class Kind:
    """One kind of item.

    Attributes
    ----------
    title : str
        What they are, in a few words.
    items : callable
        ``items(registered)`` yields them in the order of the registry.
    """

    title: str
    items: Callable[[Registered], Iterable[Item]]


def is_filled(folder: Path) -> bool:
    """Whether ``folder`` is there and holds something."""
    return folder.is_dir() and any(folder.iterdir())


def fetch(item: Item, takes: Mapping[str, str], place: Path, store: Store, accept: Callable[[Path], None]) -> None:
    """Install an item's release at ``place``; raises DataError, also where nothing is known of how to get it."""
    if not item.release.files:
        page = f" from {item.release.page}" if item.release.page else ""
        raise DataError(
            f"{item.address} is not here, and its row knows no file to fetch",
            where=place,
            expected=f"{item.expected} files" if item.expected else None,
            mend=f"put its files there by hand{page}, or describe them in the row's `release`",
        )
    install(item.release, takes, place, item.address, store, accept)


def verify_files(item: Item, place: Path, store: Store) -> list[str]:
    """Check the files that ``place`` was made of, and what is there now against its receipt.

    Raises
    ------
    DataError
        If a file is another one than published or pinned, or anything in ``place`` differs from the receipt.
    """
    lines = [_verify_file(file, item.release, store) for file in item.release.files if store.held(file)]
    receipt = store.receipt(item.address)
    if receipt is None:
        return [*lines, "no receipt: it was not put there by sodlift, so its bytes are compared with nothing"]
    if changes := store.changes(item.address, place):
        more = f" and {len(changes) - 10} more" if len(changes) > 10 else ""
        raise DataError(
            f"{item.address} has changed since {receipt.date}: {'; '.join(changes[:10])}{more}",
            where=place,
            expected=f"the {receipt.files} files of its receipt",
            mend=f"move it away and get it again, or remove {store.receipt_file(item.address)} if the change is yours",
        )
    return [*lines, f"{receipt.files} files are as they were put there on {receipt.date}"]


def _verify_file(file: ReleaseFile, release: Release, store: Store) -> str:
    store.obtain(file, release)
    return f"{file.name}: {store.trust(file)}"


def too_few(item: Item, count: int, place: Path) -> DataError:
    """Return the error for a folder that does not hold what it should."""
    return DataError(
        f"{item.address} has {count} files where {item.expected} were expected",
        where=place,
        expected=item.expected,
        mend="fetch it again, or correct `expected` and `take` in its row",
    )
