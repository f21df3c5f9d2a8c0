"""What is wrong with what detectors and refiners are trained on, as far as the registry files tell."""

from collections.abc import Iterable, Iterator
from typing import Any

from sodlift.config.registries import RowFile, unknown_names
from sodlift.config.rows import DatasetRow, DetectorRow, RefinerRow
from sodlift.datasets.sources import has_masks
from sodlift.problems import Problem, one_of


def training_problems(
    datasets: RowFile[DatasetRow], detectors: RowFile[DetectorRow], refiners: RowFile[RefinerRow]
) -> Iterator[Problem]:
    """Yield training that is missing or does not fit its type, and training data that is not there."""
    for name, detector in detectors.rows.items():
        yield from _of_detector(name, detector, detectors, datasets)
    for name, refiner in refiners.rows.items():
        yield from _of_refiner(name, refiner, refiners, datasets, detectors)


def _of_detector(
    name: str, row: DetectorRow, detectors: RowFile[DetectorRow], datasets: RowFile[DatasetRow]
) -> Iterator[Problem]:
    learns = row.kind.needs_training(row.options)
    if row.train is None:
        if learns and row.options.model is None:
            mend = "say what it is trained on: `train: {datasets: [...]}`; or name the file of a trained model"
            yield detectors.problem(name, "train", "this detector is trained", mend=mend)
        return
    if not learns:
        yield detectors.problem(name, "train", "this detector has nothing to train", mend="remove `train`")
    elif row.options.model is not None:
        mend = "remove `train`, or the model's file"
        yield detectors.problem(name, "train", "this detector names the file of a trained model", mend=mend)
    yield from unknown_names(detectors, name, "train.datasets", "data set", row.train.datasets, datasets.names)
    yield from _bare(name, row.train.datasets, detectors, datasets)


def _of_refiner(
    name: str,
    row: RefinerRow,
    refiners: RowFile[RefinerRow],
    datasets: RowFile[DatasetRow],
    detectors: RowFile[DetectorRow],
) -> Iterator[Problem]:
    learns_from, kind = row.kind.learns_from, f"refiners of type '{row.type}'"
    if row.model_of:
        yield from _of_model(name, row, refiners)
    elif row.train is None and learns_from:
        asked = "datasets: [...], detectors: [...]" if learns_from == "priors" else "datasets: [...]"
        mend = f"say what it is trained on: `train: {{{asked}}}`"
        yield refiners.problem(name, "train", f"{kind} are trained", mend=mend)
    if row.train is None:
        return
    if learns_from is None:
        yield refiners.problem(name, "train", f"{kind} have nothing to train", mend="remove `train`")
    elif learns_from == "priors" and not row.train.detectors:
        mend = "name them: `detectors: [...]`"
        yield refiners.problem(name, "train", f"{kind} learn from the maps of detectors", mend=mend)
    elif learns_from == "masks":
        if row.train.detectors:
            what = f"{kind} learn from masks, not from maps of detectors"
            yield refiners.problem(name, "train.detectors", what, mend="remove `detectors`")
        yield from _bare(name, row.train.datasets, refiners, datasets)
    yield from unknown_names(refiners, name, "train.datasets", "data set", row.train.datasets, datasets.names)
    yield from unknown_names(refiners, name, "train.detectors", "detector", row.train.detectors, detectors.names)
    for source in (detectors.rows[n] for n in row.train.detectors if n in detectors.rows):
        for dataset in (n for n in row.train.datasets if not source.covers(n)):
            what = f"detector '{source.id}' has no maps of '{dataset}'"
            yield refiners.problem(name, "train", what, f"{one_of(source.datasets or ())} for this detector")


def _of_model(name: str, row: RefinerRow, refiners: RowFile[RefinerRow]) -> Iterator[Problem]:
    """Yield what is wrong with the refiner whose model another one uses."""
    yield from unknown_names(refiners, name, "model_of", "refiner", [row.model_of], refiners.names)
    if row.train is not None:
        yield refiners.problem(name, "train", "this refiner uses another one's model", mend="remove `train`")
    source = refiners.rows.get(row.model_of)
    if source is not None and (source.type != row.type or source.train is None):
        expected = f"a refiner of type '{row.type}' with `train`"
        yield refiners.problem(name, "model_of", f"'{row.model_of}' has no model for it", expected)


def _bare(name: str, sets: Iterable[str], file: RowFile[Any], datasets: RowFile[DatasetRow]) -> Iterator[Problem]:
    """Yield the data sets without masks among those that masks are learnt from."""
    for dataset in sets:
        if dataset in datasets.rows and not has_masks(datasets.rows[dataset]):
            yield file.problem(
                name, "train.datasets", f"'{dataset}' has no masks to learn from", "data sets with masks"
            )
