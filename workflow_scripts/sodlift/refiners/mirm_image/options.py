"""The options of MIRM per image: what its labels are, and how it is fitted."""

from dataclasses import dataclass, replace
from typing import Literal

from sodlift.training.options import NetworkOptions
from sodlift.training.recipe import Recipe
from sodlift.training.require import require

RECIPE = Recipe(
    head_lr=0.2,
    backbone_lr=0.02,
    momentum=0.9,
    weight_decay=5e-3,
    schedule="constant",
    steps=10,
    batch=1,
    precision="float32",
)
"""Ten steps at 0.2 (Sec. 5.4); a tenth of it for the backbone and the other numbers as in MIRM's training."""

SETTLED = ("batch", "precision", "clip", "hflip", "crop", "validation", "keep")
"""What of a recipe a fit to one whole image leaves no choice of."""


@dataclass(frozen=True)
class MirmImageOptions(NetworkOptions):
    """Options of MIRM per image beside those of every network; defaults are the preset ``default``.

    There is no theta_fg: in a batch of one image, batch normalisation takes F_fg out again.

    Attributes
    ----------
    theta_afg, theta_abg : float
        Labels: foreground where the prior is at least theta_afg, background up to theta_abg, nothing between.
    size : int or None
        Side that images are resized to for the network; None is their own size.
    seed : int
        Seed of the head's start, which is the same for every image.
    recipe : Recipe
        How it is fitted: steps, learning rates, schedule, optimiser (see ``sodlift.training.recipe``).
    backbone_training : str
        ``tuned`` fits the backbone too, ``frozen`` the head alone, over features that are computed once an image.
    backbone_norm : str
        The backbone's batch normalisation: by the statistics of the image (``batch``), or ``frozen`` to the pretrained
        ones. Weights with a folded normalisation allow ``frozen`` only.
    loss_weighting : str
        ``none`` as published, or ``balanced``: foreground and background labels weigh the same.
    """

    theta_afg: float = 0.8
    theta_abg: float = 0.3
    size: int | None = None
    seed: int = 219
    recipe: Recipe = RECIPE
    backbone_norm: Literal["batch", "frozen"] = "batch"
    loss_weighting: Literal["none", "balanced"] = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("theta_afg", "theta_abg"):
            require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "a number from 0 to 1")
        require(self.theta_abg < self.theta_afg, "theta_abg", self.theta_abg, f"below theta_afg, {self.theta_afg}")
        require(self.size is None or self.size >= 64, "size", self.size, "null, or at least 64")
        require(self.seed >= 0, "seed", self.seed, "not negative")
        for name in SETTLED:
            value, settled = getattr(self.recipe, name), getattr(RECIPE, name)
            require(value == settled, f"recipe.{name}", value, f"{settled}: one whole image is fitted")

    @classmethod
    def presets(cls) -> "dict[str, MirmImageOptions]":
        """Return ``default``, the published mode, and ``frozen``, which leaves the backbone alone."""
        return {"default": cls(), "frozen": replace(cls(), backbone_training="frozen")}
