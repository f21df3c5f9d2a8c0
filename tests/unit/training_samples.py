"""A small network to train for the tests, in this process or in one that is killed."""

import multiprocessing
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import mirm_samples
import numpy as np
import torch
from refining_samples import dataset
from torch import Tensor, nn
from torch.nn import functional

from sodlift.backbones._base import normalise
from sodlift.datasets.manifest import Manifest
from sodlift.mapset import MapSet
from sodlift.training import pretrained as pretrained_module
from sodlift.training.checkpoint import Checkpoint
from sodlift.training.engine import Run
from sodlift.training.job import TrainingJob
from sodlift.training.pretrained import Pretrained
from sodlift.training.recipe import Recipe
from sodlift.training.task import Batch, Group, Loss, Task, groups_of
from sodlift.training.team import Team
from sodlift.training.train import train_network
from sodlift.training.watch import Terminated

CPU = Team(torch.device("cpu"))


class Net(nn.Module):
    """Has everything whose state matters: normalisation, dropout, and noise from all three random generators."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Conv2d(4, 1, 3))

    def forward(self, x: Tensor) -> Tensor:
        noise = random.random() + np.random.rand() if self.training else 0  # noqa: NPY002 - the global generator
        return self.body(x.float() / 255 + 0.01 * noise)


def net(seed: int = 5) -> Net:
    torch.manual_seed(seed)
    return Net()


def batch_of(step: int, count: int = 2) -> Batch:
    """A batch that a step alone decides; what is sought is where images are bright."""
    generator = torch.Generator().manual_seed(step)
    images = torch.randint(0, 256, (count, 3, 8, 8), generator=generator, dtype=torch.uint8)
    targets = (images.float().mean(1, keepdim=True) > 128).float()[..., 2:-2, 2:-2]
    return Batch(images, targets, torch.rand(count, generator=generator).double(), torch.arange(count))


@dataclass
class Fed:
    """Stands in for the feed."""

    recipe: Recipe
    count: int = 2

    def steps(self, start: int) -> Iterator[Batch]:
        yield from (batch_of(step, self.count) for step in range(start, self.recipe.steps))

    def held_out(self) -> Iterator[Batch]:
        yield from (batch_of(1000 + number, self.count) for number in range(2))

    def names(self, step: int) -> list[str]:
        return [f"set/{step}-{number}" for number in range(self.count)]


def cross_entropy(logits: Tensor, targets: Tensor) -> Loss:
    total = functional.binary_cross_entropy_with_logits(logits.float(), targets, reduction="sum")
    return Loss(total, torch.tensor(targets.numel()), targets.sum(), logits)


def brightness(module: nn.Module, batch: Batch) -> Loss:
    return cross_entropy(module(batch.images), batch.targets)


@dataclass
class Rows:
    """Keeps what is logged."""

    rows: list[tuple[int, dict[str, float]]] = field(default_factory=list)

    def __call__(self, step: int, values: dict[str, float]) -> None:
        self.rows.append((step, dict(values)))

    def column(self, key: str) -> list[float]:
        return [values[key] for _, values in self.rows if key in values]


def run(folder: Path, **changes: Any) -> Run:
    plain = {"seed": 3, "checkpoint": Checkpoint(folder / "c.pt", "test"), "team": CPU}
    return Run(**{**plain, "write": Rows(), "terminated": Terminated(), **changes})


def task(module: nn.Module, recipe: Recipe, loss: Any = brightness, **changes: Any) -> Task:
    return Task(module, (Group("all", list(module.parameters()), recipe.head_lr),), loss, recipe, **changes)


def same(first: nn.Module | dict[str, Tensor], second: nn.Module | dict[str, Tensor]) -> bool:
    one, other = (m.state_dict() if isinstance(m, nn.Module) else m for m in (first, second))
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


# What follows trains through the whole engine, from files to a model file.


@dataclass(frozen=True)
class Options:
    """The options of ``Small``."""

    weights_file: Path
    recipe: Recipe
    backbone: str = mirm_samples.NAME
    weights: str | None = None
    backbone_training: str = "tuned"
    backbone_norm: str = "frozen"
    modules: tuple[str, ...] = ("sodlift.backbones.mobilenet_v2",)


class Small(nn.Module):
    """The tiny backbone with frozen normalisation, dropout and one convolution: logits at the size of the images."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.drop = nn.Dropout(0.2)
        self.head = nn.Conv2d(mirm_samples.CHANNELS[1], 1, 1)

    def train(self, mode: bool = True) -> "Small":
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        logits = self.head(self.drop(self.backbone(x)[1]))
        return functional.interpolate(logits, x.shape[-2:], mode="bilinear")


def small_task(source: Pretrained, recipe: Recipe, dropout: float = 0.2) -> Task:
    """Learns the certain pixels of the priors, of which each image has another number."""
    network = Small(source.module)
    network.drop.p = dropout

    def loss(module: nn.Module, batch: Batch) -> Loss:
        logits = module(normalise(batch.images, source.entry))
        known = ((batch.targets >= 0.8) | (batch.targets <= 0.3)).float()
        positive = (batch.targets >= 0.8).float()
        losses = functional.binary_cross_entropy_with_logits(logits.float(), positive, reduction="none")
        return Loss((losses * known).sum(), known.sum(), positive.sum(), logits)

    return Task(network, groups_of(network, recipe), loss, recipe)


def prepared(folder: Path, count: int = 6, make: Any = mirm_samples.scene) -> Path:
    """Write a data set with priors and a weights file; return the folder."""
    manifest, _ = dataset(folder / "data", count, make)
    manifest.save(folder / "data" / "manifest.csv")
    mirm_samples.save_weights(folder / "tiny.pth")
    return folder


def job(folder: Path, name: str = "m", **changes: Any) -> TrainingJob:
    data = (Manifest.load(folder / "data" / "manifest.csv"), MapSet(folder / "data" / "priors"))
    files = {"output": folder / f"{name}.pt", "checkpoint": folder / f"{name}.ckpt", "log": folder / f"{name}.csv"}
    return TrainingJob(**{"sources": (data,), "seed": 1, **files, **changes})


def train(
    folder: Path, recipe: Recipe, name: str = "m", *, stages: int = 1, dropout: float = 0.2, **changes: Any
) -> dict[str, Any]:
    """Train ``Small`` on what ``prepared`` wrote, in as many stages, and return the content of the model file."""

    def tasks(source: Pretrained) -> Sequence[Task]:
        return [small_task(source, recipe, dropout) for _ in range(stages)]

    before, pretrained_module.BACKBONES = pretrained_module.BACKBONES, mirm_samples.TinyRegistry
    try:
        asked = job(folder, name, **changes)
        train_network("small", Options(folder / "tiny.pth", recipe), asked, tasks, size=64, targets="priors")
    finally:
        pretrained_module.BACKBONES = before
    return torch.load(asked.output, weights_only=True) if asked.output.is_file() else {}


def start(folder: Path, recipe: dict[str, Any], environment: dict[str, str] | None = None, **settings: Any) -> Any:
    """Train in a process of its own, which may be killed; its standard error goes to ``folder / "errors_<rank>"``."""
    return apart(_train_alone, folder, recipe, environment or {}, settings)


def apart(work: Callable[..., None], *arguments: Any) -> Any:
    """Start a process of its own for a function, from one that has imported what is slow and has done nothing else."""
    context = multiprocessing.get_context("forkserver")
    # torch imports its compiler with the first optimiser
    context.set_forkserver_preload(["sodlift.cli._train", "sodlift.refiners.mirm.train", "torch._dynamo"])
    process = context.Process(target=work, args=arguments)
    process.start()
    return process


def _train_alone(folder: Path, recipe: dict[str, Any], environment: dict[str, str], settings: dict[str, Any]) -> None:
    os.environ.update(environment)
    torch.set_num_threads(1)
    sys.stderr = (folder / f"errors_{environment.get('RANK', 0)}").open("w", buffering=1)  # open to the very end
    train(folder, replace(Recipe(), **recipe), **settings)
