"""The options of MIRM: thresholds, data, optimiser, and what to do with images that it cannot refine."""

from dataclasses import dataclass, replace
from typing import Literal

from sodlift.training.options import NetworkOptions
from sodlift.training.recipe import Recipe
from sodlift.training.require import require

NETWORK_OPTIONS = ("discriminator", "pair_order")
"""The options that a model file must share with those that it is loaded for."""

USABLE_MAX, USABLE_MIN = 0.9, 0.3
"""The authors' code leaves out images whose stored prior has a smaller maximum or a larger minimum (Sec. 5.3)."""

RECIPE = Recipe(head_lr=5e-3, backbone_lr=5e-4, momentum=0.9, weight_decay=5e-3, power=0.9, steps=20_000, hflip=True)
"""SGD with the "poly" schedule as published (Sec. 5.3), but eight images a step, half of them mirrored."""


@dataclass(frozen=True)
class MirmOptions(NetworkOptions):
    """Options of MIRM beside those of every network; defaults are the preset ``default``.

    Attributes
    ----------
    theta_fg : float
        A prior of at least this marks the certain foreground, over which F_fg is averaged (Eq. 7).
    theta_afg, theta_abg : float
        Training labels: foreground from theta_afg on, background up to theta_abg, nothing between.
    mode : str
        What becomes of an image whose prior has no certain foreground: ``keep`` returns its prior; ``drop`` leaves out
        every image that the authors' code leaves out (maximum below 0.9 or minimum above 0.3); ``adaptive`` takes
        0.9 max(prior) as theta_fg where the maximum is at least 0.5, else keeps the prior.
    size : int or None
        Side that images are resized to for the network when refining; None is their own size.
    train_size : int or None
        Side of the training images; None is their own size, and needs a batch of 1.
    recipe : Recipe
        How it is trained (see ``sodlift.training.recipe``). With a batch of 1 batch normalisation cancels F_fg from the
        training (constant over the image, it is subtracted with the mean); the foreground is learnt from batches of 2
        on.
    backbone_norm : str
        ``batch`` as published, or ``frozen``.
    invert : float
        Probability that a training image takes part with 1 - prior: F_fg then describes certain background, and the
        labels change sides. The network's own notion of saliency no longer helps, so that it must compare.
    loss_weighting : str
        ``none`` as published, or ``balanced``: foreground and background labels of a batch weigh the same.
    discriminator : int
        Its layers: 2 as in the authors' code, or 5 as in the text (Sec. 5.3).
    pair_order : str
        ``fixed``: the discriminator sees the pair [f, F_fg]. ``random``: in training each image's pair is turned round
        with probability 1/2 at every step, as in the authors' last code; refining takes the mean of both orders' maps,
        of which that code draws one.
    """

    theta_fg: float = 0.9
    theta_afg: float = 0.8
    theta_abg: float = 0.3
    mode: Literal["keep", "drop", "adaptive"] = "keep"
    size: int | None = None
    train_size: int | None = 256
    recipe: Recipe = RECIPE
    invert: float = 0.0
    loss_weighting: Literal["none", "balanced"] = "none"
    discriminator: Literal[2, 5] = 2
    pair_order: Literal["fixed", "random"] = "fixed"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("theta_fg", "theta_afg", "theta_abg", "invert"):
            require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "a number from 0 to 1")
        require(self.theta_abg < self.theta_afg, "theta_abg", self.theta_abg, f"below theta_afg, {self.theta_afg}")
        for name in ("size", "train_size"):
            value = getattr(self, name)
            require(value is None or value >= 64, name, value, "null, or at least 64")
        batch = self.recipe.batch
        require(self.train_size is not None or batch == 1, "recipe.batch", batch, "1 where train_size is null")

    @classmethod
    def presets(cls) -> "dict[str, MirmOptions]":
        """Return ``default``, and ``paper``: the published recipe to the letter, in which F_fg is not trained."""
        literal = replace(RECIPE, batch=1, hflip=False)
        paper = cls(train_size=None, recipe=literal, backbone_norm="batch")
        return {"default": cls(), "paper": paper}
