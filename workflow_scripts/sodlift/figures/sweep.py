"""Scores over an option: what those of a run's refiners, or of its detectors, that differ in it alone come to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import reduce
from itertools import product
from operator import getitem
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

from sodlift.config.rows import DetectorRow, RefinerRow
from sodlift.config.run import UNREFINED, Cell, Run
from sodlift.errors import ConfigError, DataError
from sodlift.figures._base import FigureType
from sodlift.figures._selection import Selection, check_metrics, check_names, score
from sodlift.tables.measures import MEASURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Value = float | str
"""A value of an option: numbers as they are, all else as text."""

_TELLING = 2  # options, at most, by which families are named

_Rows = type[DetectorRow] | type[RefinerRow]


@dataclass(frozen=True)
class SweepOptions(Selection):
    """What is swept; over which detectors' and refiners' maps, ``Selection`` tells.

    Attributes
    ----------
    type : str
        Type of the refiners, or of the detectors, that are compared. Refiners are, on the maps of each detector;
        detectors are, by their unrefined maps and by those of each refiner of ``types``.
    option : str
        The option in which they differ, such as ``alpha`` or ``recipe.steps``. Those that differ in others or in their
        training data as well have lines of their own.
    metrics : tuple of str
        What is drawn over it, a row of panels each.
    prior_at : float, str or None
        Of refiners, the option's value at which one leaves the prior as it is: its score is drawn there.
    """

    type: str
    option: str
    metrics: tuple[str, ...]
    prior_at: float | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_metrics(self.metrics)
        refiners, detectors = (row.registry().names() for row in (RefinerRow, DetectorRow))
        check_names("type of refiners or detectors", "type", [self.type], [*refiners, *detectors])
        known = _names(self.rows.registry().get(self.type).options)
        check_names(f"option of '{self.type}'", "option", [self.option], known)
        idle, noun = ("prior_at", "detectors") if self.of_detectors else ("types", "refiners")
        if getattr(self, idle) not in {None, ()}:
            raise ConfigError(f"means nothing where {noun} are compared", where=idle, mend="remove it")

    @property
    def of_detectors(self) -> bool:
        """Whether detectors are compared; a type of both, such as ``onnx``, is taken as the refiners'."""
        return self.type not in RefinerRow.registry()

    @property
    def rows(self) -> "_Rows":
        """The class of the rows that are compared."""
        return DetectorRow if self.of_detectors else RefinerRow

    def row_of(self, run: Run, name: str) -> DetectorRow | RefinerRow:
        """Return one of the rows that are compared; raises UnknownNameError."""
        return run.detector(name) if self.of_detectors else run.refiner(name)


def _names(options: type) -> Iterator[str]:
    """Yield the options of a type, those inside others as ``recipe.steps``."""
    hints = get_type_hints(options)
    for name in (field.name for field in fields(options)):
        if isinstance(hints[name], type) and is_dataclass(hints[name]):
            yield from (f"{name}.{inner}" for inner in _names(hints[name]))
        else:
            yield name


def _settings(row: DetectorRow | RefinerRow) -> dict[str, Value]:
    """Return a row's options by the names of ``_names``: numbers and text as they are, all else as JSON has it."""
    found: dict[str, Value] = {}
    for name in _names(type(row.options)):
        value: Any = reduce(getitem, name.split("."), row.parameters)
        found[name] = value if type(value) in {int, float, str} else json.dumps(value)
    return found


def swept(options: SweepOptions, run: Run) -> dict[str, dict[Value, str]]:
    """Return the families of refiners or detectors that differ in the option alone, each by its value.

    Refiners that share a trained model are compared with each other, and those that were trained on the same data. Of
    several seeds the primary one is taken. A family's name tells it from the others: by the one or two options in which
    they differ, else by the title of its first member.

    Raises
    ------
    UnknownNameError
        If no registry file has a detector.
    DataError
        If no two of the type differ in the option alone, or the run has none of those named.
    """
    families: dict[tuple[object, ...], dict[Value, str]] = {}
    for name in options.detectors_of(run) if options.of_detectors else options.refiners_of(run)[1:]:
        row = options.row_of(run, name)
        if row.type == options.type:
            settings = _settings(row)
            value = settings.pop(options.option)
            for lineage in _lineages(row):
                families.setdefault((lineage, *settings.items()), {})[value] = name
    found = {key: values for key, values in families.items() if len(values) > 1}
    if not found:
        noun = options.rows.noun
        raise DataError(
            f"no {noun}s of type '{options.type}' that differ in '{options.option}' alone",
            expected="at least two in the run",
            mend=f"add such rows to `{noun}s`"
            + ("" if options.of_detectors else ", with `model_of` where they share a trained model"),
        )
    differing = [items for items in zip(*(key[1:] for key in found), strict=True) if len(set(items)) > 1]
    if 1 <= len(differing) <= _TELLING:
        names = [", ".join(f"{name} {value}" for name, value in items) for items in zip(*differing, strict=True)]
    else:
        names = [options.row_of(run, next(iter(values.values()))).title for values in found.values()]
    if len(set(names)) < len(names):
        names = [f"{name}, {i}" for i, name in enumerate(names, 1)]
    return dict(zip(names, found.values(), strict=True))


def _lineages(row: DetectorRow | RefinerRow) -> list[object]:
    """Return what a row has in common with those that it is compared with: a model, or training data and pool."""
    shared = getattr(row, "model_of", "")
    return [shared] if shared else [(row.train, getattr(row, "pool", "")), row.id]


class Series(NamedTuple):
    """The scores of refiners, or detectors, that differ in the option alone: by its value, numbers in their order."""

    metric: str
    dataset: str
    name: str
    scores: dict[Value, float | None]


def series(options: SweepOptions, run: Run) -> Iterator[Series]:
    """Yield the scores by metric, data set and what else the maps are of: a detector, or a refiner.

    Raises
    ------
    UnknownNameError, DataError
        As ``swept`` does; DataError too if scores are missing.
    """
    protocol, scored, families = options.protocol_of(run), set(run.scored_cells), swept(options, run)
    if options.of_detectors:
        others = options.refiner_titles(run)
    else:
        others = {name: run.detector(name).title for name in options.detectors_of(run)}
    for metric, dataset, other, family in product(options.metrics, run.scored_sets, others, families):
        compared: dict[Value, str] = {} if options.prior_at is None else {options.prior_at: UNREFINED}
        compared |= families[family]
        cells = {
            value: Cell(dataset, name, other) if options.of_detectors else Cell(dataset, other, name)
            for value, name in sorted(compared.items(), key=_place)
        }
        scores = {value: score(run, cell, protocol, metric) for value, cell in cells.items() if cell in scored}
        if len(scores) > 1:
            words = [others[other], *([family] if len(families) > 1 else [])]
            name = ", ".join(filter(None, words))
            yield Series(MEASURES[metric].text, run.dataset(dataset).title, name, scores)


def _place(item: tuple[Value, str]) -> float:
    """Put numbers in their order, and leave text in the run's."""
    return 0.0 if isinstance(item[0], str) else item[0]


def draw(options: SweepOptions, run: Run, title: str) -> "Figure":
    """Draw lines over numbers, or bars by names; raises what ``series`` does, and DataError if the run has none."""
    from sodlift.plots.bars import Bar, bars_figure  # noqa: PLC0415 - slow to import, and not needed to read options
    from sodlift.plots.lines import Line, lines_figure  # noqa: PLC0415 - as above

    found = list(series(options, run))
    if any(isinstance(value, str) for one in found for value in one.scores):
        bars = (Bar(one.metric, one.dataset, str(at), one.name, y) for one in found for at, y in one.scores.items())
        return bars_figure(list(bars), title)
    lines = (Line(*one[:3], tuple(map(float, one.scores)), tuple(one.scores.values())) for one in found)
    return lines_figure(list(lines), options.option, title)


FIGURE = FigureType("scores over an option of refiners or detectors", SweepOptions, draw)
