"""Tables that a paper prints: its rows, with ours beside them and a verdict on each number."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sodlift.tables.kinds._scored import ScoredKind

if TYPE_CHECKING:
    from sodlift.tables.cells import Cell
    from sodlift.tables.run_info import Labels, RunInfo
    from sodlift.tables.scores import Scores
    from sodlift.tables.spec import TableSpec


def _cells(spec: "TableSpec", scores: "Scores", run: "RunInfo", labels: "Labels") -> "Iterable[Cell]":
    from sodlift.tables.paper import paper_cells  # noqa: PLC0415 - pandas is slow to import

    return paper_cells(spec, scores, run, labels)


KIND = ScoredKind(_cells)
