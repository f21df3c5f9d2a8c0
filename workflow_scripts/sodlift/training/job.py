"""What a training is asked to do; every trainable refiner and detector takes one."""

from dataclasses import dataclass
from pathlib import Path

from sodlift.datasets.manifest import Manifest
from sodlift.mapset import MapSet


@dataclass(frozen=True)
class TrainingJob:
    """One training: its data, its files and its machine.

    Attributes
    ----------
    manifests_and_priors : tuple of (Manifest, MapSet)
        The training sets, each with the prior maps of its images.
    output : Path
        The model file to write; it appears when training has ended well.
    checkpoint : Path
        Where progress is kept, so that a killed training goes on; removed at the end.
    log : Path
        CSV of step, loss, lr and images_per_s.
    seed : int
        Seed of everything random. The same seed gives the same weights, bit for bit, on a CPU.
    device : str
        "cpu", "cuda" or "cuda:1".
    threads : int
        Threads that a CPU training uses.
    """

    manifests_and_priors: tuple[tuple[Manifest, MapSet], ...]
    output: Path
    checkpoint: Path
    log: Path
    seed: int
    device: str = "cpu"
    threads: int = 1
