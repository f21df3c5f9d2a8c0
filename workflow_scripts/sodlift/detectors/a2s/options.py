"""The options of A2S's second stage: a saliency detector that rectifies the pseudo labels it learns from."""

from dataclasses import dataclass, replace
from typing import Literal

from sodlift.detectors._model import DeepOptions
from sodlift.training.recipe import Recipe
from sodlift.training.require import require

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
class A2sOptions(DeepOptions):
    """Options of A2S's second stage beside those of every deep detector; defaults are the preset ``default``.

    Attributes
    ----------
    backbone : str
        Name of a registered backbone with at least four taps.
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
    recipe : Recipe
        How it is trained (see ``sodlift.training.recipe``); crops are not allowed where labels are rectified.
    """

    size: int = 224
    modulation: bool = True
    rectify: Literal["olr", "hma", "none"] = "olr"
    keep: float = 0.4
    rectify_from: float = 0.08
    recipe: Recipe = DEFAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.size >= SMALLEST, "size", self.size, f"at least {SMALLEST}")
        for name in ("keep", "rectify_from"):
            require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "a number from 0 to 1")
        whole = self.rectify == "none" or self.recipe.crop == 1
        require(whole, "recipe.crop", self.recipe.crop, "1, unless `rectify` is none")

    @classmethod
    def presets(cls) -> "dict[str, A2sOptions]":
        """Return ``default``, and ``paper``: ResNet-50 of MoCo v2 at 320x320 as published."""
        paper = cls(backbone="resnet50", weights="moco_v2_800ep", size=320, backbone_norm="batch", recipe=AS_PUBLISHED)
        return {"default": cls(), "paper": paper}
