"""Scores of one set of maps over a data set: per image, as curves and as single numbers; and their files."""

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sodlift.atomic import atomic_file
from sodlift.errors import DataError
from sodlift.metrics._base import Curve

COUNTS = (
    "dropped",  # left the test set by the protocol's drop rule
    "left_out",  # have no map: the refiner dropped them or failed
    "missing",  # have no map where the protocol allows that
    "empty_gt",
    "constant",
    "all_zero",
    "resized",
    "partial_range",  # do not span 0..255
    "nan_s",  # a quadrant of the S-measure has no pixels
    "mask_grey",  # has values between black and white
    "mask_dim",  # has foreground and no white, such as a mask of 0 and 1
    *(f"{of}_{note}" for of in ("mask", "map") for note in ("colour", "alpha", "palette", "16-bit", "float")),
)
"""What is counted over the images of a cell, under each protocol; ``undefined`` is counted by metric besides."""


RERUN = "delete the folder and run the evaluation again"
"""What mends a damaged file of a cell."""


@dataclass(frozen=True)
class Score:
    """One number over a data set: a record of ``scores.json``.

    Attributes
    ----------
    protocol, protocol_hash, metric : str
        What was computed.
    value : float or None
        The number, None where no image has one.
    n_used, n_expected : int
        Images behind the number, and images of the data set.
    status : str
        ``ok``, or ``failed`` where there is no number.
    counts : mapping
        Numbers of images by ``COUNTS``, and ``undefined``: those for which the metric is not defined.
    """

    protocol: str
    protocol_hash: str
    metric: str
    value: float | None
    n_used: int
    n_expected: int
    status: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class CellScores:
    """Everything that an evaluation says of one (data set, detector, refiner).

    Attributes
    ----------
    per_image : pandas.DataFrame
        One row a (protocol, image): columns ``protocol``, ``stem``, then the metrics, NaN where undefined.
    curves : mapping
        Means over the data set by ``<protocol>/<curve>``, one value a threshold, ascending: ``P``, ``R``, ``F``, ``E``,
        and ``FPR``, ``TPR`` over the images that have both classes.
    scores : tuple of Score
        The numbers over the data set.
    """

    per_image: pd.DataFrame
    curves: Mapping[str, Curve]
    scores: tuple[Score, ...]

    def value(self, metric: str, protocol: str) -> float | None:
        """Return a number over the data set; raises KeyError where there is no such metric or protocol."""
        for score in self.scores:
            if (score.metric, score.protocol) == (metric, protocol):
                return score.value
        raise KeyError((metric, protocol))

    def save(self, folder: str | Path) -> None:
        """Write ``per_image.parquet``, ``curves.npz`` and ``scores.json``, each whole or not at all."""
        folder = Path(folder)
        with atomic_file(folder / "per_image.parquet") as part:
            self.per_image.to_parquet(part, index=False)
        with atomic_file(folder / "curves.npz") as part:
            np.savez_compressed(part, allow_pickle=False, **self.curves)
        with atomic_file(folder / "scores.json") as part:
            records = [asdict(score) for score in self.scores]
            part.write_text(json.dumps(records, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_records(folder: Path) -> list[dict[str, Any]]:
    """Return the records of a cell's ``scores.json``, as they are; raises DataError if there are none to read."""
    path = folder / "scores.json"
    if not path.is_file():
        raise DataError("scores of a cell are missing", where=path, mend="run the evaluation of this cell")
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as cause:
        raise DataError(f"cannot read the scores: {cause}", where=path, mend=RERUN) from cause
    if not isinstance(records, list) or not records:
        raise DataError("no list of scores", where=path, expected="a JSON list of records", mend=RERUN)
    return records


class Rows:
    """The per-image table while it grows: eight bytes a number.

    Parameters
    ----------
    columns : sequence of str
        Names of the metrics.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._stems: list[str] = []
        self._values = array("d")

    def add(self, stem: str, values: Mapping[str, float]) -> None:
        """Add an image; a metric without a value is NaN."""
        self._stems.append(stem)
        self._values.extend(values.get(name, np.nan) for name in self._columns)

    def frame(self, protocol: str) -> pd.DataFrame:
        """Return the columns ``protocol``, ``stem`` and the metrics."""
        values = np.frombuffer(self._values, np.float64).reshape(len(self._stems), len(self._columns))
        frame = pd.DataFrame(values.copy(), columns=list(self._columns))
        frame.insert(0, "protocol", pd.Series([protocol] * len(self._stems), dtype=str))
        frame.insert(1, "stem", pd.Series(self._stems, dtype=str))
        return frame
