"""What a run's trainings cost: time, memory and size of every model that is a network, from what each left behind.

A training leaves its model and a report (``sodlift.training.report``). Models that are no networks have no report.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sodlift.config.lineage import links
from sodlift.config.rows import DetectorRow, RefinerRow
from sodlift.config.run import Run
from sodlift.errors import DataError
from sodlift.tables.measures import Measure

_AVERAGES = ("running_mean", "running_var", "num_batches_tracked")
"""What batch normalisation keeps beside its parameters."""

_KEYS = ("recipe", "step_seconds", "images_per_s", "device", "processes", "threads")

AGAIN = "remove the report, and train the model again"


@dataclass(frozen=True)
class TrainedModel:
    """A model that a run trains.

    Attributes
    ----------
    id, title, type : str
        The name, title and type of its refiner or detector.
    learnt_from : str
        Its training sets, and the maps or masks there, in words.
    folder : Path
        What holds its model and its report.
    behind : tuple of str
        Those of the run's models that made, directly or through others, the maps that it learnt from.
    """

    id: str
    title: str
    type: str
    learnt_from: str
    folder: Path
    behind: tuple[str, ...]

    @property
    def file(self) -> Path:
        """The model."""
        return self.folder / "model.pt"

    @property
    def report(self) -> Path:
        """The report of its training."""
        return self.folder / "training.json"


def trained_models(run: Run) -> dict[str, TrainedModel]:
    """Return the networks that a run trains, by id: detectors, then refiners, those of every seed."""
    detectors = {name: run.detector(name) for name in run.trained_detectors if run.detector(name).kind.deep}
    models = run.results / "models"
    made = {name: _model(run, row, models / "detectors" / name, detectors) for name, row in detectors.items()}
    return made | {name: _model(run, run.refiner(name), models / name, detectors) for name in run.trained}


def _model(run: Run, row: DetectorRow | RefinerRow, folder: Path, detectors: Mapping[str, DetectorRow]) -> TrainedModel:
    assert row.train is not None
    sets = ", ".join(run.dataset(name).title for name in row.train.datasets)
    maps = ", ".join(run.detector(name).title for name in row.train.detectors)
    words = {"images": "images alone", "masks": "masks", "both": f"masks and maps of {maps}"}
    what = words.get(row.learns_from or "", f"maps of {maps}")
    ways = [link.way for link in links(row, run.detector_rows) if link.way]
    behind = tuple(way[-1] for way in ways if way[-1] in detectors)
    return TrainedModel(row.id, row.title, row.type, f"{sets}: {what}", folder, behind)


def needed(models: Mapping[str, TrainedModel], wanted: Iterable[str]) -> list[str]:
    """Return those of ``models`` that are wanted and those behind them, in their order."""
    shown = {name for one in wanted if one in models for name in (one, *models[one].behind)}
    return [name for name in models if name in shown]


@dataclass(frozen=True)
class Training:
    """What one training left.

    Attributes
    ----------
    report : mapping
        Its report.
    parameters : int
        Numbers of the model, those that the training left alone included, running averages left out.
    """

    report: Mapping[str, Any]
    parameters: int

    @property
    def hours(self) -> float:
        """Steps of the recipe times the median time of one; of a training in several stages those of the last."""
        return float(self.report["recipe"]["steps"] * self.report["step_seconds"] / 3600)

    @property
    def memory(self) -> float:
        """The most memory held, in GB: a GPU's, else the process's."""
        return float(self.report.get("peak_gpu_bytes") or self.report["peak_rss_bytes"]) / 1e9

    @property
    def place(self) -> str:
        """What it ran on, in words."""
        many, threads = self.report["processes"], self.report["threads"]
        processes = f"{many} processes of " if many > 1 else ""
        return f"{self.report['device']}, {processes}{threads} thread{'s' if threads > 1 else ''}"


def read_training(model: TrainedModel) -> Training:
    """Read what a training left.

    Raises
    ------
    DataError
        If its report is missing, broken, or of another version of sodlift.
    WeightsError
        If its model is missing or broken.
    """
    from sodlift.backbones._state import read_state  # noqa: PLC0415 - torch is slow to import

    state = read_state(model.file)["state"]
    parameters = sum(values.numel() for name, values in state.items() if name.rpartition(".")[2] not in _AVERAGES)
    return Training(_read_report(model.report), parameters)


def _read_report(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError("report of a training not found", where=path, mend="train the model: target `train`")
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as broken:
        raise DataError(f"broken report of a training: {broken}", where=path, mend=AGAIN) from None
    missing = [key for key in _KEYS if key not in report]
    if missing:
        raise DataError(f"report of a training without {', '.join(missing)}", where=path, mend=AGAIN)
    return report


@dataclass(frozen=True)
class Cost:
    """One column of costs.

    Attributes
    ----------
    measure : Measure
        Its name and headings.
    of : callable
        ``of(training, behind)`` returns the number, given the trainings behind it, too.
    decimals : int
        Digits shown.
    """

    measure: Measure
    of: Callable[[Training, Iterable[Training]], float]
    decimals: int


_ALL = (
    Cost(Measure("steps", "steps", r"\mathrm{steps}", None), lambda t, _: t.report["recipe"]["steps"], 0),
    Cost(Measure("batch", "images a step", r"\mathrm{batch}", None), lambda t, _: t.report["recipe"]["batch"], 0),
    Cost(Measure("images_per_s", "images/s", r"\mathrm{images/s}"), lambda t, _: t.report["images_per_s"], 1),
    Cost(Measure("minutes", "minutes", r"\mathrm{minutes}", higher=False), lambda t, _: 60 * t.hours, 1),
    Cost(Measure("hours", "hours", r"\mathrm{hours}", higher=False), lambda t, _: t.hours, 3),
    Cost(
        Measure("total_hours", "hours, with those behind", r"\mathrm{hours}_{\mathrm{all}}", higher=False),
        lambda t, behind: t.hours + sum(other.hours for other in behind),
        3,
    ),
    Cost(Measure("memory", "peak GB", r"\mathrm{GB}_{\max}", higher=False), lambda t, _: t.memory, 2),
    Cost(Measure("parameters", "M parameters", r"10^6\,\mathrm{parameters}", None), lambda t, _: t.parameters / 1e6, 2),
)

COSTS: dict[str, Cost] = {cost.measure.name: cost for cost in _ALL}
"""Costs by name, in the order in which results list them."""
