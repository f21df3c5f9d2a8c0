"""What tables need to know of a run, read off its configuration."""

from sodlift.config.run import UNREFINED, Run
from sodlift.evaluation.protocols import Protocol, load_protocol
from sodlift.tables.run_info import DatasetInfo, RefinerInfo, RunInfo
from sodlift.tables.summary import Scored


def scored_cells(run: Run) -> tuple[Scored, ...]:
    """Return the run's cells under the refiner's plain name and the seed that it was trained with.

    What is not trained is filed under the primary seed.
    """
    cells = []
    for cell in run.cells:
        seed = None if cell.refiner == UNREFINED else run.refiner(cell.refiner).seed
        name = cell.refiner.partition("@")[0]
        folder = run.evaluation_folder(cell)
        cells.append(Scored(name, cell.detector, cell.dataset, run.seeds[0] if seed is None else seed, folder))
    return tuple(cells)


def run_info(run: Run) -> RunInfo:
    """Return the facts by which tables select results and decide what is comparable."""
    return RunInfo(
        detectors=run.detectors,
        refiners={name: _refiner(run, name) for name in run.refiner_rows if "@" not in name},
        datasets={name: _dataset(run, name) for name in run.test_sets},
        protocols={name: _protocol(load_protocol(name)) for name in run.protocols},
        seeds=run.seeds,
    )


def _protocol(protocol: Protocol) -> str:
    return f"{protocol.title} (hash {protocol.hash})"


def _refiner(run: Run, name: str) -> RefinerInfo:
    row = run.refiner(name)
    settings = row.parameters
    return RefinerInfo(
        type=row.type,
        title=row.title,
        backbone=settings.get("backbone", ""),
        training_sets=tuple("/".join(maps) for maps in run.train_inputs(name)),
        settings=settings,
    )


def _dataset(run: Run, name: str) -> DatasetInfo:
    row = run.dataset(name)
    limit = run.limit.get(name)
    note = row.note if limit is None else f"{row.note + '; ' if row.note else ''}the first {limit} images only"
    return DatasetInfo(row.title, row.paper_name, row.complete and limit is None, note)
