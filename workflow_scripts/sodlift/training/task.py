"""What the engine trains: a network, its groups of parameters, and what it minimises.

A loss is given as a sum and its weight, not as their quotient. So the engine can add up the parts of a batch (those of
several processes, or the halves of one that does not fit into memory) to exactly the loss of the whole batch.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sodlift.training.recipe import Recipe

_NONE = torch.empty(0, dtype=torch.int64)


class Batch(NamedTuple):
    """The images of one step, augmented, on the device.

    Attributes
    ----------
    images : (B, 3, H, W) uint8
        RGB.
    targets : (B, 1, H, W) float32 in [0, 1]
        Prior maps, or masks of exactly 0 and 1; (B, 0, H, W) for a training without targets.
    chance : (B,) float64 in [0, 1)
        One random number an image, drawn by (seed, step).
    seeds : (B,) int64
        Seeds of further random numbers, one an image, on the CPU; see ``noise``.
    samples : (B,) int64
        Which of the training's samples these are, on the CPU. Only a label memory asks for them and for ``flips``; a
        batch made by hand may leave both out.
    flips : (B,) bool
        Which of them are mirrored.
    others : (B, N, H, W) float32 in [0, 1]
        As many targets of other training samples as the task asks for, drawn by (seed, step), as they lie in the file.
    """

    images: Tensor
    targets: Tensor
    chance: Tensor
    seeds: Tensor
    samples: Tensor = _NONE
    flips: Tensor = _NONE.bool()
    others: Tensor = _NONE.float()

    def parts(self, pieces: int) -> "Iterator[Batch]":
        """Yield the batch in at most ``pieces`` parts of about equal size."""
        size = math.ceil(len(self.images) / pieces)
        for start in range(0, len(self.images), size):
            yield Batch(*(tensor[start : start + size] for tensor in self))

    def noise(self, *shape: int) -> Tensor:
        """Return uniform random numbers (B, *shape) in [0, 1), float32, drawn by (seed, step) for each image alone.

        They do not depend on how a batch is shared among processes, nor on what was drawn before.
        """
        device = self.images.device
        drawn = [
            torch.rand(shape, generator=torch.Generator(device).manual_seed(seed), device=device)
            for seed in self.seeds.tolist()
        ]
        return torch.stack(drawn)


class Loss(NamedTuple):
    """The loss of a batch: ``total / weight``.

    Attributes
    ----------
    total : scalar Tensor
        Sum of the weighted terms; its gradient is taken.
    weight : scalar Tensor
        Sum of the weights, such as the number of labelled pixels; no gradient.
    positives : scalar Tensor
        Number of pixels whose label is 1 (any number above 0 for a task without labels): a training that sees none is
        warned about.
    logits : (B, ...) Tensor
        What the network answered: a training whose answers are all equal is warned about.
    """

    total: Tensor
    weight: Tensor
    positives: Tensor
    logits: Tensor


class Group(NamedTuple):
    """Parameters that share a learning rate, and the group's name in logs."""

    name: str
    parameters: list[nn.Parameter]
    lr: float


LossFunction = Callable[[nn.Module, Batch], Loss]

Remember = Callable[[Batch, Tensor, float], Tensor | None]
"""``remember(batch, logits, done)`` gives the labels (B, 1, H, W) in [0, 1] that a batch's samples have from now on,
None where they keep theirs, ``batch.targets``. ``logits`` are its loss's, float32, made before the step was taken;
``done`` is the share of the training's steps before this one, in [0, 1).
"""


@dataclass(frozen=True)
class Task:
    """One network to train.

    Attributes
    ----------
    network : nn.Module
        On the CPU. Its ``train()`` decides what stays in evaluation mode.
    groups : tuple of Group
        What is trained; the last group's learning rate is the one in the log.
    loss : callable
        ``loss(network, batch) -> Loss``. It calls the module it is given (``network(...)``), which may be a wrapper
        around ``Task.network``, and no method or attribute of it.
    recipe : Recipe
        How it is trained.
    score : callable or None
        What is validated, less being better; None validates ``loss``. The network is in evaluation mode then.
    remember : callable or None
        Changes the labels of a step's samples after it: the targets are kept in a ``LabelMemory``, and later epochs see
        what they have become. Held-out images keep their targets. Needs images of one size and no crops.
    others : int
        How many other samples' targets ``Batch.others`` holds for each image. Needs images of one size.
    """

    network: nn.Module
    groups: tuple[Group, ...]
    loss: LossFunction
    recipe: Recipe
    score: LossFunction | None = None
    remember: Remember | None = None
    others: int = 0


def groups_of(network: nn.Module, recipe: Recipe) -> tuple[Group, ...]:
    """Return the parameters below ``network.backbone`` (unless all are frozen) and the head's, with their rates."""
    named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    backbone = Group("backbone", [p for n, p in named if n.startswith("backbone.")], recipe.backbone_lr)
    head = Group("head", [p for n, p in named if not n.startswith("backbone.")], recipe.head_lr)
    return (backbone, head) if backbone.parameters else (head,)
