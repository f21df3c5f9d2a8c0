"""What tables need to know of a run, read off its configuration."""

from sodlift.config.run import UNREFINED, Run
from sodlift.evaluation.protocols import Protocol, load_protocol
from sodlift.tables.run_info import DatasetInfo, RefinerInfo, RunInfo
from sodlift.tables.summary import Scored


def scored_cells(run: Run) -> tuple[Scored, ...]:
    """Return the run's scored cells under the refiner's plain name and the seed that it was trained with.

    What is not trained is filed under the primary seed.
    """
    cells = []
    for cell in run.scored_cells:
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
        datasets={name: _dataset(run, name) for name in run.scored_sets},
        protocols={name: _protocol(load_protocol(name)) for name in run.protocols},
        seeds=run.seeds,
    )


def _protocol(protocol: Protocol) -> str:
    return f"{protocol.title} (hash {protocol.hash})"


def _refiner(run: Run, name: str) -> RefinerInfo:
    row = run.refiner(name)
    settings, model = row.parameters, run.model_of(name) or name
    return RefinerInfo(
        type=row.type,
        title=row.title,
        backbone=settings.get("backbone", ""),
        training_sets=tuple("/".join(maps) for maps in run.train_inputs(model))
        or tuple(f"{dataset}/masks" for dataset in run.train_manifests(model)),
        settings=settings,
    )


def _dataset(run: Run, name: str) -> DatasetInfo:
    row = run.dataset(name)
    subset = run.subset.get(name)
    notes = [row.note, *([f"of this set {subset.words}"] if subset else [])]
    return DatasetInfo(
        row.title,
        row.paper_name,
        row.complete and subset is None,
        "; ".join(note for note in notes if note),
        _leaks(run, name),
        _learners(run, name),
    )


def _leaks(run: Run, test_set: str) -> dict[str, int]:
    """Return what the run accepts, by title of another set from which something learnt that is scored on this one."""
    trained = {a for sets in run.trained_and_tested.values() if test_set in sets["test"] for a in sets["train"]}
    known = {a: tests[test_set] for a, tests in run.known_leaks.items() if test_set in tests and a != test_set}
    return {run.dataset(a).title: count for a, count in known.items() if a in trained}


def _learners(run: Run, test_set: str) -> tuple[str, ...]:
    """Return the titles of the detectors and refiners that learnt from a test set that they are scored on."""
    names = [n for n, sets in run.trained_and_tested.items() if test_set in sets["train"] and test_set in sets["test"]]
    rows = {**run.detector_rows, **run.model_rows, **run.refiner_rows}
    return tuple(rows[name].title for name in names)
