"""The numbers that papers print, as transcribed in ``config/paper_values``."""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sodlift.errors import ConfigError

COLUMNS = ("paper", "table", "method", "variant", "dataset", "metric", "value")

_Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class PrintedValues:
    """The cells of one printed table.

    Attributes
    ----------
    cells : mapping
        (method, variant, dataset, metric), all in the paper's names, to the number's text; an empty text is a cell
        that the paper leaves open or that cannot be read.
    """

    cells: Mapping[_Key, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path) -> "PrintedValues":
        """Read one CSV file of printed values.

        Raises
        ------
        ConfigError
            If the columns are others, a value is no number, or a cell is there twice.
        """
        path = Path(path)
        cells: dict[_Key, str] = {}
        with path.open(newline="", encoding="utf-8") as handle:
            reader = csv.DictReader(handle)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ConfigError(f"columns {reader.fieldnames}", where=path, expected=",".join(COLUMNS))
            for row in reader:
                key = (row["method"], row["variant"], row["dataset"], row["metric"])
                if key in cells:
                    raise ConfigError(f"the cell {', '.join(key)} is there twice", where=path, expected="each once")
                if row["value"] and not _is_number(row["value"]):
                    raise ConfigError(f"value '{row['value']}' of {', '.join(key)}", where=path, expected="a number")
                cells[key] = row["value"]
        return cls(cells)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods, in the order of print."""
        return self._distinct(lambda key: key[0])

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants, in the order of print."""
        return self._distinct(lambda key: key[1])

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets, in the order of print."""
        return self._distinct(lambda key: key[2])

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics, in the order of print."""
        return self._distinct(lambda key: key[3])

    def text(self, method: str, variant: str, dataset: str, metric: str) -> str:
        """Return the printed text of a cell, empty where nothing (legible) is printed."""
        return self.cells.get((method, variant, dataset, metric), "")

    def has(self, method: str, variant: str, metrics: Iterable[str]) -> bool:
        """Whether any of ``metrics`` has a cell, on any data set, for this method and variant."""
        wanted = set(metrics)
        return any(key[:2] == (method, variant) and key[3] in wanted for key in self.cells)

    def _distinct(self, part: Callable[[_Key], str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part(key) for key in self.cells))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
