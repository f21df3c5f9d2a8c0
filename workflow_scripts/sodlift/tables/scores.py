"""The summary as tables read it: one score for each cell and metric, over all seeds."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sodlift.tables.summary import COUNT_COLUMNS

_COUNT = COUNT_COLUMNS.index("count")  # by position: a named tuple's own `count` is a method


@dataclass(frozen=True)
class Score:
    """One number of the summary, over the seeds of its cell.

    Attributes
    ----------
    value : float or None
        Mean over seeds; None if any seed failed.
    spread : float or None
        Sample standard deviation over seeds; None for one seed.
    seeds : int
        Number of seeds.
    n_used, n_expected : int
        Images that the value is a mean of (the fewest of all seeds), and images of the data set.
    """

    value: float | None
    spread: float | None
    seeds: int
    n_used: int
    n_expected: int


class Scores:
    """Every score of a summary, and what was counted beside them."""

    def __init__(self, summary: pd.DataFrame, counts: pd.DataFrame | None = None) -> None:
        keys = ["refiner", "detector", "dataset", "protocol", "metric"]
        self._scores = {tuple(map(str, key)): _score(group) for key, group in summary.groupby(keys)}
        self._evaluated = {key[:4] for key in self._scores}
        self._counts = pd.DataFrame(columns=list(COUNT_COLUMNS)) if counts is None else counts

    def get(self, refiner: str, detector: str, dataset: str, protocol: str, metric: str) -> Score | None:
        """Return the score, None where the summary has no row of it."""
        return self._scores.get((refiner, detector, dataset, protocol, metric))

    def evaluated(self, refiner: str, detector: str, dataset: str, protocol: str) -> bool:
        """Whether the summary has any metric of the cell."""
        return (refiner, detector, dataset, protocol) in self._evaluated

    def counted(self, dataset: str, protocol: str, cells: set[tuple[str, str]]) -> dict[str, tuple[int, int]]:
        """Return the least and the largest of each count over the (detector, refiner) ``cells``."""
        found: dict[str, list[int]] = {}
        for row in self._counts.itertuples(index=False):
            if (row.dataset, row.protocol) == (dataset, protocol) and (row.detector, row.refiner) in cells:
                found.setdefault(str(row[_COUNT]), []).append(int(str(row.value)))
        return {name: (min(numbers), max(numbers)) for name, numbers in found.items()}


def _score(group: pd.DataFrame) -> Score:
    values = group["value"].to_numpy(dtype=np.float64)
    failed = bool((group["status"] == "failed").any())
    return Score(
        value=None if failed else math.fsum(values) / len(values),
        spread=None if failed or len(values) == 1 else float(np.std(values, ddof=1)),
        seeds=len(values),
        n_used=int(group["n_used"].min()),
        n_expected=int(group["n_expected"].max()),
    )
