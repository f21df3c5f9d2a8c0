"""Files of per-image scores: the Parquet of a cell, and the CSV of ``sodlift evaluate --per-image``."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sodlift.errors import DataError, listed
from sodlift.problems import one_of


class _Format(NamedTuple):
    """How a kind of file is read, and its column of images."""

    read: Callable[[Path], pd.DataFrame]
    image: str


PARTS = ("protocol", "method")
"""Columns that tell several tables in one file apart."""


def read_per_image(path: str | Path) -> dict[str, pd.DataFrame]:
    """Read per-image scores.

    Returns
    -------
    dict of str to pandas.DataFrame
        By protocol or method, or ``<protocol>/<method>`` where the file has a column of either, in the order of the
        file; the one name is empty where it has neither. Each: the column ``stem``, then the metrics as float64, NaN
        where undefined. A file of such columns without rows gives no name.

    Raises
    ------
    DataError
        If the file is missing, of another kind or broken, it has no column of images, an image or a column is
        there twice, or a value is neither a finite number nor empty.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError("file of per-image scores not found", where=path, mend="check the path")
    if path.suffix not in _FORMATS:
        raise DataError(f"per-image scores in a file of type '{path.suffix}'", where=path, expected=one_of(_FORMATS))
    kind = _FORMATS[path.suffix]
    frame = kind.read(path)
    if kind.image not in frame:
        raise DataError(
            f"no column '{kind.image}' among {listed(frame.columns)}",
            where=path,
            expected=f"the column '{kind.image}' of image names, then one a metric",
        )
    frame = frame.rename(columns={kind.image: "stem"})
    _each_once(frame.columns, "columns", path)
    parts = [name for name in PARTS if name in frame]
    if not parts:
        return {"": _checked(frame, path)}
    groups = frame.groupby(parts, sort=False)
    return {"/".join(map(str, names)): _checked(part.drop(columns=parts), path) for names, part in groups}


def _read_csv(path: Path) -> pd.DataFrame:
    """Read all columns as text, so that an image called "NA" stays an image."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            head, *rows = list(csv.reader(handle, strict=True)) or [[]]
    except (csv.Error, UnicodeDecodeError) as cause:
        raise DataError(f"cannot read the per-image scores: {cause}", where=path, expected="a CSV file") from cause
    for i, row in enumerate(rows):
        if row and len(row) != len(head):
            raise DataError(f"row {i + 2} has {len(row)} columns", where=path, expected=f"{len(head)}, as the head has")
    return pd.DataFrame([row for row in rows if row], columns=head, dtype=str)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as cause:  # pyarrow's errors are subclasses of both
        raise DataError(f"cannot read the per-image scores: {cause}", where=path, expected="a Parquet file") from cause


_FORMATS = {
    ".csv": _Format(_read_csv, "name"),
    ".parquet": _Format(_read_parquet, "stem"),
}


def _checked(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the frame with its stems in front and all else as numbers."""
    stems = frame["stem"].astype(str)
    _each_once(stems, "images", path)
    columns = {str(name): _numbers(frame[name], stems, path) for name in frame.columns if name != "stem"}
    return pd.DataFrame({"stem": stems.to_numpy(), **columns})


def _each_once(names: "pd.Series | pd.Index", what: str, path: Path) -> None:
    twice = names[names.duplicated()]
    if len(twice):
        raise DataError(f"{what} that are there twice: {listed(twice.unique())}", where=path, expected="each once")


def _numbers(column: pd.Series, stems: pd.Series, path: Path) -> npt.NDArray[np.float64]:
    """Return a column as float64; what is undefined is NaN, an empty text in a CSV file."""
    numbers = pd.to_numeric(column.replace("", "nan"), errors="coerce").to_numpy(dtype=np.float64)
    odd = np.flatnonzero(~np.isfinite(numbers))
    undefined = {"", "nan", "NaN"}
    wrong = [i for i in odd if str(column.iloc[i]) not in undefined]
    if wrong:
        raise DataError(
            f"'{column.iloc[wrong[0]]}' is the {column.name} of image '{stems.iloc[wrong[0]]}'",
            where=path,
            expected="a finite number, or nothing where the metric is undefined",
        )
    return numbers
