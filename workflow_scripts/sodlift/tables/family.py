"""The tests of one table, corrected for their number."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from sodlift.statistics.significance import WinTieLoss, holm
from sodlift.tables.cells import Cell, Significance


def with_significance(cells: Sequence[Cell], protocol: str, significance: pd.DataFrame) -> tuple[Cell, ...]:
    """Return a table's cells with the comparison behind their gain, where there is one, corrected within each measure.

    The family of a comparison is all that the table says of its measure, under the table's one protocol: every refined
    cell against its prior. Measures are families of their own, since each is read as a question of its own.

    Parameters
    ----------
    cells : sequence of Cell
        All cells of the table, each (refiner, detector, data set, measure) once.
    protocol : str
        The table's protocol.
    significance : pandas.DataFrame
        From ``build_significance``.
    """
    rows = significance[significance["protocol"] == protocol].dropna(subset=["p"])
    of_cell: dict[Any, Any] = {(r.refiner, r.detector, r.dataset, r.metric): r for r in rows.itertuples(index=False)}
    names = [(cell.refiner, cell.detector, cell.dataset_id, cell.metric) for cell in cells]
    tested = {i: of_cell[name] for i, name in enumerate(names) if name in of_cell and cells[i].delta is not None}
    made = list(cells)
    for metric in dict.fromkeys(cells[i].metric for i in tested):
        family = [i for i in tested if cells[i].metric == metric]
        for i, p_holm in zip(family, holm([tested[i].p for i in family]), strict=True):
            made[i] = replace(made[i], significance=_significance(tested[i], float(p_holm), len(family)))
    return tuple(made)


def _significance(row: Any, p_holm: float, family: int) -> Significance:
    interval = None if pd.isna(row.low) else (float(row.low), float(row.high))
    outcome = WinTieLoss(row.wins, row.ties, row.losses)
    return Significance(row.n, row.n_unpaired, interval, float(row.p), p_holm, family, outcome)
