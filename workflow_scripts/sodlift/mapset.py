"""A folder of saliency maps, one 8-bit PNG for each image of a data set, with a record of how each came to be."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy.typing as npt

from sodlift.arrays import FloatMap, read_map, write_map
from sodlift.atomic import atomic_file, atomic_folder
from sodlift.errors import MapError

RECORDS = "records.csv"


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
    """

    stem: str
    status: str = "ok"
    note: str = ""


class MapSet:
    """Maps of one (data set, detector, refiner) cell, opened for reading.

    Raises
    ------
    MapError
        If the folder or its ``records.csv`` is missing.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        table = self.folder / RECORDS
        if not table.is_file():
            raise MapError(f"no {RECORDS} in the folder of maps", where=self.folder, mend="run the stage that makes it")
        with table.open(newline="", encoding="utf-8") as handle:
            self.records = {row["stem"]: MapRecord(**row) for row in csv.DictReader(handle)}

    def path(self, stem: str) -> Path:
        """Return the file of ``stem``; raises MapError if the set has no map of it."""
        record = self.records.get(stem)
        if record is None or record.status != "ok":
            state = "missing" if record is None else f"{record.status} ({record.note})"
            raise MapError(f"map of image '{stem}' is {state}", where=self.folder)
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
                f"{len(missing)} of {len(stems)} maps are missing: {', '.join(missing[:10])}", where=self.folder
            )
        return [s for s in stems if self.records[s].status == "ok"]


@dataclass
class MapWriter:
    """Collects maps and records in a folder that is still aside; see ``new_mapset``."""

    folder: Path
    records: list[MapRecord] = field(default_factory=list)

    def add(self, stem: str, saliency: npt.NDArray[Any] | None, status: str = "ok", note: str = "") -> None:
        """Write the map (H, W) in [0, 1] of ``stem`` (None for a dropped or failed one) and record it."""
        if saliency is not None:
            write_map(self.folder / f"{stem}.png", saliency)
        self.records.append(MapRecord(stem, status, note))


@contextmanager
def new_mapset(folder: str | Path) -> Iterator[MapWriter]:
    """Yield a writer; the folder appears under its name, with ``records.csv``, only when the block ends well."""
    with atomic_folder(folder) as part:
        writer = MapWriter(part)
        yield writer
        with atomic_file(part / RECORDS) as table, table.open("w", newline="", encoding="utf-8") as handle:
            rows = csv.writer(handle, lineterminator="\n")
            names = [f.name for f in fields(MapRecord)]
            rows.writerow(names)
            rows.writerows([getattr(r, n) for n in names] for r in sorted(writer.records, key=lambda r: r.stem))
