"""The network of A2S's second stage (Zhou, Wang, Qin, Guo; TCSVT 2023): residual attention modules on an encoder.

A module modulates two features by how they differ from a guide. One joins the three deepest taps (where the object is),
one the two shallowest under the deepest (its detail); the map is the product of both, summed over channels. With
ResNet-50, whose ImageNet classifier the authors count, it has 28,397,864 parameters, without the modulation 28,250,152.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sodlift.backbones._base import Backbone
from sodlift.detectors.a2s.options import A2sOptions
from sodlift.detectors.a2s_labels.trunk import WIDTH, by_stride, resize
from sodlift.training.trunk import Trunk

GROUPS = 32
DEEP, SHALLOW = 3, 2
"""Taps of the two modules. With four taps the second shallowest is in both."""


def unit(inputs: int, outputs: int = WIDTH, groups: int = GROUPS) -> nn.Module:
    """Return a 3x3 convolution with group normalisation and ReLU."""
    conv = nn.Conv2d(inputs, outputs, 3, padding=1)
    return nn.Sequential(conv, nn.GroupNorm(groups, outputs), nn.ReLU(inplace=True))


def doubled(x: Tensor) -> Tensor:
    """Resize (B, C, h, w) to twice the size."""
    return resize(x, (2 * x.shape[-2], 2 * x.shape[-1]))


class Attention(nn.Module):
    """RAM: features a and b, each times a gate of its difference from the guide g, joined with it.

    Parameters
    ----------
    modulation : bool
        Without it a and b are joined as they are.
    """

    def __init__(self, *, modulation: bool) -> None:
        super().__init__()
        self.guide = unit(WIDTH)
        gates = [nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(2 * modulation)]
        self.gates = nn.ModuleList(gates)
        self.join = nn.Conv2d(3 * WIDTH, WIDTH, 3, padding=1)

    def forward(self, a: Tensor, b: Tensor, g: Tensor) -> Tensor:
        """Map three maps of 64 channels and any sizes to (B, 64, h, w) at the size of ``a``."""
        size = a.shape[-2:]
        guide = resize(self.guide(g), size)
        parts = [a, resize(b, size)]
        if self.gates:
            parts = [x * torch.sigmoid(gate(x - guide)) for gate, x in zip(self.gates, parts, strict=True)]
        return self.join(torch.cat([*parts, guide], dim=1))  # type: ignore[no-any-return]


class A2s(Trunk):
    """The detector.

    Parameters
    ----------
    module : nn.Module
        The encoder.
    backbone : Backbone
        Its taps, by stride.
    modulation : bool
        See ``Attention``.
    training, norm
        See ``Trunk``.

    Raises
    ------
    ConfigError
        If the backbone has fewer than four taps.
    """

    def __init__(
        self, module: nn.Module, backbone: Backbone, *, modulation: bool = True, training: str, norm: str
    ) -> None:
        super().__init__(module, frozen=training == "frozen", frozen_norm=norm == "frozen")
        order = by_stride(backbone, DEEP + 1)
        self.used = order[:SHALLOW] + order[-min(DEEP, len(order) - SHALLOW) :]
        self.adapters = nn.ModuleList(unit(backbone.taps[i].channels) for i in self.used)
        self.region = Attention(modulation=modulation)
        self.widen = unit(WIDTH, 2 * WIDTH, 2 * GROUPS)
        self.narrow = unit(2 * WIDTH, WIDTH)
        self.local = Attention(modulation=modulation)

    def forward(self, x: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to logits (B, 1, H, W)."""
        taps = self.taps(x)
        features: Sequence[Tensor] = [adapt(taps[i]) for adapt, i in zip(self.adapters, self.used, strict=True)]
        deepest = features[-1]
        region = self.region(*features[-DEEP:-1], deepest)
        local = self.local(*features[:SHALLOW], doubled(self.narrow(doubled(self.widen(deepest)))))
        product = local.float() * resize(region, local.shape[-2:]).float()
        return resize(product.sum(dim=1, keepdim=True), x.shape[-2:])


def build(options: A2sOptions, backbone: Backbone, module: nn.Module) -> A2s:
    """Put the decoder on ``module``, which ``backbone`` built; raises ConfigError where it has too few taps."""
    return A2s(
        module,
        backbone,
        modulation=options.modulation,
        training=options.backbone_training,
        norm=options.backbone_norm,
    )
