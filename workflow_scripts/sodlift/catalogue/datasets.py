"""Data sets: images and masks below the root of the data."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sodlift.catalogue._base import Kind, Registered, fetch, is_filled, too_few, verify_files
from sodlift.config.rows import DatasetRow
from sodlift.datasets.health import KINDS
from sodlift.datasets.validate import build_manifest
from sodlift.fetch.release import Release
from sodlift.fetch.store import Store
from sodlift.progress import track


@dataclass(frozen=True)
class DatasetItem:
    """One registered data set."""

    row: DatasetRow
    data_root: Path

    @property
    def address(self) -> str:
        """Its name in the catalogue."""
        return f"datasets/{self.row.id}"

    @property
    def expected(self) -> int | None:
        """Its number of images."""
        return self.row.expected

    @property
    def release(self) -> Release:
        """Where it comes from."""
        return self.row.release

    def place(self, store: Store) -> Path | None:
        """Return its folder; None for one that comes with the package."""
        root = getattr(self.row.options, "root", None)
        return None if root is None else self.data_root / Path(root).expanduser()

    def found(self, store: Store) -> int | None:
        """Return the number of its images, found but not opened."""
        place = self.place(store)
        if place is not None and not is_filled(place):
            return None
        return self._count(self.data_root)

    def get(self, store: Store) -> None:
        """Fetch and unpack it, and accept it if its images and masks pair and are as many as they should be."""
        place = self.place(store)
        if place is not None:
            fetch(self, {folder: folder for folder in self.release.folders}, place, store, self._accept)

    def verify(self, store: Store) -> list[str]:
        """Check its archives, its files and, by reading them, its health."""
        place = self.place(store)
        lines = [] if place is None else verify_files(self, place, store)
        row = self.row
        _, report = build_manifest(
            row.id, row.kind, row.options, self.data_root, row.expected,
            progress=lambda pairs: track(pairs, f"verify {row.id}"),
        )  # fmt: skip
        kinds = (f"{KINDS[finding.kind].severity}: {finding}" for finding in report.findings)
        return [*lines, f"{report.images} images and {report.masks} masks can be read", *kinds]

    def _count(self, root: Path) -> int:
        return len(self.row.kind.find(self.row.options, root).pairs)

    def _accept(self, part: Path) -> None:
        options = replace(self.row.options, root=str(part.absolute()))
        count = len(self.row.kind.find(options, part).pairs)
        if self.expected not in (None, count):
            raise too_few(self, count, part)


def items(registered: Registered) -> Iterator[DatasetItem]:
    """Yield every registered data set."""
    for row in registered.datasets.values():
        yield DatasetItem(row, registered.data_root)


KIND = Kind("data sets", items)
