"""A table of what trainings cost: every model of a run, or those that a paper prints, with ours beside them.

Nothing is judged: hours depend on the machine, which the footer names.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sodlift.config.run import Run
from sodlift.tables.costs import COSTS, TrainedModel, Training, needed, read_training, trained_models
from sodlift.tables.layout import DASH, Entry, Group, Layout, Line
from sodlift.tables.render import to_latex, to_markdown
from sodlift.tables.spec import TableSpec

NO_SET = "-"
"""The data set of printed numbers that belong to none."""

CSV_COLUMNS = (
    *("table", "method", "variant", "model", "title", "type", "learnt_from", "metric"),
    *("ours", "printed", "printed_in", "status", "device"),
)


@dataclass(frozen=True)
class CostLine:
    """A model, a printed method, or both.

    Attributes
    ----------
    method, variant : str
        The printed ones; empty in a table of the run alone.
    wanted : str
        The model of ours that plays them, whether or not the run has it; empty where none does.
    printed : mapping of str to str
        Printed texts by cost.
    model : TrainedModel or None
        Ours; None where the run has none.
    ours : mapping of str to float
        Costs by name.
    place : str
        What ours was trained on: the machine.
    """

    method: str = ""
    variant: str = ""
    wanted: str = ""
    printed: Mapping[str, str] = field(default_factory=dict)
    model: TrainedModel | None = None
    ours: Mapping[str, float] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True)
class CostTable:
    """A table of what trainings cost."""

    spec: TableSpec
    lines: tuple[CostLine, ...]
    layout: Layout

    def to_csv(self) -> str:
        """Return all costs in long form, at full precision."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        for line in self.lines:
            model = line.model
            ours = [model.id, model.title, model.type, model.learnt_from] if model else [""] * 4
            for metric in self.spec.metrics:
                value, printed = line.ours.get(metric, ""), line.printed.get(metric, "")
                source, status = self.spec.source if printed else "", "ok" if model else "missing"
                lead = [self.spec.id, line.method, line.variant, *ours, metric]
                writer.writerow([*lead, value, printed, source, status, line.place])
        return out.getvalue()

    def to_markdown(self) -> str:
        """Return the table with its footer as Markdown."""
        return to_markdown(self.spec.title, self.layout)

    def to_latex(self) -> str:
        """Return the table with its footer as LaTeX (packages booktabs, multirow and graphicx)."""
        return to_latex(self.spec.id, self.spec.title, self.layout)


def cost_table(spec: TableSpec, run: Run) -> CostTable:
    """Make a table of a run whose models are trained; raises DataError or WeightsError if a file is not right."""
    models = trained_models(run)
    wanted = {name for variant in spec.variants for name in variant.detectors.values()}
    trainings = {name: read_training(models[name]) for name in needed(models, wanted or models)}
    made = (_ours(CostLine(), spec, model, trainings) for model in models.values())
    lines = tuple(_in_print(spec, models, trainings) if spec.paper else made)
    plain = [run.detector(name).title for name in run.trained_detectors if name not in models]
    return CostTable(spec, lines, _lay_out(spec, lines, plain))


def _in_print(
    spec: TableSpec, models: Mapping[str, TrainedModel], trainings: Mapping[str, Training]
) -> Iterator[CostLine]:
    """Yield a line for each printed method and variant."""
    for method in spec.values.methods:
        for variant in spec.variants:
            if spec.values.has(method, variant.printed, spec.metrics.values()):
                texts = {m: spec.values.text(method, variant.printed, NO_SET, name) for m, name in spec.metrics.items()}
                printed, wanted = {m: text for m, text in texts.items() if text}, variant.detectors.get(method, "")
                line = CostLine(method, variant.title, wanted, printed)
                yield _ours(line, spec, models[wanted], trainings) if wanted in models else line


def _ours(line: CostLine, spec: TableSpec, model: TrainedModel, trainings: Mapping[str, Training]) -> CostLine:
    """Return a line with what a model of ours cost."""
    training, behind = trainings[model.id], [trainings[name] for name in model.behind]
    costs = {metric: COSTS[metric].of(training, behind) for metric in spec.metrics}
    return replace(line, model=model, ours=costs, place=training.place)


def _lay_out(spec: TableSpec, lines: Sequence[CostLine], plain: Sequence[str]) -> Layout:
    groups: dict[str, list[CostLine]] = {}
    for line in lines:
        groups.setdefault(line.method or (line.model.id if line.model else ""), []).append(line)
    measures = tuple(COSTS[metric].measure for metric in spec.metrics)
    return Layout(
        columns=(("", measures),) if lines else (),
        groups=tuple(_group(spec, members) for members in groups.values()),
        sourced=bool(spec.paper),
        footnotes=(),
        footer=tuple(_footer(spec, lines, plain)),
        leads=("method", "model") if spec.paper else ("model", "trained on"),
    )


def _group(spec: TableSpec, members: Sequence[CostLine]) -> Group:
    """Return the lines of one printed method, of each variant the printed one first; or of one model."""
    title, found = members[0].method, list[Line]()
    for line in members:
        if line.printed:
            texts = [line.printed.get(metric, DASH) for metric in spec.metrics]
            found.append(Line(line.variant, "paper", tuple(map(Entry, texts))))
        if line.model:
            label = line.model.title if line.method else line.model.learnt_from
            texts = [f"{line.ours[metric]:.{COSTS[metric].decimals}f}" for metric in spec.metrics]
            found.append(Line(label, "ours", tuple(map(Entry, texts))))
            title = title or line.model.title
    return Group(title, tuple(found))


def _footer(spec: TableSpec, lines: Sequence[CostLine], plain: Sequence[str]) -> Iterator[str]:
    """Yield the sentences below the table: how its numbers came about, on what machine, and what it lacks."""
    places: dict[str, dict[str, None]] = {}
    for line in lines:
        if line.model:
            places.setdefault(line.place, {})[line.model.title] = None
    if places:
        yield (
            "Hours: the recipe's steps times the median time of one with the wait for data, of a training in stages "
            "the last; peak GB: a GPU's allocated memory, else the process's."
        )
    for place, titles in places.items():
        yield f"Trained on {place}: {', '.join(titles)}."
    if plain and not spec.paper:
        yield f"No network, and so without a report: {', '.join(plain)}."
    absent = dict.fromkeys(line.wanted for line in lines if line.wanted and not line.model)
    if absent:
        yield f"Not trained in this run: {', '.join(absent)}."
    yield from (note.text for note in spec.notes if note.general)
