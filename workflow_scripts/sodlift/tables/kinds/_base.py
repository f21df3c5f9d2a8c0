"""What a kind of table is.

The workflow asks kinds for their inputs whenever it is called: what is slow to import, they import to make a table.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sodlift.config.run import Run
    from sodlift.tables.measures import Measure
    from sodlift.tables.spec import TableSpec


class Written(Protocol):
    """A table of a run, ready to be written."""

    @property
    def spec(self) -> "TableSpec":
        """What the table is."""

    def to_csv(self) -> str:
        """Return all its numbers in long form, at full precision."""

    def to_markdown(self) -> str:
        """Return the table with its footer as Markdown."""

    def to_latex(self) -> str:
        """Return the table with its footer as LaTeX (packages booktabs, multirow and graphicx)."""


class TableKind(Protocol):
    """One registered kind of table; rows of ``tables.yaml`` say what it shows."""

    @property
    def measures(self) -> "Mapping[str, Measure]":
        """What its columns can show, by name."""

    def inputs(self, run: "Run", row: Mapping[str, Any]) -> dict[str, list[Path]]:
        """Return the files of the run that the table of a row is made of, by a name of the kind's own."""

    def make(self, spec: "TableSpec", run: "Run") -> Written:
        """Make a table of the run, its inputs being there; raises DataError if one is missing or broken."""
