"""What is wrong with what detectors and refiners are trained on, as far as the registry files tell."""

from collections.abc import Iterable, Iterator
from typing import Any

from sodlift.config.lineage import cycle
from sodlift.config.registries import RowFile, unknown_names
from sodlift.config.rows import DatasetRow, DetectorRow, PoolRow, RefinerRow
from sodlift.datasets.sources import has_masks
from sodlift.problems import Problem, one_of

WORDS = {
    "images": "images alone",
    "priors": "the maps of detectors",
    "masks": "masks",
    "both": "the maps of one detector, and masks",
}
"""What is learnt from, by ``learns_from`` of a type."""
FROM_MAPS = ("priors", "both")
"""Those for which maps of detectors are made on the training sets."""


def training_problems(
    datasets: RowFile[DatasetRow],
    detectors: RowFile[DetectorRow],
    refiners: RowFile[RefinerRow],
    pools: RowFile[PoolRow],
) -> Iterator[Problem]:
    """Yield training that is missing or does not fit its type, training data that is not there, and likewise pools."""
    files: tuple[RowFile[Any], ...] = (detectors, refiners)
    for file in files:
        for row in file.rows.values():
            yield from _of_row(row, file)
            if row.train is not None:
                yield from _of_data(row, file, datasets, detectors)
    for name, refiner in refiners.rows.items():
        if refiner.model_of:
            yield from _of_model(name, refiner, refiners)
        yield from _of_pool(name, refiner, refiners, pools)
    for name, pool in pools.rows.items():
        yield from unknown_names(pools, name, "datasets", "data set", pool.datasets, datasets.names)
    yield from _cycles(detectors)


def _of_row(row: DetectorRow | RefinerRow, file: RowFile[Any]) -> Iterator[Problem]:
    """Yield what is wrong between what a row's type learns from and what the row says."""
    learns_from, this = row.learns_from, f"this {row.noun}"
    if row.train is None:
        if learns_from and not row.trained_already:
            asked = "datasets: [...], detectors: [...]" if learns_from in FROM_MAPS else "datasets: [...]"
            mend = f"say what it is trained on: `train: {{{asked}}}`; or {row.instead}"
            yield file.problem(row.id, "train", f"{this} is trained", mend=mend)
    elif learns_from is None:
        yield file.problem(row.id, "train", f"{this} has nothing to train", mend="remove `train`")
    elif row.trained_already:
        yield file.problem(row.id, "train", f"{this} {row.trained_already}", mend="remove `train`, or the model")
    elif learns_from in FROM_MAPS and not row.train.detectors:
        mend = "name them: `detectors: [...]`"
        yield file.problem(row.id, "train", f"{this} learns from {WORDS[learns_from]}", mend=mend)
    elif learns_from == "both" and len(row.train.detectors) > 1:
        yield file.problem(row.id, "train.detectors", f"{this} learns from {WORDS[learns_from]}", "one detector")
    elif learns_from not in FROM_MAPS and row.train.detectors:
        what = f"{this} learns from {WORDS[learns_from]}, not from maps of detectors"
        yield file.problem(row.id, "train.detectors", what, mend="remove `detectors`")


def _of_data(
    row: DetectorRow | RefinerRow, file: RowFile[Any], datasets: RowFile[DatasetRow], detectors: RowFile[DetectorRow]
) -> Iterator[Problem]:
    """Yield training data that does not exist: data sets, detectors, masks and maps."""
    assert row.train is not None
    name, sets, sources = row.id, row.train.datasets, row.train.detectors
    yield from unknown_names(file, name, "train.datasets", "data set", sets, datasets.names)
    yield from unknown_names(file, name, "train.detectors", "detector", sources, detectors.names)
    if row.learns_from == "masks":
        yield from _bare(name, sets, file, datasets)
    if row.learns_from == "both" and not any(n not in datasets.rows or has_masks(datasets.rows[n]) for n in sets):
        yield file.problem(name, "train.datasets", "none of them has masks to learn from", "one data set with masks")
    for source in (detectors.rows[n] for n in sources if n in detectors.rows):
        for dataset in (n for n in sets if not source.covers(n)):
            what = f"detector '{source.id}' has no maps of '{dataset}'"
            yield file.problem(name, "train", what, f"{one_of(source.datasets or ())} for this detector")


def _of_model(name: str, row: RefinerRow, refiners: RowFile[RefinerRow]) -> Iterator[Problem]:
    """Yield what is wrong with the refiner whose model another one uses."""
    yield from unknown_names(refiners, name, "model_of", "refiner", [row.model_of], refiners.names)
    source = refiners.rows.get(row.model_of)
    if source is not None and (source.type != row.type or source.train is None):
        expected = f"a refiner of type '{row.type}' with `train`"
        yield refiners.problem(name, "model_of", f"'{row.model_of}' has no model for it", expected)


def _of_pool(name: str, row: RefinerRow, refiners: RowFile[RefinerRow], pools: RowFile[PoolRow]) -> Iterator[Problem]:
    """Yield what is wrong with the pool that a refiner compares with: it holds what the refiner is trained on."""
    if not row.kind.pooled:
        if row.pool:
            yield refiners.problem(name, "pool", "this refiner compares with no pool", mend="remove `pool`")
        return
    if not row.pool:
        yield refiners.problem(
            name, "pool", "this refiner compares with a pool", one_of(pools.names), "name it: `pool`"
        )
        return
    yield from unknown_names(refiners, name, "pool", "pool", [row.pool], pools.names)
    source = refiners.rows.get(row.model_of, row)
    pool = pools.rows.get(row.pool)
    if source.pool != row.pool:
        what = f"'{row.model_of}' was trained with the pool '{source.pool}'"
        yield refiners.problem(name, "pool", what, mend=f"name that: `pool: {source.pool}`")
    elif pool is not None and source.train is not None and set(pool.datasets) != set(source.train.datasets):
        expected = f"the pool's: {', '.join(pool.datasets)}"
        mend = "train on what the pool holds; images without masks serve as partners alone"
        yield refiners.problem(name, "train.datasets", f"pool '{row.pool}' holds other data sets", expected, mend)


def _bare(name: str, sets: Iterable[str], file: RowFile[Any], datasets: RowFile[DatasetRow]) -> Iterator[Problem]:
    """Yield the data sets without masks among those that masks are learnt from."""
    for dataset in sets:
        if dataset in datasets.rows and not has_masks(datasets.rows[dataset]):
            yield file.problem(
                name, "train.datasets", f"'{dataset}' has no masks to learn from", "data sets with masks"
            )


def _cycles(detectors: RowFile[DetectorRow]) -> Iterator[Problem]:
    """Yield every circle of detectors that learn from each other's maps, once."""
    told: set[frozenset[str]] = set()
    for name, row in detectors.rows.items():
        way = cycle(row, detectors.rows) if row.train else ()
        if way and frozenset(way) not in told:
            told.add(frozenset(way))
            mend = "take one of them out of the `detectors` of another"
            yield detectors.problem(
                name, "train", f"its own maps are needed to train it: {' -> '.join(way)}", mend=mend
            )
