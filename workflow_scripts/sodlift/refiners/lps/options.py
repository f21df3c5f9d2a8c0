"""The options of LPS: its network, its training, and how often it refines."""

from dataclasses import dataclass, replace
from typing import Literal

from sodlift.training.options import NetworkOptions
from sodlift.training.recipe import Recipe
from sodlift.training.require import require

DEEPEST_STRIDE = 32
"""Sides of the network's images are multiples of it, so that every tap covers them exactly."""

GRIDS = (1, 2, 4)

NETWORK_OPTIONS = ("taps", "embedding", "width", "dimension", "grid")
"""The options that a model file must share with those that it is loaded for."""

AS_PUBLISHED = Recipe(
    optimiser="adam",
    head_lr=1e-3,
    backbone_lr=1e-4,
    schedule="constant",
    steps=300_000,
    batch=1,
    hflip=True,
    crop=0.9,
)
"""Sec. 4.3; the backbone's own rate is the authors' code's."""

DEFAULT = replace(AS_PUBLISHED, steps=127_000, batch=3, validation=0.05, validate_every=3000, keep="best")
"""The authors' code: 36 epochs of DUTS-TR, the weights with the lowest loss on images held out."""


@dataclass(frozen=True)
class LpsOptions(NetworkOptions):
    """Options of LPS beside those of every network; defaults are the preset ``default``.

    Attributes
    ----------
    taps : tuple of str or None
        The backbone's taps that are used, by name; None is all of them.
    embedding : str
        ``conv``: pixels and regions share one embedding; ``fc``: regions have one of their own (Sec. 3.2).
    width, dimension : int
        Channels of each tap on the grid, C; dimensions of the embedding, D (Sec. 4.3).
    grid : int
        Stride of the pixels that are compared: 1 as published; 2 or 4 cost about a quarter or a sixteenth beyond the
        backbone. Priors are averaged to it and logits resized back.
    subpixel_start : str
        What the filters before a pixel shuffle start as: ``copies`` of the first one, as published, with which a tap's
        channels are all alike at first; ``channels`` gives each output channel one of its own.
    size : int
        Side of the network's square images, in training and when refining.
    resample : str
        How a prior is brought to that size: ``bilinear``, or ``nearest`` as published (Pillow's default in 2018).
    iterations : int
        T of Eq. 5: how often the map takes the prior's place; 1 in the paper's tables, and 0 keeps the prior.
    flip : float
        Probability that a pixel of the mask that plays the prior changes sides in training.
    stray : float
        Largest share by which the prior is wrong in whole regions in training: the mask of another image is added to
        the background, and that of a third cut out of the foreground, each by a share drawn from 0 to this. Single
        flipped pixels leave a region's mean nearly where it was; a detector's errors are regions. 0 as published.
    pretrain_steps, pretrain_batch : int
        Steps in which the backbone learns to find salient objects under a small decoder, before LPS; images a step.
        The paper does not mention it, the authors' code does it; 0 steps leave it out.
    """

    backbone: str = "vgg16_dilated"
    taps: tuple[str, ...] | None = None
    embedding: Literal["conv", "fc"] = "conv"
    width: int = 64
    dimension: int = 512
    grid: int = 1
    subpixel_start: Literal["copies", "channels"] = "channels"
    size: int = 256
    resample: Literal["bilinear", "nearest"] = "bilinear"
    iterations: int = 1
    flip: float = 0.05
    stray: float = 0.0
    pretrain_steps: int = 25_000
    pretrain_batch: int = 15
    recipe: Recipe = DEFAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.taps is None or len(self.taps) > 0, "taps", self.taps, "null, or at least one tap")
        for name in ("width", "dimension", "pretrain_batch"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("iterations", "pretrain_steps"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "not negative")
        require(self.grid in GRIDS, "grid", self.grid, "1, 2 or 4")
        whole = self.size > 0 and self.size % DEEPEST_STRIDE == 0
        require(whole, "size", self.size, f"a multiple of {DEEPEST_STRIDE}")
        require(0 <= self.flip < 0.5, "flip", self.flip, "from 0 to below 0.5, where masks tell nothing")
        require(0 <= self.stray <= 1, "stray", self.stray, "from 0 to 1")
        tuned = self.backbone_training == "tuned"
        require(tuned or not self.pretrain_steps, "pretrain_steps", self.pretrain_steps, "0 for a frozen backbone")

    @classmethod
    def presets(cls) -> "dict[str, LpsOptions]":
        """Return ``default``, and ``paper``: the published recipe, one image a step and no pre-training."""
        paper = cls(subpixel_start="copies", resample="nearest", pretrain_steps=0, recipe=AS_PUBLISHED)
        return {"default": cls(), "paper": paper}
