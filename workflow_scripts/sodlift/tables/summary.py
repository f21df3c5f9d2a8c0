"""From the scores of single cells to the one long table that everything downstream reads.

A cell is one (refiner, detector, data set, seed); its folder holds ``scores.json``, written by the evaluation.
"""

import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sodlift.atomic import atomic_file
from sodlift.errors import DataError
from sodlift.evaluation.scores import RERUN, read_records
from sodlift.registry import unknown_name
from sodlift.tables.counted import COUNTED
from sodlift.tables.measures import MEASURES

BASELINE = "none"
"""The refiner of a prior map that was not refined."""

COLUMNS = (
    "refiner",
    "detector",
    "dataset",
    "seed",
    "protocol",
    "metric",
    "value",
    "n_used",
    "n_expected",
    "status",
)
COUNT_COLUMNS = ("refiner", "detector", "dataset", "seed", "protocol", "count", "value")
STATUSES = ("ok", "failed")

_CELL = ["refiner", "detector", "dataset", "seed"]
_TYPES = {"seed": "int64", "value": "float64", "n_used": "int64", "n_expected": "int64"}


@dataclass(frozen=True)
class Scored:
    """One evaluated cell and the folder that holds its ``scores.json``."""

    refiner: str
    detector: str
    dataset: str
    seed: int
    folder: Path


def build_summary(cells: Iterable[Scored]) -> pd.DataFrame:
    """Gather the scores of all cells in long form, one row a (cell, protocol, metric).

    The rows are sorted by data set, detector, refiner (the baseline first), seed and protocol, metrics in the order
    of ``MEASURES``, whatever the order of ``cells``. A failed score keeps its row, without a value.

    Returns
    -------
    pandas.DataFrame
        Columns ``COLUMNS``; values unrounded.

    Raises
    ------
    DataError
        If a ``scores.json`` is missing or malformed, a cell is given twice, one protocol name stands for two
        protocols, or one (detector, data set, protocol) has several numbers of expected images.
    UnknownNameError
        If a score has a metric that is not among ``MEASURES``.
    """
    cells = list(cells)
    rows = [(*_identity(cell), *_row(record, cell)) for cell in cells for record in read_records(cell.folder)]
    summary = pd.DataFrame(rows, columns=[*COLUMNS, "protocol_hash"]).astype(_TYPES)
    _refuse_duplicates(cells, summary)
    _one_each(summary, ["protocol"], "protocol_hash", "definitions of one protocol")
    _one_each(summary, ["detector", "dataset", "protocol"], "n_expected", "numbers of expected images")
    return sort_frame(summary)[list(COLUMNS)]


def build_counts(cells: Iterable[Scored]) -> pd.DataFrame:
    """Gather what the evaluation counted beside the scores (empty ground truths, maps of zeros), in long form.

    Returns
    -------
    pandas.DataFrame
        Columns ``COUNT_COLUMNS``, sorted like the summary; ``value`` is a number of images. A count that differs
        between the metrics of one protocol (images that one metric leaves out) enters with its largest value.

    Raises
    ------
    UnknownNameError
        If a count is not among ``COUNTED``.
    """
    largest: dict[tuple[Any, ...], int] = {}
    for cell in cells:
        for record in read_records(cell.folder):
            for name, number in record["counts"].items():
                if name not in COUNTED:
                    raise unknown_name("count", name, COUNTED, cell.folder / "scores.json")
                key = (*_identity(cell), record["protocol"], name)
                largest[key] = max(largest.get(key, 0), int(number))
    counts = pd.DataFrame([(*key, number) for key, number in largest.items()], columns=list(COUNT_COLUMNS))
    return sort_frame(counts)


def write_frame(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a summary or its counts as CSV, whole or not at all; floats in the shortest form that reads back equal."""
    text = frame.to_csv(index=False, lineterminator="\n")
    with atomic_file(path) as part:
        part.write_bytes(text.encode())


def read_summary(path: str | Path) -> pd.DataFrame:
    """Read a summary that ``write_frame`` wrote, bit for bit; raises DataError if it is missing or not a summary."""
    return read_frame(path, COLUMNS, _TYPES)


def read_counts(path: str | Path) -> pd.DataFrame:
    """Read counts that ``write_frame`` wrote; raises DataError if they are missing or something else."""
    return read_frame(path, COUNT_COLUMNS, {"seed": "int64", "value": "int64"})


def read_frame(path: str | Path, columns: tuple[str, ...], types: Mapping[str, str]) -> pd.DataFrame:
    """Read a table that ``write_frame`` wrote; columns without a type are text, and an empty float64 is NaN.

    Raises
    ------
    DataError
        If the file is missing or has other columns.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError("table of results not found", where=path, mend="run the aggregate stage")
    # read as text first, so that a detector called "NA" stays a detector
    frame = pd.read_csv(io.BytesIO(path.read_bytes()), dtype=str, keep_default_na=False)
    if tuple(frame.columns) != columns:
        raise DataError(
            f"table has the columns {','.join(frame.columns)}", where=path, expected=",".join(columns), mend=RERUN
        )
    for name in (name for name, kind in types.items() if kind == "float64"):
        frame[name] = [float(text) if text else math.nan for text in frame[name]]
    return frame.astype(dict(types))


def _identity(cell: Scored) -> tuple[str, str, str, int]:
    return cell.refiner, cell.detector, cell.dataset, cell.seed


def _row(record: dict[str, Any], cell: Scored) -> tuple[Any, ...]:
    """Check one record of ``scores.json`` and return its part of the summary's row."""
    path = cell.folder / "scores.json"
    wanted = ("protocol", "metric", "value", "n_used", "n_expected", "status", "protocol_hash", "counts")
    missing = [key for key in wanted if key not in record]
    if missing:
        raise DataError(f"score without {', '.join(missing)}", where=path, mend=RERUN)
    protocol, metric, value, n_used, n_expected, status, digest = (record[key] for key in wanted[:-1])
    if metric not in MEASURES:
        raise unknown_name("metric", metric, MEASURES, path)
    what = f"{metric} under protocol {protocol}"
    if status not in STATUSES:
        raise DataError(f"{what} has the status '{status}'", where=path, expected=" or ".join(STATUSES), mend=RERUN)
    if status == "ok" and not (isinstance(value, int | float) and math.isfinite(value)):
        raise DataError(f"{what} is {value} but its status is ok", where=path, expected="a number", mend=RERUN)
    if not 0 <= n_used <= n_expected:
        raise DataError(f"{what} used {n_used} of {n_expected} images", where=path, mend=RERUN)
    return protocol, metric, value if status == "ok" else None, n_used, n_expected, status, digest


def _refuse_duplicates(cells: list[Scored], summary: pd.DataFrame) -> None:
    twice = summary.loc[summary.duplicated([*_CELL, "protocol", "metric"]), _CELL].drop_duplicates()
    if len(twice):
        name = tuple(twice.iloc[0])
        folders = [str(cell.folder) for cell in cells if _identity(cell) == name]
        raise DataError(f"scores of the cell {name} are there twice", where=", ".join(folders), expected="each once")


def _one_each(summary: pd.DataFrame, keys: list[str], column: str, what: str) -> None:
    """Refuse a summary in which one group of ``keys`` has several values of ``column``."""
    for name, group in summary.groupby(keys):
        found = sorted(set(group[column]), key=str)
        if len(found) > 1:
            cells = [
                "/".join(map(str, group.loc[group[column] == one, ["dataset", "detector", "refiner"]].iloc[0]))
                for one in found
            ]
            raise DataError(
                f"several {what} for {', '.join(map(str, name))}: {', '.join(map(str, found))}",
                where=", ".join(cells),
                expected="one, since the numbers are set side by side",
                mend="evaluate these cells again, all with the same data and the same code",
            )


def sort_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort by data set, detector, refiner (the baseline first), seed where there is one, protocol, and measure."""
    rank = {name: i for i, name in enumerate(MEASURES)}
    last = frame["metric"].map(rank) if "metric" in frame else frame["count"]
    order = frame.assign(_later=frame["refiner"] != BASELINE, _last=last)
    keys = ["dataset", "detector", "_later", "refiner", *(["seed"] if "seed" in frame else []), "protocol", "_last"]
    return order.sort_values(keys, kind="stable")[list(frame.columns)].reset_index(drop=True)
