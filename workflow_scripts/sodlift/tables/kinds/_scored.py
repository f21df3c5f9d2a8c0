"""Kinds of tables whose numbers are scores of a run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodlift.config.run import Run
from sodlift.tables.kinds._base import Written
from sodlift.tables.measures import MEASURES, Measure

if TYPE_CHECKING:
    from sodlift.tables.cells import Cell
    from sodlift.tables.run_info import Labels, RunInfo
    from sodlift.tables.scores import Scores
    from sodlift.tables.spec import TableSpec

FILES = ("summary", "counts", "significance")


@dataclass(frozen=True)
class ScoredKind:
    """A kind of table whose numbers are scores of a run.

    Attributes
    ----------
    cells : callable
        ``cells(spec, scores, run, labels)`` returns its cells, row by row in the order of the paper or of the run.
    """

    cells: "Callable[[TableSpec, Scores, RunInfo, Labels], Iterable[Cell]]"

    @property
    def measures(self) -> Mapping[str, Measure]:
        """The measures of the evaluation."""
        return MEASURES

    def inputs(self, run: Run, row: Mapping[str, Any]) -> dict[str, list[Path]]:
        """Return the summary of the run's scores, what was counted beside them, and their tests."""
        return {name: [run.results / "tables" / f"{name}.csv"] for name in FILES}

    def make(self, spec: "TableSpec", run: Run) -> Written:
        """Make a table of the run; raises DataError if a file is missing or something else."""
        from sodlift.tables.table import table_of  # noqa: PLC0415 - pandas is slow to import

        return table_of(spec, run)
