"""The options of A2S's second stage: a saliency detector that rectifies the pseudo labels it learns from."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sodlift.backbones import BACKBONES
from sodlift.errors import ConfigError
from sodlift.registry import unknown_name
from sodlift.training.recipe import Recipe

NETWORK_OPTIONS = ("modulation", "size")
"""The options that a model file must share with those that it is loaded for."""

SMALLEST = 64
"""Least side of the network's images: two pixels of the deepest tap."""

AS_PUBLISHED = Recipe(
    optimiser="nesterov",
    head_lr=5e-3,
    backbone_lr=5e-4,
    weight_decay=5e-4,
    schedule="step",
    milestones=(0.6, 0.8),
    steps=9375,
    batch=8,
    hflip=True,
)
"""25 epochs of MSRA-B's 3000 images, a tenth of the rate from epochs 15 and 20 on."""

DEFAULT = replace(AS_PUBLISHED, steps=1250)
"""Ten epochs of 1000 images, for a small backbone on two CPU cores."""


@dataclass(frozen=True)
class A2sOptions:
    """Options of A2S's second stage; defaults are the preset ``default``.

    Attributes
    ----------
    backbone : str
        Name of a registered backbone with at least four taps.
    weights : str or None
        Its weights entry; None is the backbone's first.
    weights_file : Path or None
        The pretrained weights; None takes the entry's package or download. Used in training only.
    size : int
        Side of the network's square images, in training and when detecting.
    modulation : bool
        Modulate features by their difference from the guide's; without it the dagger variant of Table VII, in which
        they are joined as they are.
    rectify : str
        What becomes of a sample's label after each step: ``olr`` mixes the prediction into it (online label
        rectifying), ``hma`` the prediction cleaned by DenseCRF (the historical moving average of Table VIII); ``none``
        keeps it.
    keep : float
        Share of the old label in that mixture, lambda (Table VI); 1 never changes a label. HMA has 0.7.
    rectify_from : float
        Share of the steps before which no label changes: 2 of 25 epochs as published.
    backbone_training : str
        ``tuned`` trains the encoder too; ``frozen`` trains the decoder alone.
    backbone_norm : str
        The encoder's batch normalisation in training: by ``batch`` statistics, or ``frozen``. Weights with a folded
        normalisation allow ``frozen`` only.
    recipe : Recipe
        How it is trained (see ``sodlift.training.recipe``); crops are not allowed where labels are rectified.
    model : Path or None
        A trained model file; None where the run trains one.
    """

    backbone: str = "mobilenet_v2"
    weights: str | None = None
    weights_file: Path | None = None
    size: int = 224
    modulation: bool = True
    rectify: Literal["olr", "hma", "none"] = "olr"
    keep: float = 0.4
    rectify_from: float = 0.08
    backbone_training: Literal["tuned", "frozen"] = "tuned"
    backbone_norm: Literal["batch", "frozen"] = "frozen"
    recipe: Recipe = DEFAULT
    model: Path | None = None

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise unknown_name("backbone", self.backbone, BACKBONES.names(), where="backbone")
        _require(self.size >= SMALLEST, "size", self.size, f"at least {SMALLEST}")
        for name in ("keep", "rectify_from"):
            _require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "a number from 0 to 1")
        whole = self.rectify == "none" or self.recipe.crop == 1
        _require(whole, "recipe.crop", self.recipe.crop, "1, unless `rectify` is none")

    @property
    def modules(self) -> tuple[str, ...]:
        """The module that the backbone is in."""
        return (BACKBONES.module(self.backbone),)

    @property
    def trained(self) -> bool:
        """That a detector with these options has to be trained."""
        return True

    def with_model(self, file: Path) -> "A2sOptions":
        """Return the options with another file of the trained model."""
        return replace(self, model=file)

    @classmethod
    def presets(cls) -> "dict[str, A2sOptions]":
        """Return ``default``, and ``paper``: ResNet-50 of MoCo v2 at 320x320 as published."""
        paper = cls(backbone="resnet50", weights="moco_v2_800ep", size=320, backbone_norm="batch", recipe=AS_PUBLISHED)
        return {"default": cls(), "paper": paper}


def _require(holds: bool, key: str, value: object, expected: str) -> None:
    if not holds:
        raise ConfigError(f"{value!r} is not allowed", where=key, expected=expected)
