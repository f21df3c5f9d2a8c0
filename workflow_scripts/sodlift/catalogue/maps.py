"""Published saliency maps: one folder a detector and data set, below the root of the data."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sodlift.catalogue._base import Kind, Registered, fetch, is_filled, too_few, verify_files
from sodlift.config.rows import DatasetRow, DetectorRow
from sodlift.detectors.maps import SUFFIXES
from sodlift.fetch.release import Release, ReleaseFile
from sodlift.fetch.store import Store


@dataclass(frozen=True)
class MapsItem:
    """The maps of one detector on one data set."""

    row: DetectorRow
    dataset: DatasetRow
    data_root: Path

    @property
    def address(self) -> str:
        """Its name in the catalogue."""
        return f"maps/{self.row.id}/{self.dataset.id}"

    @property
    def expected(self) -> int | None:
        """The number of images of the data set."""
        return self.dataset.expected

    @property
    def release(self) -> Release:
        """Where the maps come from.

        Where the row knows no file of them, it is an archive that the user names after both, with all maps in it,
        whatever its folders.
        """
        page, note, known = self.row.release.page, self.row.release.note, self.row.release.files_for(self.dataset.id)
        anywhere = {self.dataset.id: tuple(f"**/*{suffix}" for suffix in SUFFIXES)}
        by_hand = ReleaseFile(f"{self.row.id}-{self.dataset.id}.zip", take=anywhere)
        return Release(page, note, known or (by_hand,))

    def place(self, store: Store) -> Path:
        """Return their folder."""
        return self.data_root / str(self.row.options.folder).replace("{dataset}", self.dataset.id)

    def found(self, store: Store) -> int | None:
        """Return the number of maps in the folder."""
        place = self.place(store)
        return self._count(place) if is_filled(place) else None

    def get(self, store: Store) -> None:
        """Fetch and unpack them, and accept them if there is one for each image."""
        fetch(self, {self.dataset.id: ""}, self.place(store), store, self._accept)

    def verify(self, store: Store) -> list[str]:
        """Check their archives, their files and their number."""
        place = self.place(store)
        self._accept(place)
        return [*verify_files(self, place, store), f"{self._count(place)} maps"]

    def _accept(self, folder: Path) -> None:
        count = self._count(folder)
        if self.expected is not None and count < self.expected:  # some authors publish more than the set has
            raise too_few(self, count, folder)

    def _count(self, folder: Path) -> int:
        return sum(file.suffix.lower() in SUFFIXES for file in folder.iterdir())


def items(registered: Registered) -> Iterator[MapsItem]:
    """Yield the maps of every detector that takes them from a folder, for every data set that its row lists."""
    for row in registered.detectors.values():
        for name in (row.datasets or registered.datasets) if hasattr(row.options, "folder") else ():
            yield MapsItem(row, registered.datasets[name], registered.data_root)


KIND = Kind("published saliency maps", items)
