"""Tables of scores, from a specification and the summary of a run to files."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from sodlift.atomic import atomic_file
from sodlift.config.run import Run
from sodlift.tables.cells import Cell
from sodlift.tables.family import with_significance
from sodlift.tables.kinds import KINDS
from sodlift.tables.kinds._base import Written
from sodlift.tables.kinds._scored import FILES, ScoredKind
from sodlift.tables.layout import Layout, lay_out
from sodlift.tables.of_run import run_info
from sodlift.tables.render import to_csv, to_latex, to_markdown
from sodlift.tables.run_info import Labels, RunInfo
from sodlift.tables.scores import Scores
from sodlift.tables.significance import read_significance
from sodlift.tables.spec import TableSpec
from sodlift.tables.summary import read_counts, read_summary


@dataclass(frozen=True)
class Table:
    """A table of one run.

    Attributes
    ----------
    spec : TableSpec
        What the table is.
    cells : tuple of Cell
        Its numbers in the order of its rows, with their verdicts; those that the run lacks are there too, each with
        the reason.
    layout : Layout
        The same as lines and columns, restricted to what the run has.
    """

    spec: TableSpec
    cells: tuple[Cell, ...]
    layout: Layout

    @cached_property
    def verdicts(self) -> dict[str, int]:
        """Number of cells by verdict."""
        kinds = [cell.verdict.kind for cell in self.cells if cell.verdict]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds))}

    def to_csv(self) -> str:
        """Return all cells in long form, at full precision."""
        return to_csv(self.spec.id, self.spec.protocol, self.cells)

    def to_markdown(self) -> str:
        """Return the table with its footer as Markdown."""
        return to_markdown(self.spec.title, self.layout)

    def to_latex(self) -> str:
        """Return the table with its footer as LaTeX (packages booktabs, multirow and graphicx)."""
        return to_latex(self.spec.id, self.spec.title, self.layout)


def table_of(spec: TableSpec, run: Run) -> Table:
    """Make a table of a run whose scores are gathered; raises DataError if a file is missing or something else."""
    summary, counts, tests = (run.results / "tables" / f"{name}.csv" for name in FILES)
    significance = read_significance(tests)
    return make_table(spec, read_summary(summary), run_info(run), run.labels, read_counts(counts), significance)


def make_table(
    spec: TableSpec,
    summary: pd.DataFrame,
    run: RunInfo,
    labels: Labels,
    counts: pd.DataFrame | None = None,
    significance: pd.DataFrame | None = None,
) -> Table:
    """Make a table of a run's scores.

    Parameters
    ----------
    spec : TableSpec
        What the table is.
    summary : pandas.DataFrame
        The run's scores, from ``build_summary`` or ``read_summary``.
    run : RunInfo
        The run's detectors, refiners, data sets and protocols, in the order in which tables list them.
    labels : mapping
        By detector id its "title" and, under a paper's name, its label there.
    counts : pandas.DataFrame, optional
        What the evaluation counted, from ``build_counts``; the footer then tells of it.
    significance : pandas.DataFrame, optional
        Refined maps against their prior, from ``build_significance``; shown if the table asks for it.
    """
    kind, scores = KINDS.get(spec.kind), Scores(summary, counts)
    assert isinstance(kind, ScoredKind), spec.kind
    cells = tuple(kind.cells(spec, scores, run, labels))
    if spec.significance and significance is not None:
        cells = with_significance(cells, spec.protocol, significance)
    return Table(spec, cells, lay_out(spec, cells, run, scores))


def write_table(table: Written, folder: str | Path) -> tuple[Path, ...]:
    """Write ``<id>.csv``, ``<id>.md`` and ``<id>.tex``, each whole or not at all; return their paths."""
    texts = {".csv": table.to_csv(), ".md": table.to_markdown(), ".tex": table.to_latex()}
    paths = {suffix: Path(folder) / f"{table.spec.id}{suffix}" for suffix in texts}
    for suffix, text in texts.items():
        with atomic_file(paths[suffix]) as part:
            part.write_bytes(text.encode())
    return tuple(paths.values())
