"""What a table is: one row of ``config/tables.yaml``, made into an object.

A row says which results stand in the table (protocol, measures, data sets, refiners), which printed numbers they are
set against, and under which conditions the two may be compared. There is no code for any single table.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sodlift.document import read_document
from sodlift.errors import ConfigError
from sodlift.problems import Problem, one_of, raise_any, suggestion
from sodlift.schema import read_schema, schema_problems
from sodlift.tables.compare import Tolerance
from sodlift.tables.kinds import KINDS
from sodlift.tables.printed import PrintedValues
from sodlift.tables.run_info import Labels, RefinerInfo
from sodlift.tables.summary import BASELINE


@dataclass(frozen=True)
class Match:
    """Facts about a refiner; what is left empty says nothing.

    Attributes
    ----------
    type, backbone : str
        Registered type and backbone.
    trained_on : tuple of str
        Training sets, as ``RefinerInfo.training_sets``; their order does not matter.
    settings : mapping
        Further facts, each of which the refiner's ``settings`` must hold.
    """

    type: str = ""
    backbone: str = ""
    trained_on: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def differences(self, refiner: RefinerInfo) -> tuple[str, ...]:
        """Say of each fact that ``refiner`` does not share how it differs; empty where it shares them all."""
        facts: list[tuple[str, Any, Any]] = [
            ("refiner", self.type, refiner.type),
            ("backbone", self.backbone, refiner.backbone),
            ("training set", " + ".join(sorted(self.trained_on)), " + ".join(sorted(refiner.training_sets))),
        ]
        facts += [(name, wanted, refiner.settings.get(name, "")) for name, wanted in self.settings.items()]
        return tuple(
            f"other {name} ({has if has != '' else 'none'}; the paper's is {wanted})"
            for name, wanted, has in facts
            if wanted not in ("", has)
        )

    def __str__(self) -> str:
        facts = [("type", self.type), ("backbone", self.backbone), ("trained on", " + ".join(self.trained_on))]
        facts += [(name, str(value)) for name, value in self.settings.items()]
        return ", ".join(f"{name} {value}" for name, value in facts if value)


@dataclass(frozen=True)
class Variant:
    """One kind of result for each detector: the unrefined prior, or what a refiner makes of it.

    Attributes
    ----------
    title : str
        Its name in the table.
    select : Match
        Which refiners of a run play it; type ``none`` is the unrefined prior.
    printed : str
        Its name in the values' CSV file; empty where the paper's table does not print it.
    comparable : Match
        What a refiner must share with the paper's for the numbers to be comparable.
    detectors : mapping of str to str
        By printed method, the id of the detector that plays it; empty where the detectors' ``paper_names`` tell.
    """

    title: str
    select: Match
    printed: str = ""
    comparable: Match = field(default_factory=Match)
    detectors: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_baseline(self) -> bool:
        """Whether it is the unrefined prior."""
        return self.select.type == BASELINE

    def method_of(self, detector: str, paper: str, labels: Labels) -> str:
        """Return the (first) printed method that a detector plays; empty where it plays none."""
        if not self.detectors:
            return labels.get(detector, {}).get(paper, "")
        return next((method for method, player in self.detectors.items() if player == detector), "")


@dataclass(frozen=True)
class Note:
    """A remark on a table or, where ``method``, ``variant`` or ``dataset`` are given, on those of its printed cells."""

    text: str
    method: str = ""
    variant: str = ""
    dataset: str = ""

    @property
    def general(self) -> bool:
        """Whether the remark concerns the whole table."""
        return not (self.method or self.variant or self.dataset)

    def concerns(self, method: str, variant: str, dataset: str) -> bool:
        """Whether the remark belongs to this printed cell."""
        pairs = ((self.method, method), (self.variant, variant), (self.dataset, dataset))
        return not self.general and all(mine in ("", its) for mine, its in pairs)


@dataclass(frozen=True)
class TableSpec:
    """One table.

    Attributes
    ----------
    id, title, kind : str
        Its name as a target, its caption, and how it is built: one of ``KINDS``.
    metrics : mapping of str to str
        Measures, in the order of its columns; each with the paper's name for it, empty where it reproduces none.
    protocol : str
        The protocol whose scores it shows; empty where it shows none.
    paper, number : str
        The paper and its table that it reproduces.
    values : PrintedValues
        What that table prints.
    variants : tuple of Variant
        What it shows of each detector.
    against : tuple of TableSpec
        The paper tables whose printed values a ``benchmark`` table sets beside its own.
    notes : tuple of Note
        Remarks on the table.
    rank : str
        Within what the best value is set in bold: ``detector`` (its rows) or ``column`` (the whole table).
    significance : bool
        Whether refined values are tested against the prior's.
    decimals : int
        Digits shown of our values; printed values are shown as printed.
    tolerance : Tolerance
        What counts as a match, and as near.
    """

    id: str
    title: str
    kind: str
    metrics: Mapping[str, str]
    protocol: str = ""
    paper: str = ""
    number: str = ""
    values: PrintedValues = field(default_factory=PrintedValues)
    variants: tuple[Variant, ...] = ()
    against: "tuple[TableSpec, ...]" = ()
    notes: tuple[Note, ...] = ()
    rank: str = "detector"
    significance: bool = False
    decimals: int = 4
    tolerance: Tolerance = field(default_factory=Tolerance)

    @property
    def source(self) -> str:
        """What it reproduces, such as "MIRM, Table 1"; empty where it reproduces nothing."""
        return f"{self.paper}, Table {self.number}" if self.paper else ""


def load_tables(path: str | Path, values_folder: str | Path) -> dict[str, TableSpec]:
    """Read ``tables.yaml`` and make its tables, by id.

    Parameters
    ----------
    path : path
        The file. Beside it lie ``schemas/tables.schema.json``, ``detectors.yaml`` and the folder ``protocols``.
    values_folder : path
        Folder of the CSV files of printed values that the rows name.

    Raises
    ------
    ConfigProblems
        A ConfigError that lists every breach of the schema or, if there is none, every unknown protocol, measure,
        values file, printed name, detector and paper table.
    """
    path, folder = Path(path), Path(values_folder)
    document = read_document(path)
    rows = document.data
    raise_any(document.locate(schema_problems(rows, read_schema(path.parent / "schemas" / "tables.schema.json"))))
    protocols = sorted(file.stem for file in (path.parent / "protocols").glob("*.yaml"))
    detectors = tuple(read_document(path.parent / "detectors.yaml").data)
    raise_any(document.locate(_problems(rows, folder, protocols, detectors)))
    papers = {name: _table(name, row, folder, {}) for name, row in rows.items() if row["kind"] == "paper"}
    return {name: papers.get(name) or _table(name, row, folder, papers) for name, row in rows.items()}


def _table(name: str, row: Mapping[str, Any], folder: Path, papers: Mapping[str, TableSpec]) -> TableSpec:
    made = dict(row)
    metrics = made.pop("metrics")
    return TableSpec(
        id=name,
        metrics=metrics if isinstance(metrics, Mapping) else dict.fromkeys(metrics, ""),
        values=PrintedValues.load(folder / made.pop("values")) if "values" in made else PrintedValues(),
        variants=tuple(_variant(v) for v in made.pop("variants", [])),
        against=tuple(papers[p] for p in made.pop("against", [])),
        notes=tuple(Note(**n) for n in made.pop("notes", [])),
        tolerance=Tolerance(**made.pop("tolerance", {})),
        **made,
    )


def _variant(row: Mapping[str, Any]) -> Variant:
    select = row.get("select", {"type": BASELINE})
    comparable = _match(row.get("comparable", {}))
    return Variant(row["title"], _match(select), row.get("printed", ""), comparable, row.get("detectors", {}))


def _match(row: Mapping[str, Any]) -> Match:
    return Match(**{**row, "trained_on": tuple(row.get("trained_on", ()))})


def _problems(
    rows: Mapping[str, Mapping[str, Any]], folder: Path, protocols: Iterable[str], detectors: Iterable[str]
) -> Iterator[Problem]:
    """Yield everything that the schema cannot know to be wrong."""
    papers = [name for name, row in rows.items() if row["kind"] == "paper"]
    for name, row in rows.items():
        yield from _unknown(f"{name}.protocol", "protocol", [row["protocol"]] if "protocol" in row else [], protocols)
        yield from _unknown(f"{name}.metrics", "measure", row["metrics"], KINDS.get(row["kind"]).measures)
        yield from _unknown(f"{name}.against", "paper table", row.get("against", []), papers)
        for i, variant in enumerate(row.get("variants", [])):
            yield from _unknown(
                f"{name}.variants[{i}].detectors", "detector", variant.get("detectors", {}).values(), detectors
            )
        if "values" in row:
            yield from _printed_problems(name, row, folder)


def _printed_problems(name: str, row: Mapping[str, Any], folder: Path) -> Iterator[Problem]:
    """Yield the names of a paper's table that its printed values do not have."""
    path = folder / row["values"]
    if not path.is_file():
        files = sorted(file.name for file in folder.glob("*.csv"))
        yield from _unknown(f"{name}.values", "file of printed values", [row["values"]], files)
        return
    try:
        values = PrintedValues.load(path)
    except ConfigError as refusal:
        yield Problem(f"{name}.values", f"{row['values']}: {refusal.what}", str(refusal.expected or ""))
        return
    yield from _unknown(f"{name}.metrics", "printed metric", row["metrics"].values(), values.metrics)
    variants = [variant["printed"] for variant in row["variants"] if "printed" in variant]
    yield from _unknown(f"{name}.variants", "printed variant", variants, values.variants)
    for i, variant in enumerate(row["variants"]):
        methods = variant.get("detectors", {})
        yield from _unknown(f"{name}.variants[{i}].detectors", "printed method", methods, values.methods)
    known = {"method": values.methods, "variant": values.variants, "dataset": values.datasets}
    for i, note in enumerate(row.get("notes", [])):
        for key, names in known.items():
            yield from _unknown(f"{name}.notes[{i}].{key}", f"printed {key}", [note[key]] if key in note else [], names)


def _unknown(path: str, kind: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Problem]:
    known = tuple(known)
    for name in names:
        if name not in known:
            yield Problem(path, f"unknown {kind} '{name}'", one_of(known), suggestion(name, known))
