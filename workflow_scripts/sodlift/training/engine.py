"""The training loop of every network here: plain torch, resumed exactly where it was killed.

All that a step depends on is the module, the optimiser, the step's number and the random generators. A checkpoint
holds these four, so that a training that is killed and started again ends with the same weights as an undisturbed one:
bit for bit on a CPU.
"""

import csv
import pickle
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from sodlift.atomic import atomic_file
from sodlift.errors import SodliftError
from sodlift.progress import track
from sodlift.seeds import seed_everything
from sodlift.training.device import find_device

Precision = Literal["auto", "float32", "bfloat16"]
"""Arithmetic of the forward pass; ``auto`` is bfloat16 (autocast) on a GPU and float32 on a CPU."""

LOG_COLUMNS = ("step", "loss", "lr", "images_per_s")


class TrainingError(SodliftError):
    """Training cannot go on: its loss is not a number, or its checkpoint is damaged."""


class Group(NamedTuple):
    """Parameters that share a learning rate."""

    parameters: list[nn.Parameter]
    lr: float


@dataclass(frozen=True)
class Sgd:
    """Stochastic gradient descent with the "poly" schedule, lr (1 - step / steps) ** power, renewed every step."""

    steps: int
    momentum: float = 0.9
    weight_decay: float = 5e-3
    power: float = 0.9

    def factor(self, step: int) -> float:
        """Return what learning rates are multiplied by at ``step``, counted from 0."""
        return float((1 - step / self.steps) ** self.power)


@dataclass(frozen=True)
class Run:
    """Where and how a training runs.

    Attributes
    ----------
    identity : str
        Everything that decides the result, in words or as a hash. A checkpoint of another identity is not resumed.
    checkpoint, log : Path
        Files of the progress and of the CSV log.
    checkpoint_seconds : float
        Time between checkpoints.
    """

    identity: str
    seed: int
    checkpoint: Path
    log: Path
    device: str = "cpu"
    threads: int = 1
    precision: Precision = "auto"
    checkpoint_seconds: float = 120.0


class HasImages(Protocol):
    """A batch: a tuple of tensors whose ``images`` count for the speed shown."""

    @property
    def images(self) -> Tensor: ...  # noqa: D102


B = TypeVar("B", bound=HasImages)


def fit(
    module: nn.Module,
    groups: Sequence[Group],
    batches: Callable[[int], B],
    loss: Callable[[nn.Module, B], Tensor],
    sgd: Sgd,
    run: Run,
) -> None:
    """Train ``module`` in place.

    Parameters
    ----------
    module : nn.Module
        The network, on any device; it ends on ``run.device`` in evaluation mode.
    groups : sequence of Group
        The parameters to train, with their learning rates.
    batches : callable
        Gives the batch of a step, a named tuple of CPU tensors, as a function of the step alone.
    loss : callable
        ``loss(module, batch on the device) -> scalar``.
    sgd : Sgd
        Optimiser, schedule and number of steps.
    run : Run
        Seed, device, files.

    Raises
    ------
    TrainingError
        If the loss becomes NaN or infinite (the last checkpoint and the log stay), or the checkpoint is damaged.
    ConfigError
        If the device is not there.
    """
    device = find_device(run.device)
    if device.type == "cpu":
        torch.set_num_threads(run.threads)
    seed_everything(run.seed)
    module.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(
        [{"params": g.parameters, "lr": g.lr, "base_lr": g.lr} for g in groups],
        momentum=sgd.momentum,
        weight_decay=sgd.weight_decay,
    )
    start = _resume(module, optimiser, run)
    autocast = run.precision == "bfloat16" or (run.precision == "auto" and device.type == "cuda")
    saved = time.monotonic()
    steps = track(range(start, sgd.steps), "training", total=sgd.steps, unit="step", done=start)
    with _log(run.log, start) as write:
        for step in steps:
            begun = time.monotonic()
            factor = sgd.factor(step)
            for group in optimiser.param_groups:
                group["lr"] = group["base_lr"] * factor
            batch = _to_device(batches(step), device)
            with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
                value = loss(module, batch)
            optimiser.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            number = value.item()
            if not np.isfinite(number):
                raise TrainingError(
                    f"loss is {number} at step {step}",
                    where=run.log,
                    mend="lower the learning rate, or train in float32 (`precision: float32`)",
                )
            optimiser.step()
            speed = len(batch.images) / (time.monotonic() - begun)
            write(step, number, groups[-1].lr * factor, speed)
            steps.set_postfix_str(f"loss {number:.4f}, {speed:.1f} images/s", refresh=False)
            if time.monotonic() - saved >= run.checkpoint_seconds and step + 1 < sgd.steps:
                _save(module, optimiser, run, step + 1)
                saved = time.monotonic()
    module.eval()


def _to_device(batch: Any, device: torch.device) -> Any:
    return type(batch)(*(tensor.to(device, non_blocking=True) for tensor in batch))


@contextmanager
def _log(path: Path, start: int) -> Iterator[Callable[[int, float, float, float], None]]:
    """Yield a function that adds a row; rows from ``start`` on, which a killed run left behind, are removed first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept: list[list[str]] = []
    if start and path.is_file():
        with path.open(newline="", encoding="utf-8") as old:
            kept = [row for row in csv.reader(old) if row[0].isdecimal() and int(row[0]) < start]
    with atomic_file(path) as part, part.open("w", newline="", encoding="utf-8") as new:
        csv.writer(new, lineterminator="\n").writerows([LOG_COLUMNS, *kept])
    with path.open("a", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle, lineterminator="\n")

        def write(step: int, loss: float, lr: float, images_per_s: float) -> None:
            rows.writerow([step, f"{loss:.6f}", f"{lr:.6g}", f"{images_per_s:.2f}"])
            handle.flush()

        yield write


def _save(module: nn.Module, optimiser: torch.optim.Optimizer, run: Run, step: int) -> None:
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002 - the global generator's state
    state = {
        "identity": run.identity,
        "step": step,
        "module": module.state_dict(),
        "optimiser": optimiser.state_dict(),
        "python": random.getstate(),
        "numpy": (str(kind), torch.from_numpy(np.asarray(keys)), int(position), int(has_gauss), float(gauss)),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    with atomic_file(run.checkpoint) as part:
        torch.save(state, part)


def _resume(module: nn.Module, optimiser: torch.optim.Optimizer, run: Run) -> int:
    """Restore the checkpoint where there is one of this training; return the step to go on with."""
    if not run.checkpoint.is_file():
        return 0
    try:
        state = torch.load(run.checkpoint, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as cause:
        raise TrainingError(
            f"cannot read the checkpoint: {cause}", where=run.checkpoint, mend="delete it; training then starts anew"
        ) from cause
    if state["identity"] != run.identity:
        print(f"starting anew: {run.checkpoint} belongs to another training", file=sys.stderr)
        return 0
    module.load_state_dict(state["module"])
    optimiser.load_state_dict(state["optimiser"])
    random.setstate(state["python"])
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, keys.numpy(), *rest))  # noqa: NPY002 - see _save
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    print(f"going on at step {state['step']}, from {run.checkpoint}", file=sys.stderr)
    return int(state["step"])
