"""The recipe of a training: optimiser, schedule, batches, augmentation, validation. It imports no torch."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sodlift.training.require import require


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; refiners hold one among their options, and their presets fill it.

    Attributes
    ----------
    optimiser : str
        ``sgd`` or ``nesterov`` (with ``momentum``), or ``adam`` (with ``betas``); ``weight_decay`` is added to the
        gradient in all.
    head_lr, backbone_lr : float
        Learning rates of the new layers and of the pretrained backbone.
    momentum, betas, weight_decay
        Numbers of the optimisers.
    schedule : str
        What learning rates are multiplied by at a step: ``constant`` 1; ``poly`` (1 - step / steps) ** power;
        ``step`` gamma for every milestone passed. Milestones are shares of the steps, such as (0.5, 0.75).
    power, milestones, gamma
        Numbers of the schedules.
    steps, batch : int
        Steps of the optimiser and images a step, over all processes.
    clip : float or None
        Largest norm of the whole gradient; a longer one is scaled down to it. None leaves gradients alone.
    precision : str
        Arithmetic of the forward pass: ``float32``, ``bfloat16`` (autocast; its range is float32's, so that no loss
        scaling is needed), or ``auto``: bfloat16 on a GPU and float32 on a CPU.
    hflip : bool
        Flip half of the images.
    crop : float
        Side of a random crop, as a share of the image's, that is resized back; 1 is none.
    validation : float
        Share of the training images that is held out, by a hash of the stem; 0 is none.
    validate_every : int
        Steps between validations; the last step has one in any case.
    keep : str
        Which weights the model file gets: the ``last``, or the ``best`` on the held-out images.
    checkpoint_seconds : float
        Time between checkpoints. It changes no weight.

    Raises
    ------
    ConfigError
        If a value makes no sense: the error names its key.
    """

    optimiser: Literal["sgd", "nesterov", "adam"] = "sgd"
    head_lr: float = 5e-3
    backbone_lr: float = 5e-4
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    schedule: Literal["poly", "step", "constant"] = "poly"
    power: float = 0.9
    milestones: tuple[float, ...] = (0.5, 0.75)
    gamma: float = 0.1
    steps: int = 20_000
    batch: int = 8
    clip: float | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    hflip: bool = False
    crop: float = 1.0
    validation: float = 0.0
    validate_every: int = 1000
    keep: Literal["last", "best"] = "last"
    checkpoint_seconds: float = 120.0

    def __post_init__(self) -> None:
        for key in ("steps", "batch", "validate_every"):
            require(getattr(self, key) >= 1, key, getattr(self, key), "at least 1")
        for key in ("head_lr", "backbone_lr", "weight_decay", "power", "gamma", "checkpoint_seconds"):
            require(getattr(self, key) >= 0, key, getattr(self, key), "not negative")
        for key, values in (("momentum", (self.momentum,)), ("betas", self.betas)):
            require(all(0 <= value < 1 for value in values), key, getattr(self, key), "from 0 to below 1")
        rising = list(self.milestones) == sorted(set(self.milestones))
        inside = all(0 < share < 1 for share in self.milestones)
        require(rising and inside, "milestones", self.milestones, "rising shares of the steps, between 0 and 1")
        require(self.clip is None or self.clip > 0, "clip", self.clip, "null, or above 0")
        require(0 < self.crop <= 1, "crop", self.crop, "above 0 and at most 1")
        require(0 <= self.validation < 1, "validation", self.validation, "from 0 to below 1")
        require(self.keep == "last" or self.validation > 0, "keep", self.keep, "last where `validation` is 0")

    def factor(self, step: int) -> float:
        """Return what learning rates are multiplied by at ``step``, counted from 0."""
        return SCHEDULES[self.schedule](self, step)


SCHEDULES: dict[str, Callable[[Recipe, int], float]] = {
    "constant": lambda recipe, step: 1.0,
    "poly": lambda recipe, step: float((1 - step / recipe.steps) ** recipe.power),
    "step": lambda recipe, step: float(recipe.gamma ** bisect_right(recipe.milestones, step / recipe.steps)),
}
"""Factors of the learning rates by the schedule's name."""
