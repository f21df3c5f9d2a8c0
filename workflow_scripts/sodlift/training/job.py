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
    sources : tuple of (Manifest, MapSet or None)
        The training sets, each with the maps that are learnt from; None where the targets are the data set's masks, or
        where there are no targets.
    output : Path
        The model file to write; it appears when training has ended well.
    checkpoint : Path
        Where progress is kept, so that a killed training goes on; removed at the end, as are the log so far and the
        decoded images beside it.
    log : Path
        CSV of every step, written at the end. The training's JSON report and the figure of its losses have its name,
        with another suffix.
    seed : int
        Seed of everything random. The same seed gives the same weights, bit for bit, on a CPU.
    device : str
        "cpu", "cuda", "cuda:1", or "auto". Under torchrun "cuda" is each process's own GPU.
    threads : int
        Threads that a CPU training uses.
    tensorboard : Path or None
        Folder to write TensorBoard's files to; None writes none.
    pool : Path or None
        The pool of a refiner that compares images with others; None for those that do not.
    aligned : tuple of Path
        The alignment of each of the training sets with the pool.
    """

    sources: tuple[tuple[Manifest, MapSet | None], ...]
    output: Path
    checkpoint: Path
    log: Path
    seed: int
    device: str = "cpu"
    threads: int = 1
    tensorboard: Path | None = None
    pool: Path | None = None
    aligned: tuple[Path, ...] = ()

    @property
    def report(self) -> Path:
        """The JSON file of speed, memory, versions and results."""
        return self.log.with_suffix(".json")

    @property
    def curves(self) -> Path:
        """The figure of the losses, a PNG."""
        return self.log.with_suffix(".png")

    @property
    def running_log(self) -> Path:
        """The log so far. A workflow deletes the outputs of a killed job, so it is none of them."""
        return self.checkpoint.with_name(f"{self.checkpoint.name}.csv")

    @property
    def cache(self) -> Path:
        """The folder of decoded images."""
        return self.checkpoint.with_name(f"{self.checkpoint.name}.cache")
