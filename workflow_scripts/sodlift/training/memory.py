"""Labels that a training changes as it goes: those of all its samples, in a file that is mapped into memory."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sodlift.errors import DataError
from sodlift.training.data import Samples
from sodlift.training.task import Batch
from sodlift.training.team import Team

_FILE = "labels.bin"


def mirrored(planes: Tensor, flips: Tensor) -> Tensor:
    """Return planes (B, C, H, W) with those of ``flips`` (B,) mirrored from left to right; twice is as before."""
    return torch.where(flips[:, None, None, None], planes.flip(-1), planes)


class LabelMemory:
    """One label for each sample of a training, as its image lies in the file, never mirrored; see ``begin_memory``.

    Parameters
    ----------
    labels : (N, H, W) uint8
        All of them; they are changed in place.
    """

    def __init__(self, labels: "np.memmap[Any, np.dtype[np.uint8]]") -> None:
        self._labels = labels

    def labels(self, batch: Batch) -> Tensor:
        """Return the labels of a batch's samples, mirrored as its images are: (B, 1, H, W) float32 in [0, 1]."""
        found = torch.from_numpy(self._labels[batch.samples.numpy()])[:, None]
        return mirrored(found.to(batch.images.device), batch.flips).float() / 255

    def store(self, batch: Batch, labels: Tensor) -> None:
        """Keep labels (B, 1, H, W) in [0, 1], mirrored as the batch's images are, rounded to 8 bits."""
        upright = mirrored(labels, batch.flips)[:, 0]
        self._labels[batch.samples.numpy()] = (upright * 255).round().to(torch.uint8).cpu().numpy()

    @property
    def state(self) -> Tensor:
        """All labels, for a checkpoint: (N, H, W) uint8, the memory's own."""
        return torch.from_numpy(self._labels)


def begin_memory(folder: Path, samples: Samples, team: Team, state: Tensor | None) -> LabelMemory:
    """Return a memory of the labels in ``state``, or of the samples' own targets.

    The file in ``folder`` is written anew, so that whatever a killed training left in it does not matter: what counts
    is the checkpoint. The processes of a team share it; each changes its own samples.

    Parameters
    ----------
    folder : Path
        The folder of decoded images.
    samples : Samples
        With targets, all of one size.
    team : Team
        The processes.
    state : (N, H, W) uint8, optional
        The labels of a checkpoint.

    Raises
    ------
    DataError
        If the disk is full.
    """
    file, shape = folder / _FILE, (len(samples), *samples[0].shape[1:])
    if team.main:
        start = (samples[i][3] for i in range(len(samples))) if state is None else state.numpy()
        try:
            with file.open("wb") as out:
                for label in start:
                    out.write(label.tobytes())
        except OSError as cause:
            raise DataError(
                f"cannot keep the labels: {cause.strerror}",
                where=file,
                mend="make room beside the checkpoint, or train at a smaller size",
            ) from cause
    team.wait()
    return LabelMemory(np.memmap(file, np.uint8, "r+", shape=shape))
