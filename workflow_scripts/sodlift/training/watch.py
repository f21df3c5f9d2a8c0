"""What goes wrong in a training, told early: no positive pixel, equal answers, a loss that is no number, SIGTERM."""

import logging
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np

from sodlift.atomic import atomic_file
from sodlift.training.errors import TrainingError
from sodlift.training.task import Batch

PATIENCE = 20
"""Steps in a row after which something odd is worth a warning."""

FLAT = 1e-6
"""Span of a batch's logits up to which the network's answers count as equal."""

_LOG = logging.getLogger("sodlift.training")


@dataclass
class Watch:
    """Counts odd steps in a row, and warns once of each kind."""

    patience: int = PATIENCE
    _runs: dict[str, int] = field(default_factory=dict)

    def see(self, step: int, positives: float, spread: float) -> None:
        """Take note of a step: its number of positive pixels and the span of its logits."""
        self._count(step, positives == 0, "no positive pixel", "check the targets and the thresholds of the labels")
        self._count(step, spread <= FLAT, "equal answers for all pixels", "lower the learning rate, check the targets")

    def _count(self, step: int, odd: bool, what: str, mend: str) -> None:
        self._runs[what] = self._runs.get(what, 0) + 1 if odd else 0
        if self._runs[what] == self.patience:
            _LOG.warning("%s in %d steps in a row, up to step %d: %s", what, self.patience, step, mend)


def refuse_number(what: str, step: int, batch: Batch, names: Sequence[str], target: Path) -> TrainingError:
    """Save a batch whose ``what`` is no number, to be looked into, and return the error that stops the training."""
    with atomic_file(target) as part:
        np.savez(part, images=batch.images.cpu(), targets=batch.targets.cpu(), names=np.array(names))
    return TrainingError(
        f"{what} at step {step}; the batch is kept",
        where=target,
        mend="lower the learning rate, give `clip`, or train in float32 (`precision: float32`); look at the batch",
    )


class Terminated:
    """Whether SIGTERM has come."""

    def __init__(self) -> None:
        self.requested = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal: the training ends after the step at hand."""
        self.requested = True


@contextmanager
def terminable() -> Iterator[Terminated]:
    """Note SIGTERM during the block instead of dying; where this is no main thread, signals cannot be had."""
    terminated = Terminated()
    if threading.current_thread() is not threading.main_thread():
        yield terminated
        return
    before = signal.signal(signal.SIGTERM, terminated.note)
    try:
        yield terminated
    finally:
        signal.signal(signal.SIGTERM, before)
