"""A tiny MIRM for the tests: a backbone of four small taps, and images on which priors make sense."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sodlift.arrays import FloatMap, Image8
from sodlift.backbones._base import Backbone, Tap, WeightsEntry
from sodlift.refiners.mirm.network import Encoded, Mirm
from sodlift.refiners.mirm.options import MirmOptions
from sodlift.training.code import network_code
from sodlift.training.model_file import ModelFile

CHANNELS = (3, 4, 5, 6)
ENTRY = WeightsEntry("tiny backbone", "these tests", "symmetric", 1e-5, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class TinyBackbone(nn.Module):
    def __init__(self, entry: WeightsEntry = ENTRY) -> None:
        super().__init__()
        inputs = (3, *CHANNELS[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(i, o, 3, stride=2, padding=1), nn.BatchNorm2d(o), nn.ReLU())
            for i, o in zip(inputs, CHANNELS, strict=True)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        taps = []
        for stage in self.stages:
            x = stage(x)
            taps.append(x)
        return tuple(taps)


TINY = Backbone(
    "Tiny",
    "these tests",
    tuple(Tap(str(i), c, 2 ** (i + 1)) for i, c in enumerate(CHANNELS)),
    TinyBackbone,
    {"tiny": ENTRY},
)


NAME = "mobilenet_v2"
"""The registered name under which the tests know the tiny backbone."""


class TinyRegistry:
    """Stands in for the registry of backbones."""

    @staticmethod
    def get(name: str) -> Backbone:
        assert name == NAME
        return TINY


def save_weights(path: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    torch.save(TinyBackbone().state_dict(), path)
    return path


def network(seed: int = 0, **options: bool) -> Mirm:
    """A MIRM whose normalisation has seen data, so that evaluation mode is not the identity."""
    torch.manual_seed(seed)
    mirm = Mirm(TinyBackbone(), CHANNELS, **options)
    for module in mirm.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
    return mirm


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(x, size, mode="bilinear", align_corners=True)


def plain_forward(mirm: Mirm, x: Tensor, weights: Tensor) -> Tensor:
    """The published form: everything is resized first, then mixed; the same parameters."""
    taps = mirm.backbone(x)
    size = tuple(taps[0].shape[-2:])
    features = mirm.merge.mix(torch.cat([resized(t, size) for t in taps[::-1]], dim=1))
    features = mirm.aspp(mirm.merge.blend(mirm.merge.squeeze(features)))
    full = tuple(weights.shape[-2:])
    encoded = Encoded(resized(mirm.pixel(features), full), resized(mirm.foreground(features), full))
    foreground = (encoded.foreground * weights).sum(dim=(-2, -1), keepdim=True)
    pair = torch.cat([encoded.pixel, foreground.expand_as(encoded.pixel)], dim=1)
    head = mirm.discriminator
    return head.last(head.act(head.norm(head.first(pair))))


def scene(seed: int, size: tuple[int, int] = (48, 64)) -> tuple[Image8, FloatMap]:
    """A reddish blob on a bluish ground, and a prior that is sure of the core and of most of the ground."""
    rng = np.random.default_rng(seed)
    height, width = size
    y, x = np.mgrid[:height, :width]
    centre = rng.uniform(0.35, 0.65, 2) * size
    distance = np.hypot((y - centre[0]) / height, (x - centre[1]) / width)
    inside = (distance < 0.25)[..., None]
    image = np.where(inside, (200, 60, 50), (40, 80, 170)) + rng.normal(0, 12, (height, width, 3))
    prior = np.clip(1.6 - 5 * distance, 0, 1).astype(np.float32)
    return image.clip(0, 255).astype(np.uint8), prior


FORM = {"discriminator": 2, "pair_order": "fixed"}
"""The options that a model file shares with those that it is used with."""


def model_file(**changes: Any) -> ModelFile:
    """A model file of ``network()``, as the code stands."""
    mirm = network()
    plain = dict.fromkeys(("weights_origin", "training", "code"), "test")
    given = {
        **plain,
        "refiner": "mirm",
        "options": {"theta_fg": 0.9, **FORM},
        "backbone": NAME,
        "weights": "tiny",
        "images": [["scenes", "priors", "00", "a", "b", "train"]],
        "seed": 1,
        "steps": 3,
        "network_code": network_code(mirm, MirmOptions(backbone=NAME)),
        "versions": {"sodlift": "0"},
        "state": mirm.state_dict(),
    }
    return ModelFile(**{**given, **changes})
