"""What the options of every network on a pretrained backbone have in common. Imports no torch."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sodlift.backbones import BACKBONES
from sodlift.registry import unknown_name
from sodlift.training.recipe import Recipe


@dataclass(frozen=True)
class NetworkOptions:
    """What the training engine reads of the options of a refiner or detector, whose class adds its own.

    Attributes
    ----------
    backbone : str
        Name of a registered backbone.
    weights : str or None
        Its weights entry; None is the backbone's first.
    weights_file : Path or None
        The pretrained weights; None takes the entry's package or download. A trained model does not need it.
    backbone_training : str
        ``tuned`` trains the backbone too; ``frozen`` trains the head alone.
    backbone_norm : str
        The backbone's batch normalisation in training: by ``batch`` statistics, or ``frozen`` to the pretrained ones.
        Weights with a folded normalisation allow ``frozen`` only.
    recipe : Recipe
        How it is trained: optimiser, steps, batches and augmentation (see ``sodlift.training.recipe``).

    Raises
    ------
    ConfigError
        If a value makes no sense: the error names its key. A subclass calls this ``__post_init__`` from its own.
    """

    backbone: str = "mobilenet_v2"
    weights: str | None = None
    weights_file: Path | None = None
    backbone_training: Literal["tuned", "frozen"] = "tuned"
    backbone_norm: Literal["batch", "frozen"] = "frozen"
    recipe: Recipe = field(default_factory=Recipe)

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise unknown_name("backbone", self.backbone, BACKBONES.names(), where="backbone")

    @property
    def modules(self) -> tuple[str, ...]:
        """The module that the backbone is in."""
        return (BACKBONES.module(self.backbone),)
