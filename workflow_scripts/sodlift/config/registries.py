"""The registry files: shipped rows and the user's own, merged, and every row's options made."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from sodlift.config.rows import DatasetRow, DetectorRow, FigureRow, PoolRow, RefinerRow, Row
from sodlift.document import Document, read_document
from sodlift.errors import ConfigError
from sodlift.fetch.release import ReleaseFile
from sodlift.options import build
from sodlift.problems import ConfigProblems, Problem, one_of, raise_any, suggestion
from sodlift.schema import read_schema, schema_problems

SHIPPED = (Path(__file__).parents[1] / "shipped").resolve()
"""The folder ``config`` of the repository, which an installed library has under this name."""

R = TypeVar("R", bound=Row)

ROWS: dict[str, type[Row]] = {
    "datasets": DatasetRow,
    "detectors": DetectorRow,
    "pools": PoolRow,
    "refiners": RefinerRow,
    "figures": FigureRow,
}
"""The class of the rows of each registry file."""


@dataclass(frozen=True)
class RowFile(Generic[R]):
    """All rows of one registry.

    Attributes
    ----------
    rows : mapping of str to row
        The rows that are right, by id.
    names : tuple of str
        Every id, those of wrong rows included, so that one mistake is not reported twice.
    places : mapping of str to Document
        The file that each row comes from.
    """

    rows: Mapping[str, R]
    names: tuple[str, ...]
    places: Mapping[str, Document]

    def problem(self, name: str, path: str, what: str, expected: str = "", mend: str = "") -> Problem:
        """Return a problem at ``path`` below row ``name``, with its file and line."""
        at = f"{name}.{path}"
        return Problem(at, what, expected, mend, self.places[name].place(at))


def read_rows(kind: str, extra: Iterable[str], problems: list[Problem]) -> RowFile[Any]:
    """Read the shipped registry file of a kind, such as ``datasets.yaml``, and the extra files of that kind.

    Parameters
    ----------
    kind : str
        One of ``ROWS``.
    extra : iterable of str
        Files whose rows are added; defining a row again is a problem.
    problems : list of Problem
        Whatever is wrong is added here.
    """
    schema = read_schema(SHIPPED / "schemas" / f"{kind}.schema.json")
    raw: dict[str, Any] = {}
    places: dict[str, Document] = {}
    for path in (SHIPPED / f"{kind}.yaml", *map(Path, extra)):
        try:
            document = read_document(path)
        except ConfigError as refusal:
            problems.append(_as_problem(refusal))
            continue
        found = document.locate(schema_problems(document.data, schema))
        problems += found
        for name, row in document.data.items():
            if name in places:
                first = places[name].place(name)
                again = Problem(name, f"row '{name}' is already defined in {first}", mend="give it another name")
                problems += document.locate([again])
                continue
            places[name] = document
            if not any(p.path == name or p.path.startswith((f"{name}.", f"{name}[")) for p in found):
                raw[name] = row
    rows = {name: made for name, row in raw.items() if (made := _row(ROWS[kind], name, row, places, problems))}
    return RowFile(rows, tuple(str(name) for name in places), places)


def registered_rows(
    extra: Mapping[str, Iterable[str]],
) -> tuple[Mapping[str, DatasetRow], Mapping[str, DetectorRow]]:
    """Return the data sets and detectors that are shipped and those, by kind, in ``extra`` files.

    Raises
    ------
    ConfigProblems
        One error that lists what is wrong with their files.
    """
    problems: list[Problem] = []
    datasets, detectors = (read_rows(kind, extra.get(kind, ()), problems) for kind in ("datasets", "detectors"))
    raise_any(problems, "the registry files")
    return datasets.rows, detectors.rows


def _row(
    cls: type[R], name: str, raw: Mapping[str, Any], places: Mapping[str, Document], problems: list[Problem]
) -> R | None:
    """Make one row with its options; None, with the reasons in ``problems``, where that cannot be done."""
    try:
        row = build(cls, {"id": name, **raw}, name)
    except ConfigProblems as refusal:
        problems += places[name].locate(refusal.problems)
        return None
    known = cls.registry().names()
    if row.type not in known:
        unknown = Problem(f"{name}.type", f"unknown type '{row.type}'", one_of(known), suggestion(row.type, known))
        problems += places[name].locate([unknown])
        return None
    try:
        options = build(row.kind.options, row.options, f"{name}.options")
    except ConfigProblems as refusal:
        problems += places[name].locate(refusal.problems)
        return None
    return replace(row, options=options)


def reference_problems(datasets: RowFile[DatasetRow], detectors: RowFile[DetectorRow]) -> Iterator[Problem]:
    """Yield what is wrong between rows of data sets and detectors: names that do not exist, or that two files share."""
    for name, dataset in datasets.rows.items():
        if dataset.part_of:
            yield from unknown_names(datasets, name, "part_of", "data set", [dataset.part_of], datasets.names)
        yield from unknown_names(datasets, name, "shares", "data set", dataset.shares, datasets.names)
    for name, detector in detectors.rows.items():
        yield from unknown_names(detectors, name, "datasets", "data set", detector.datasets or (), datasets.names)
        yield from unknown_names(detectors, name, "release", "data set", detector.release.folders, datasets.names)
        yield from _needed_problems(name, detector, detectors)
    yield from _names_of_files(datasets, detectors)


def _needed_problems(name: str, row: DetectorRow, detectors: RowFile[DetectorRow]) -> Iterator[Problem]:
    """Yield what is wrong with the detector whose maps another one takes."""
    needed = row.needs
    if needed is None:
        return
    yield from unknown_names(detectors, name, "options.of", "detector", [needed], detectors.names)
    source = detectors.rows.get(needed)
    if source is not None and source.needs:
        yield detectors.problem(name, "options.of", f"'{needed}' takes maps of another detector too", mend="name that")
    elif source and source.datasets and (row.datasets is None or not set(row.datasets) <= set(source.datasets)):
        what = f"'{needed}' has maps of some data sets only"
        yield detectors.problem(name, "datasets", what, f"a list of some of: {', '.join(source.datasets)}")


def _names_of_files(*files: RowFile[Any]) -> Iterator[Problem]:
    """Yield the names under which two different files of releases would be kept in one place."""
    firsts: dict[str, tuple[str, ReleaseFile]] = {}
    for file in files:
        for name, row in file.rows.items():
            for i, held in enumerate(row.release.files):
                path, first = firsts.setdefault(held.name, (f"{name}.release.files[{i}]", held))
                if first != held:
                    what = f"'{held.name}' is the name of another file in {path}"
                    yield file.problem(name, f"release.files[{i}].name", what, mend="give it another name")


def unknown_names(
    file: RowFile[Any], row: str, path: str, kind: str, names: Iterable[str], known: Iterable[str]
) -> Iterator[Problem]:
    """Yield those of ``names``, at ``path`` below a row, that are not ``known``."""
    known = tuple(known)
    for name in names:
        if name not in known:
            yield file.problem(row, path, f"unknown {kind} '{name}'", one_of(known), suggestion(name, known))


def _as_problem(refusal: ConfigError) -> Problem:
    where = "" if refusal.where is None else str(refusal.where)
    return Problem("", refusal.what, str(refusal.expected or ""), str(refusal.mend or ""), where)
