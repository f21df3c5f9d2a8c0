"""Tables of everything that a run scores, with what papers print of it beside."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sodlift.tables.kinds._scored import ScoredKind

if TYPE_CHECKING:
    from sodlift.tables.cells import Cell
    from sodlift.tables.run_info import Labels, RunInfo
    from sodlift.tables.scores import Scores
    from sodlift.tables.spec import TableSpec


def _cells(spec: "TableSpec", scores: "Scores", run: "RunInfo", labels: "Labels") -> "Iterable[Cell]":
    from sodlift.tables.benchmark import benchmark_cells  # noqa: PLC0415 - pandas is slow to import

    return benchmark_cells(spec, scores, run, labels)


KIND = ScoredKind(_cells)
