"""The progress of a training on disk: all that the steps to come depend on."""

import pickle
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sodlift.atomic import atomic_file, sweep
from sodlift.training.errors import TrainingError


@dataclass(frozen=True)
class Checkpoint:
    """The file of one training's progress.

    Attributes
    ----------
    path : Path
        The file.
    identity : str
        Everything that decides the result, as a hash. A file of another identity is not gone on from.
    """

    path: Path
    identity: str

    def save(self, state: dict[str, Any]) -> None:
        """Write ``state``: tensors and plain values. A file that is there stays until the new one is complete."""
        with atomic_file(self.path) as part:
            torch.save({"identity": self.identity, **state}, part)

    def load(self) -> dict[str, Any] | None:
        """Return what was saved, None where nothing was; raises TrainingError for a damaged file."""
        if not self.path.is_file():
            return None
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            found = state["identity"]
        except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as cause:
            raise TrainingError(
                f"cannot read the checkpoint: {cause}", where=self.path, mend="delete it; training then starts anew"
            ) from cause
        if found != self.identity:
            print(f"starting anew: {self.path} belongs to another training", file=sys.stderr)
            return None
        return dict(state)

    def remove(self) -> None:
        """Delete the file, and what a process that was killed while writing it left."""
        self.path.unlink(missing_ok=True)
        sweep(self.path)


def random_state() -> dict[str, Any]:
    """Return the state of Python's, NumPy's and torch's generators, as plain values, which processes can exchange."""
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002 - the global generator's state
    return {
        "python": random.getstate(),
        "numpy": (str(kind), np.asarray(keys).tolist(), int(position), int(has_gauss), float(gauss)),
        "torch": torch.get_rng_state().tolist(),
        "cuda": torch.cuda.get_rng_state().tolist() if torch.cuda.is_available() else None,
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Set the generators to what ``random_state`` returned."""
    random.setstate(state["python"])
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, np.array(keys, np.uint32), *rest))  # noqa: NPY002 - see random_state
    torch.set_rng_state(torch.tensor(state["torch"], dtype=torch.uint8))
    if state["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(torch.tensor(state["cuda"], dtype=torch.uint8))
