"""The cells of a table that a paper prints: its rows, with ours beside them and a verdict on each number."""

from collections.abc import Iterator

from sodlift.tables.cells import Cell, Row, counterpart, make_cell, players, title_of
from sodlift.tables.run_info import DatasetInfo, Labels, RunInfo
from sodlift.tables.scores import Scores
from sodlift.tables.spec import TableSpec, Variant


def paper_cells(spec: TableSpec, scores: Scores, run: RunInfo, labels: Labels) -> Iterator[Cell]:
    """Yield a cell for each printed number, whether or not the run has it, and for each of ours that stands for one."""
    for row in _rows(spec, run, labels):
        for dataset, info in _datasets(spec, run):
            marks = tuple(n.text for n in spec.notes if n.concerns(row.label, row.variant.printed, info.paper))
            for metric in spec.metrics:
                there = counterpart(spec, spec, row, info, metric, run) if row.variant.printed else None
                if (there is not None and there.printed is not None) or (row.detector and dataset):
                    yield make_cell(spec, scores, run, row, info, dataset, metric, there, marks)


def _datasets(spec: TableSpec, run: RunInfo) -> Iterator[tuple[str, DatasetInfo]]:
    """Yield those of the run that stand for one of the paper, and with an empty id each that the run lacks."""
    for printed in spec.values.datasets:
        ours = [(name, info) for name, info in run.datasets.items() if info.paper == printed]
        yield from ours
        if not any(info.complete for _, info in ours):
            yield "", DatasetInfo(printed, printed)


def _rows(spec: TableSpec, run: RunInfo, labels: Labels) -> Iterator[Row]:
    """Yield the rows by printed method: each detector of that name with its variants, then variants with their own."""
    for label in spec.values.methods:
        shown = [variant for variant in spec.variants if _shows(spec, variant, label)]
        named = [d for d in run.detectors if labels.get(d, {}).get(spec.paper) == label] or [""]
        pairs = [(detector, variant) for detector in named for variant in shown if not variant.detectors]
        played = ((variant.detectors.get(label, ""), variant) for variant in shown if variant.detectors)
        pairs += [(player if player in run.detectors else "", variant) for player, variant in played]
        for detector, variant in pairs:
            for refiner in players(variant, run) or [""]:
                yield _row(label, detector, variant, refiner, run, labels)


def _shows(spec: TableSpec, variant: Variant, label: str) -> bool:
    """Whether a variant has a line for a printed method: one that is printed, or one of ours beside such."""
    if variant.printed:
        return spec.values.has(label, variant.printed, spec.metrics.values())
    return not variant.detectors or label in variant.detectors


def _row(label: str, detector: str, variant: Variant, refiner: str, run: RunInfo, labels: Labels) -> Row:
    name = title_of(detector, labels) if detector else label
    ours = run.refiner(refiner).title if refiner else variant.title
    if not variant.detectors:
        method = label if name == label else f"{label} ({name})"
        return Row(method, label, detector, variant, refiner, ours)
    title = variant.title if not detector else name if variant.is_baseline else f"{ours} of {name}"
    return Row(label, label, detector, variant, refiner, title, group=label)
