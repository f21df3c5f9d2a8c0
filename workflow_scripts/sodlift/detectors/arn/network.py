"""The network of ARN: from the deepest tap up, each scale attends to itself before the next finer one is joined.

The paper leaves widths, kernels and the recurrence's length open, so that this is a re-implementation of the stated
structure with numbers of ours (docs/detectors/arn.md).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sodlift.backbones._base import Backbone, Tap
from sodlift.detectors.arn.attention import SelfAttention
from sodlift.detectors.arn.options import ArnOptions
from sodlift.detectors.arn.recurrent import RecurrentConv, he
from sodlift.errors import ConfigError
from sodlift.training.trunk import Trunk


def chosen_taps(taps: Sequence[Tap], strides: Sequence[int]) -> dict[int, int]:
    """Return the position of the deepest tap of each stride asked for.

    Raises
    ------
    ConfigError
        If the backbone has no tap of one of them.
    """
    deepest = {tap.stride: position for position, tap in enumerate(taps)}
    missing = [stride for stride in strides if stride not in deepest]
    if missing:
        raise ConfigError(
            f"the backbone has no tap of stride {', '.join(map(str, missing))}",
            where="strides",
            expected=f"some of {sorted(deepest)}",
            mend="leave it out: a scale without a tap is passed by",
        )
    return {stride: deepest[stride] for stride in strides}


class Enlarge(nn.Module):
    """Twice the size by a transposed 4x4 convolution and ReLU, cut to what the finer scale has."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, channels, 4, stride=2, padding=1)
        he(self.conv)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """Map (B, inputs, h, w) to (B, channels, *size), ``size`` being at most twice (h, w)."""
        return functional.relu(self.conv(x))[..., : size[0], : size[1]]


class Scale(nn.Module):
    """One scale: the coarser one enlarged, beside it the tap's recurrent layer where it has one; joined, attended to.

    Parameters
    ----------
    coarser, channels : int
        Channels of the coarser scale and of this one.
    tap : int or None
        Channels of this scale's tap; None where the backbone has none.
    options : ArnOptions
        Length of the recurrence.
    attention : bool
        Whether the scale has self-attention.
    """

    def __init__(self, coarser: int, channels: int, tap: int | None, options: ArnOptions, *, attention: bool) -> None:
        super().__init__()
        self.enlarge = Enlarge(coarser, channels)
        self.recurrent = RecurrentConv(tap, channels, options.recurrences) if tap else None
        self.join = nn.Conv2d(2 * channels if tap else channels, channels, 3, padding=1)
        self.attention = SelfAttention(channels) if attention else nn.Identity()
        he(self.join)

    def forward(self, coarser: Tensor, tap: Tensor | None, size: tuple[int, int]) -> Tensor:
        """Map the coarser scale (B, coarser, h, w) and the tap (B, tap, *size) to (B, channels, *size)."""
        x = self.enlarge(coarser, size)
        if self.recurrent is not None:
            x = torch.cat([x, self.recurrent(tap).to(x.dtype)], dim=1)
        return self.attention(functional.relu(self.join(x)))  # type: ignore[no-any-return]


def prediction(channels: int) -> nn.Conv2d:
    """Return the layer that gives logits: it starts from 0, since features' scale differs between weights files."""
    layer = nn.Conv2d(channels, 1, 3, padding=1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


class Arn(Trunk):
    """The backbone's taps, joined from the coarsest to the finest scale, and a map made of the finest.

    Parameters
    ----------
    backbone : nn.Module
        Maps (B, 3, H, W) to taps, shallow to deep.
    taps : sequence of Tap
        All of them.
    options : ArnOptions
        Which taps are used, widths, recurrence, attention, side maps, and what of the backbone is trained.

    Raises
    ------
    ConfigError
        If the backbone has no tap of a stride in the options.
    """

    def __init__(self, backbone: nn.Module, taps: Sequence[Tap], options: ArnOptions) -> None:
        frozen = options.backbone_training == "frozen"
        super().__init__(backbone, frozen=frozen, frozen_norm=frozen or options.backbone_norm == "frozen")
        self.used = chosen_taps(taps, options.strides)
        self.strides = options.scales
        coarsest, *finer = self.strides
        channels = [taps[self.used[coarsest]].channels, *(options.width * stride // 2 for stride in finer)]
        self.attention = SelfAttention(channels[0]) if coarsest in options.attention else nn.Identity()
        self.scales = nn.ModuleList(
            Scale(
                channels[level],
                channels[level + 1],
                taps[self.used[stride]].channels if stride in self.used else None,
                options,
                attention=stride in options.attention,
            )
            for level, stride in enumerate(finer)
        )
        self.last = Enlarge(channels[-1], options.width // 2)
        self.predict = prediction(options.width // 2)
        self.sides = nn.ModuleList(map(prediction, channels[:-1] if options.side_weight else []))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map normalised images (B, 3, H, W) of any size to logits (B, 1, H, W), each.

        The first is the answer; in training, the maps of the coarser scales follow it, where there are any.
        """
        taps = self.taps(x)
        size = (x.shape[-2], x.shape[-1])
        current = self.attention(taps[self.used[self.strides[0]]])
        scales = [current]
        for stride, scale in zip(self.strides[1:], self.scales, strict=True):
            tap = taps[self.used[stride]] if stride in self.used else None
            current = scale(current, tap, covering(size, stride))
            scales.append(current)
        current = self.predict(self.last(current, covering(size, self.strides[-1] // 2)))
        sides = [side(found) for side, found in zip(self.sides, scales, strict=False)] if self.training else []
        return tuple(resize(logits, size) for logits in (current, *sides))


def covering(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Return the size of a map of ``stride`` that covers an image of ``size``."""
    return (-(-size[0] // stride), -(-size[1] // stride))


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (B, C, h, w) to (B, C, *size), bilinearly, pixels being areas."""
    if tuple(x.shape[-2:]) == size:
        return x
    return functional.interpolate(x, size, mode="bilinear", align_corners=False)


def build(options: ArnOptions, backbone: Backbone, module: nn.Module) -> Arn:
    """Put the head on ``module``, which ``backbone`` built; raises ConfigError for a stride it has no tap of."""
    return Arn(module, backbone.taps, options)
