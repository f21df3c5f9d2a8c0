"""The options of MIJR: its instances, its filter, its classifiers, and what becomes of their scores."""

from dataclasses import dataclass, replace
from typing import Literal

from sodlift.training.options import NetworkOptions
from sodlift.training.recipe import Recipe
from sodlift.training.require import require

NETWORK_OPTIONS = ("size", "classifiers", "widths", "evidence")
"""The options that a model file must share with those that it is loaded for."""

RECIPE = Recipe(optimiser="adam", head_lr=5e-4, weight_decay=1e-4, schedule="poly", steps=3000, batch=8)
"""Ours: a few minutes on a CPU."""

PUBLISHED = Recipe(
    head_lr=1e-3, momentum=0.9, weight_decay=5e-3, schedule="step", milestones=(0.75,), gamma=0.1, steps=80_000, batch=8
)
"""SGD, 80,000 iterations (Sec. V-B); the batch and the fall of the rate at 60,000 are ours."""


@dataclass(frozen=True)
class MijrOptions(NetworkOptions):
    """Options of MIJR beside those of every network; defaults are the preset ``default``.

    Attributes
    ----------
    size : int
        Width, in pixels, at which the network sees every image; the height is three quarters of it.
    classifiers : int
        M of Sec. IV-C: the most trusted partners of a superpixel that are asked, each by a classifier of its own.
    widths : tuple of int
        Of the fully connected layers of the filter and of each classifier, less the last one (Sec. IV-B: five; the
        paper does not tell their widths).
    dropout : float
        Share of the first two layers' outputs that a training step leaves out.
    evidence : bool
        Whether a pair's features hold, beside the network's, what the base map says of the superpixel, what the
        partner's pseudo ground truth says, and the cost of their link. As published they do not.
    filtered : bool
        Whether the filter chooses pairs (C3 of Fig. 11), or all of them count (C2).
    wrong, right : float
        T1 and T2 of Sec. IV-B: the base map is wrong about a superpixel where its pseudo ground truth agrees with the
        mask on at most this share of its pixels, and a partner is right where its own agrees on at least that.
    trust : float
        Probability above which the filter lets a pair pass.
    instances : int
        Superpixels, or pairs, that a training step draws of each image.
    filter_steps : int
        Steps of the filter's training, with the recipe's batch.
    smoothing : str
        Of superpixels' scores: by ``distance`` as published, by distance and ``colour``, or ``none``.
    detail : bool
        Whether the base map keeps its pixels where no pair passed and its detail elsewhere; else every superpixel is
        painted with one score, as published.
    backbone_training : str
        ``frozen``: features are computed once.
    recipe : Recipe
        How the classifiers are trained; ``batch`` counts images.
    """

    size: int = 320
    classifiers: int = 5
    widths: tuple[int, ...] = (512, 256, 128, 64, 32)
    dropout: float = 0.5
    evidence: bool = True
    filtered: bool = True
    wrong: float = 0.15
    right: float = 0.9
    trust: float = 0.5
    instances: int = 32
    filter_steps: int = 2000
    smoothing: Literal["none", "distance", "colour"] = "colour"
    detail: bool = True
    backbone_training: Literal["tuned", "frozen"] = "frozen"
    recipe: Recipe = RECIPE

    def __post_init__(self) -> None:
        super().__post_init__()
        frozen = self.backbone_training == "frozen"
        require(frozen, "backbone_training", self.backbone_training, "frozen: features are computed once")
        require(self.size >= 64 and self.size % 4 == 0, "size", self.size, "a multiple of 4, at least 64")
        for name in ("classifiers", "instances", "filter_steps"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        require(len(self.widths) >= 1 and min(self.widths) >= 1, "widths", self.widths, "positive numbers")
        require(0 <= self.dropout < 1, "dropout", self.dropout, "a number from 0 to below 1")
        for name in ("wrong", "right", "trust"):
            require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "a number from 0 to 1")
        require(not self.recipe.hflip, "recipe.hflip", self.recipe.hflip, "false: links are of images as they are")
        require(self.recipe.crop == 1, "recipe.crop", self.recipe.crop, "1: links are of whole images")

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width at which the network sees an image."""
        return self.size * 3 // 4, self.size

    @classmethod
    def presets(cls) -> "dict[str, MijrOptions]":
        """Return ``default`` and ``paper``, the published form as far as it is told."""
        wide = (1024, 512, 256, 128, 64)
        published = cls(evidence=False, widths=wide, smoothing="distance", detail=False, recipe=PUBLISHED)
        return {"default": cls(), "paper": replace(published, filter_steps=20_000)}
