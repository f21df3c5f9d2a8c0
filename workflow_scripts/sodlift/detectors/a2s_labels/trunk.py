"""What both stages of A2S share: the width of their layers, the choice of taps, resizing."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from sodlift.backbones._base import Backbone
from sodlift.errors import ConfigError

WIDTH = 64
"""Channels of every layer of both decoders."""


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
