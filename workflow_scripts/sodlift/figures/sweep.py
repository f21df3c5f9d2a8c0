"""Scores over an option of a refiner: what a run's refiners that differ in it alone come to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sodlift.config.run import UNREFINED, Cell, Run
from sodlift.errors import DataError
from sodlift.figures._base import FigureType

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sodlift.plots.lines import Line


@dataclass(frozen=True)
class SweepOptions:
    """What is swept.

    Attributes
    ----------
    type : str
        Type of the refiners.
    option : str
        The option in which they differ; refiners that differ in others as well have lines of their own.
    metrics : tuple of str
        What is drawn over it, a row of panels each.
    protocol : str
        The protocol whose scores are drawn; empty for the run's first one.
    prior_at : float or None
        The option's value at which a refiner leaves the prior as it is; its score is drawn there.
    """

    type: str
    option: str
    metrics: tuple[str, ...]
    protocol: str = ""
    prior_at: float | None = None


def swept(options: SweepOptions, run: Run) -> dict[tuple[Any, ...], dict[float, str]]:
    """Return the refiners, of the primary seed, by their other settings and by the option's value.

    Raises
    ------
    DataError
        If no two refiners of the type differ in the option alone.
    """
    families: dict[tuple[Any, ...], dict[float, str]] = {}
    for name, row in run.refiner_rows.items():
        if row.type == options.type and "@" not in name:
            rest = {key: repr(value) for key, value in row.parameters.items() if key != options.option}
            family = (run.model_of(name), *sorted(rest.items()))
            families.setdefault(family, {})[float(row.parameters[options.option])] = name
    found = {family: values for family, values in families.items() if len(values) > 1}
    if not found:
        raise DataError(
            f"no refiners of type '{options.type}' that differ in '{options.option}' alone",
            expected="at least two in the run",
            mend="add such rows to `refiners`, with `model_of` where they share a trained model",
        )
    return found


def lines(options: SweepOptions, run: Run) -> "Iterator[Line]":
    """Yield a line for each metric, data set, family of refiners and detector."""
    from sodlift.plots.lines import Line  # noqa: PLC0415 - slow to import, and not needed to read a configuration

    protocol = options.protocol or run.protocols[0]
    families = swept(options, run)
    for metric in options.metrics:
        for dataset, detector, refiner in run.scored_cells:
            if refiner != UNREFINED:
                continue
            for number, values in enumerate(families.values()):
                cells = {value: Cell(dataset, detector, name) for value, name in values.items()}
                if options.prior_at is not None:
                    cells[options.prior_at] = Cell(dataset, detector, UNREFINED)
                at = sorted(value for value in cells if cells[value] in run.scored_cells)
                found = [_score(run, cells[value], protocol, metric) for value in at]
                title = run.detector(detector).title + (f" ({number + 1})" if len(families) > 1 else "")
                if len(at) > 1:
                    yield Line(metric, run.dataset(dataset).title, title, tuple(at), tuple(found))


def _score(run: Run, cell: Cell, protocol: str, metric: str) -> float | None:
    """Return a number of a cell, None where it has none; raises DataError if it was not computed at all."""
    from sodlift.evaluation.scores import read_records  # noqa: PLC0415 - as above

    folder = run.evaluation_folder(cell)
    for record in read_records(folder):
        if (record["protocol"], record["metric"]) == (protocol, metric):
            value: float | None = record["value"]
            return value
    raise DataError(f"no {metric} under protocol '{protocol}'", where=folder, mend="evaluate with this protocol")


def draw(options: SweepOptions, run: Run, title: str) -> "Figure":
    """Draw the lines; raises DataError where the run has none, or their scores are missing."""
    from sodlift.plots.lines import lines_figure  # noqa: PLC0415 - as above

    return lines_figure(list(lines(options, run)), options.option, title)


FIGURE = FigureType("scores over an option of a refiner", SweepOptions, draw)
