"""The logs of a training: a CSV row a step, and TensorBoard's files where they are asked for."""

import csv
import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sodlift.atomic import atomic_file
from sodlift.errors import ConfigError, MissingDependencyError

COLUMNS = ("step", "loss", "lr", "images_per_s", "validation")
_FORMATS = {"loss": ".6f", "lr": ".6g", "images_per_s": ".2f", "validation": ".6f"}

Write = Callable[[int, Mapping[str, float]], None]
"""``write(step, values)`` adds a row; columns without a value stay empty."""


@contextmanager
def step_log(path: Path, start: int, tensorboard: Path | None = None) -> Iterator[Write]:
    """Yield a function that adds a row; rows from ``start`` on, which a killed run left behind, are removed first.

    Raises
    ------
    MissingDependencyError
        If TensorBoard's files are asked for and its package is not installed.
    ConfigError
        If they cannot be written there.
    """
    board = _board(tensorboard, start) if tensorboard else None
    kept = [row for row in _rows(path) if int(row[0]) < start] if start and path.is_file() else []
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as part, part.open("w", newline="", encoding="utf-8") as new:
        csv.writer(new, lineterminator="\n").writerows([COLUMNS, *kept])
    with path.open("a", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle, lineterminator="\n")

        def write(step: int, values: Mapping[str, float]) -> None:
            rows.writerow([step, *(format(values[k], f) if k in values else "" for k, f in _FORMATS.items())])
            handle.flush()
            if board is not None:
                for key, value in values.items():
                    board.add_scalar(key, value, step)
                board.flush()  # else a kill would take with it what the checkpoint counts as done

        try:
            yield write
        finally:
            if board is not None:
                board.close()


def read_log(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Return (step, value) of each column but the first, steps without a value left out."""
    rows = list(_rows(path))
    return {key: [(int(row[0]), float(row[at])) for row in rows if row[at]] for at, key in enumerate(COLUMNS) if at > 0}


def _rows(path: Path) -> Iterator[list[str]]:
    """Yield the complete rows of a log; a kill may have cut the last one short."""
    with path.open(newline="", encoding="utf-8") as handle:
        yield from (row for row in csv.reader(handle) if len(row) == len(COLUMNS) and row[0].isdecimal())


def _board(folder: Path, start: int) -> Any:
    try:
        module = importlib.import_module("torch.utils.tensorboard")
    except ModuleNotFoundError as cause:
        raise MissingDependencyError(
            f"TensorBoard's files are asked for, but {cause.name} is not installed",
            where=folder,
            mend="pip install 'sodlift[tensorboard]', or train without them: the CSV log holds the same numbers",
        ) from cause
    try:
        return module.SummaryWriter(log_dir=str(folder), purge_step=start)  # readers forget later steps of killed runs
    except OSError as cause:
        raise ConfigError(
            f"TensorBoard's files cannot be written: {cause.strerror}",
            where=folder,
            mend="name a folder that you may write to",
        ) from cause
