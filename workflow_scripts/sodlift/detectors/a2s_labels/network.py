"""The network of A2S's first stage (Zhou, Wang, Qin, Guo; TCSVT 2023): a pretrained encoder's activation, sharpened.

Three squeeze-and-excitation blocks on the deepest taps and one over all of them transform the encoder's features; an
activation is the sum over channels of the features' difference from their mean in the image. Nothing tells the network
what is salient: training pushes each activation away from 0, and the smaller side is the object.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sodlift.backbones._base import Backbone
from sodlift.detectors.a2s_labels.boundary import Boundary, sign
from sodlift.detectors.a2s_labels.options import A2sLabelsOptions
from sodlift.detectors.a2s_labels.trunk import WIDTH, by_stride, resize
from sodlift.training.trunk import Trunk

BRANCHES = 3
"""Deepest taps that are used; one more gives the size of the fused map."""


class Squeeze(nn.Module):
    """3x3 convolution, group normalisation of one group, ReLU; each channel scaled by a gate that sees their means."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, WIDTH, 3, padding=1)
        self.norm = nn.GroupNorm(1, WIDTH)
        self.gate = nn.Conv2d(WIDTH, WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, 64, H, W)."""
        x = torch.relu(self.norm(self.conv(x)))
        return x * torch.sigmoid(self.gate(x.mean(dim=(-2, -1), keepdim=True)))


class Activations(NamedTuple):
    """What the network answers.

    Attributes
    ----------
    fused : (B, 1, H, W)
        The activation at the size of the images, its sign such that objects are positive.
    branches : tuple of (B, 1, h, w)
        Those of the three taps, deepest last, at their own sizes and with the sign that they happen to have.
    """

    fused: Tensor
    branches: tuple[Tensor, ...]


class A2sLabels(Trunk):
    """The transformed network.

    Parameters
    ----------
    module : nn.Module
        The encoder.
    backbone : Backbone
        Its taps: the three deepest, by stride, are used, and the size of the shallowest.
    boundary : str
        One of ``BOUNDARIES``.
    training, norm
        See ``Trunk``.

    Raises
    ------
    ConfigError
        If the backbone has fewer than four taps.
    """

    def __init__(self, module: nn.Module, backbone: Backbone, boundary: str, training: str, norm: str) -> None:
        super().__init__(module, frozen=training == "frozen", frozen_norm=norm == "frozen")
        order = by_stride(backbone, BRANCHES + 1)
        self.shallowest, self.deepest = order[0], order[-BRANCHES:]
        self.squeezes = nn.ModuleList(Squeeze(backbone.taps[i].channels) for i in self.deepest)
        self.fuse = Squeeze(BRANCHES * WIDTH)
        self.boundaries = nn.ModuleList(Boundary(boundary, WIDTH) for _ in range(BRANCHES + 1))

    def forward(self, x: Tensor) -> Activations:
        """Map normalised images (B, 3, H, W) to their activations."""
        taps = self.taps(x)
        features = [squeeze(taps[i]) for squeeze, i in zip(self.squeezes, self.deepest, strict=True)]
        size = taps[self.shallowest].shape[-2:]
        fused = self.boundaries[-1](self.fuse(torch.cat([resize(f, size) for f in features], dim=1)))
        branches = tuple(boundary(f) for boundary, f in zip(self.boundaries, features, strict=False))
        return Activations(resize(fused * sign(fused), x.shape[-2:]), branches)


def build(options: A2sLabelsOptions, backbone: Backbone, module: nn.Module) -> A2sLabels:
    """Put the decoder on ``module``, which ``backbone`` built; raises ConfigError where it has too few taps."""
    return A2sLabels(module, backbone, options.boundary, options.backbone_training, options.backbone_norm)
