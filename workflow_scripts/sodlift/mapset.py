"""A folder of saliency maps, one 8-bit PNG for each image of a data set, with a record of how each came to be."""

import csv
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy.typing as npt

from sodlift.arrays import FloatMap, read_map, write_map
from sodlift.atomic import atomic_file, atomic_folder
from sodlift.errors import MapError, listed

RECORDS = "records.csv"
STATUSES = ("ok", "dropped", "failed")


@dataclass(frozen=True)
class MapRecord:
    """One row of ``records.csv``.

    Attributes
    ----------
    stem : str
        The image's stem; the map is ``<stem>.png``.
    status : str
        ``ok``, ``dropped`` (the refiner's mode leaves the image out; no map is written) or ``failed``.
    note : str
        What was odd: "resized 256x256 -> 300x400", "kept prior: no pixel >= theta_fg".

    Raises
    ------
    MapError
        If ``status`` is another word.
    """

    stem: str
    status: str = "ok"
    note: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise MapError(f"map of '{self.stem}' has the status '{self.status}'", expected=f"one of {STATUSES}")


_COLUMNS = [f.name for f in fields(MapRecord)]


class MapSet:
    """Maps of one (data set, detector, refiner) cell, opened for reading.

    Raises
    ------
    MapError
        If the folder or its ``records.csv`` is missing, or the records are damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        table = self.folder / RECORDS
        if not table.is_file():
            raise MapError(f"no {RECORDS} in the folder of maps", where=self.folder, mend="run the stage that makes it")
        with table.open(newline="", encoding="utf-8") as handle:
            header, *rows = list(csv.reader(handle)) or [[]]
        if header != _COLUMNS or any(len(row) != len(_COLUMNS) for row in rows):
            raise MapError(
                "damaged records of maps",
                where=table,
                expected=f"the columns {','.join(_COLUMNS)}",
                mend="remove the folder and run the stage that makes it again",
            )
        self.records = {row[0]: MapRecord(*row) for row in rows}

    def path(self, stem: str) -> Path:
        """Return the file of ``stem``; raises MapError if the set has no map of it."""
        record = self.records.get(stem)
        if record is None or record.status != "ok":
            state = "missing" if record is None else f"{record.status} ({record.note})"
            raise MapError(
                f"map of image '{stem}' is {state}", where=self.folder, mend="run the stage that makes it again"
            )
        return self.folder / f"{stem}.png"

    def read(self, stem: str) -> FloatMap:
        """Read the map of ``stem``: (H, W) float32 in [0, 1]; raises MapError."""
        return read_map(self.path(stem))

    def usable(self, stems: Iterable[str]) -> list[str]:
        """Return those of ``stems`` that were not dropped or failed; raises MapError naming those without a record."""
        stems = list(stems)
        missing = [s for s in stems if s not in self.records]
        if missing:
            raise MapError(
                f"{len(missing)} of {len(stems)} maps are missing: {listed(missing)}",
                where=self.folder,
                mend="add the maps, or run the stage that makes them again",
            )
        return [s for s in stems if self.records[s].status == "ok"]


@dataclass
class MapWriter:
    """Collects maps and records in a folder that is still aside; see ``new_mapset``."""

    folder: Path
    records: dict[str, MapRecord] = field(default_factory=dict)

    def add(self, stem: str, saliency: npt.NDArray[Any] | None, status: str = "ok", note: str = "") -> None:
        """Write the map (H, W) in [0, 1] of ``stem`` (None for a dropped or failed one) and record it.

        Line breaks in the note become spaces.

        Raises
        ------
        MapError
            If ``stem`` was added before, values lie outside [0, 1], the status is unknown, or a map comes with another
            status than "ok" or "ok" without a map.
        """
        record = self._new(MapRecord(stem, status, " ".join(note.split())))
        if (saliency is None) == (status == "ok"):
            raise MapError(
                f"'{stem}' has the status '{status}' and {'no' if saliency is None else 'a'} map",
                where=self.folder,
                expected="a map with the status 'ok', and with no other",
            )
        if saliency is not None:
            write_map(self.folder / f"{stem}.png", saliency)
        self.records[stem] = record

    def adopt(self, maps: MapSet, stem: str) -> None:
        """Take the map of ``stem`` from another set, its file and its record as they are; raises MapError."""
        record = self._new(maps.records[stem])
        if record.status == "ok":
            shutil.copyfile(maps.path(stem), self.folder / f"{stem}.png")
        self.records[stem] = record

    def _new(self, record: MapRecord) -> MapRecord:
        if record.stem in self.records:
            raise MapError(f"map of '{record.stem}' added twice", where=self.folder)
        return record


@contextmanager
def new_mapset(folder: str | Path) -> Iterator[MapWriter]:
    """Yield a writer; the folder appears under its name, with ``records.csv``, only when the block ends well."""
    with atomic_folder(folder) as part:
        writer = MapWriter(part)
        yield writer
        with atomic_file(part / RECORDS) as table, table.open("w", newline="", encoding="utf-8") as handle:
            rows = csv.writer(handle, lineterminator="\n")
            rows.writerow(_COLUMNS)
            rows.writerows(
                astuple(record) for record in sorted(writer.records.values(), key=lambda record: record.stem)
            )
