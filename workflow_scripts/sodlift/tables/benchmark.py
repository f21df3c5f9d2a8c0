"""The cells of a table of everything that a run scores, with what papers print of it beside."""

from collections.abc import Iterator

from sodlift.tables.cells import Cell, Row, counterpart, make_cell, players, title_of
from sodlift.tables.run_info import Labels, RunInfo
from sodlift.tables.scores import Scores
from sodlift.tables.spec import Match, TableSpec, Variant
from sodlift.tables.summary import BASELINE


def benchmark_cells(spec: TableSpec, scores: Scores, run: RunInfo, labels: Labels) -> Iterator[Cell]:
    """Yield a cell for each detector and refiner, data set and measure of the run."""
    for detector in run.detectors:
        for refiner in (BASELINE, *run.refiners):
            info = run.refiner(refiner)
            found = _in_print(spec, detector, refiner, run, labels)
            paper, variant = found or (spec, Variant(info.title, Match(type=info.type)))
            label = variant.method_of(detector, paper.paper, labels)
            row = Row(title_of(detector, labels), label, detector, variant, refiner, info.title)
            for dataset, dataset_info in run.datasets.items():
                for metric in spec.metrics:
                    name = paper.metrics.get(metric, "")
                    printed = paper.values.text(label, variant.printed, dataset_info.paper, name)
                    there = counterpart(spec, paper, row, dataset_info, metric, run) if printed else None
                    yield make_cell(spec, scores, run, row, dataset_info, dataset, metric, there)


def _in_print(
    spec: TableSpec, detector: str, refiner: str, run: RunInfo, labels: Labels
) -> tuple[TableSpec, Variant] | None:
    """Find what the paper tables ``spec.against`` print of the refiner: where the two differ least, the first such."""
    info = run.refiner(refiner)
    found = [
        (paper, variant)
        for paper in spec.against
        for variant in paper.variants
        if refiner in players(variant, run)
        and paper.values.has(variant.method_of(detector, paper.paper, labels), variant.printed, paper.metrics.values())
    ]
    return min(found, key=lambda one: len(one[1].comparable.differences(info)), default=None)
