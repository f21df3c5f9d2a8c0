"""What both stages of A2S share: the encoder and whatever of it is frozen, the choice of taps, resizing."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sodlift.backbones._base import Backbone
from sodlift.errors import ConfigError

WIDTH = 64
"""Channels of every layer of both decoders."""


class Trunk(nn.Module):
    """A network on a pretrained encoder, which maps (B, 3, H, W) to taps, shallow to deep.

    Parameters
    ----------
    backbone : nn.Module
        The encoder.
    training : str
        ``tuned``, or ``frozen``: no gradient reaches it.
    norm : str
        Its batch normalisation in training: by ``batch`` statistics, or ``frozen`` to the pretrained ones.
    """

    def __init__(self, backbone: nn.Module, training: str, norm: str) -> None:
        super().__init__()
        self.frozen_backbone, self.frozen_norm = training == "frozen", norm == "frozen"
        self.backbone = backbone.requires_grad_(not self.frozen_backbone)

    def train(self, mode: bool = True) -> "Trunk":
        """Set the mode; a frozen normalisation of the encoder stays in evaluation mode."""
        super().train(mode)
        if self.frozen_norm:
            for module in self.backbone.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def taps(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return all taps of normalised images (B, 3, H, W); without gradients where the encoder is frozen."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen_backbone):
            return self.backbone(x)  # type: ignore[no-any-return]


def by_stride(backbone: Backbone, least: int) -> list[int]:
    """Return the positions of a backbone's taps from the shallowest to the deepest, of one stride in their order.

    Raises
    ------
    ConfigError
        If there are fewer than ``least``.
    """
    if len(backbone.taps) < least:
        names = ", ".join(f"{tap.name} (stride {tap.stride})" for tap in backbone.taps)
        raise ConfigError(
            f"{backbone.title} has {len(backbone.taps)} taps: {names}",
            where="backbone",
            expected=f"at least {least}",
            mend="choose another backbone, such as mobilenet_v2 or resnet50",
        )
    return sorted(range(len(backbone.taps)), key=lambda position: backbone.taps[position].stride)


def resize(x: Tensor, size: Sequence[int]) -> Tensor:
    """Resize (B, C, h, w) to (B, C, *size): bilinear, corners not aligned."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return functional.interpolate(x, tuple(size), mode="bilinear", align_corners=False)
