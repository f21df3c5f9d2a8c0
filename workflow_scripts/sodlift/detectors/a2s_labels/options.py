"""The options of A2S's first stage: activations made into pseudo labels, without any label."""

from dataclasses import dataclass, replace
from typing import Literal

from sodlift.detectors._model import DeepOptions
from sodlift.training.recipe import Recipe
from sodlift.training.require import require

NETWORK_OPTIONS = ("boundary",)
"""The options that a model file must share with those that it is loaded for."""

SMALLEST = 64
"""Least side of the network's images: two pixels of the deepest tap."""

AS_PUBLISHED = Recipe(
    optimiser="nesterov",
    head_lr=1.0,
    backbone_lr=0.1,
    weight_decay=5e-4,
    schedule="step",
    milestones=(0.5, 0.8),
    steps=7500,
    batch=8,
    hflip=True,
)
"""20 epochs of MSRA-B's 3000 images, a tenth of the rate from epochs 10 and 16 on."""

DEFAULT = replace(AS_PUBLISHED, steps=750)
"""Six epochs of 1000 images, for a small backbone on two CPU cores."""


@dataclass(frozen=True)
class A2sLabelsOptions(DeepOptions):
    """Options of A2S's first stage beside those of every deep detector; defaults are the preset ``default``.

    Attributes
    ----------
    backbone : str
        Name of a registered backbone with at least four taps.
    size : int
        Side of the square training images.
    boundary : str
        What parts object from ground (Fig. 9): ``db1`` to ``db5``; see ``boundary.py``. ``db5`` is the paper's own.
    alpha : float
        Weight of |sigma - 1/2| beside (sigma - 1/2)^2 in the loss (Table V).
    drop : float
        Share of the pixels that take no part in a step's loss, drawn anew for each map; 0 is variant A2 (Table IV).
    auxiliary : bool
        Supervise the maps of the three taps beside the fused one; without it variant A1 (Table IV).
    backbone_training : str
        ``frozen`` leaves the encoder's weights alone; ``tuned`` is variant A0 (Table IV).
    backbone_norm : str
        The encoder's batch normalisation in training: by ``batch`` statistics, also of a frozen encoder, whose running
        averages drift to the training images then, as in the authors' code; or ``frozen``. Weights with a folded
        normalisation allow ``frozen`` only.
    labels : str
        What the maps are: ``crf`` gives pseudo labels of 0 and 1 (threshold, DenseCRF, median filter; Eq. 6), ``soft``
        the min-max normalised activation.
    label_size : int or None
        Side that images are resized to for the network when labels are made; None is their own size, as published.
    """

    size: int = 224
    boundary: Literal["db1", "db2", "db3", "db4", "db5"] = "db5"
    alpha: float = 0.1
    drop: float = 0.5
    auxiliary: bool = True
    backbone_training: Literal["tuned", "frozen"] = "frozen"
    recipe: Recipe = DEFAULT
    labels: Literal["crf", "soft"] = "crf"
    label_size: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.size >= SMALLEST, "size", self.size, f"at least {SMALLEST}")
        size = self.label_size
        require(size is None or size >= SMALLEST, "label_size", size, f"null, or at least {SMALLEST}")
        require(self.alpha >= 0, "alpha", self.alpha, "not negative")
        require(0 <= self.drop < 1, "drop", self.drop, "from 0 to below 1")

    @classmethod
    def presets(cls) -> "dict[str, A2sLabelsOptions]":
        """Return ``default``, and ``paper``: ResNet-50 of MoCo v2 at 320x320 as published."""
        paper = cls(backbone="resnet50", weights="moco_v2_800ep", size=320, backbone_norm="batch", recipe=AS_PUBLISHED)
        return {"default": cls(), "paper": paper}
