"""What the backbone learns from before LPS does: a small decoder over its deepest taps that finds salient objects."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sodlift.backbones._base import Tap
from sodlift.refiners.lps.options import LpsOptions
from sodlift.refiners.lps.trunk import LpsTrunk, xavier

WIDTH = 32
DECODED = 3
"""Taps that the decoder sees, the deepest ones."""


class Decoder(LpsTrunk):
    """From the deepest tap up, a map made of each tap's 32 channels and of the map before it.

    Parameters
    ----------
    backbone : nn.Module
        LPS goes on with it.
    taps : sequence of Tap
        All of its taps.
    options : LpsOptions
        What of the backbone is trained.
    """

    def __init__(self, backbone: nn.Module, taps: Sequence[Tap], options: LpsOptions) -> None:
        super().__init__(backbone, options)
        deepest = taps[::-1][:DECODED]
        self.reduce = nn.ModuleList(nn.Conv2d(tap.channels, WIDTH, 1) for tap in deepest)
        self.predict = nn.ModuleList(nn.Conv2d(WIDTH + (level > 0), 1, 1) for level in range(len(deepest)))
        for layer in (*self.reduce, *self.predict):
            xavier(layer)

    def forward(self, x: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to logits (B, 1, H, W); maps are enlarged to their nearest pixel."""
        deepest, *shallower = self.taps(x)[::-1][:DECODED]
        found = self.predict[0](self.reduce[0](deepest))
        for tap, reduce, predict in zip(shallower, self.reduce[1:], self.predict[1:], strict=True):
            below = functional.interpolate(found, tap.shape[-2:])
            found = predict(torch.cat([reduce(tap), below], dim=1))
        return functional.interpolate(found, x.shape[-2:])
