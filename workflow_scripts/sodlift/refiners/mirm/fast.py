"""MIRM for inference: the network of ``network.py`` with everything folded that does not change any more.

The same function, by further exact algebra:

1. batch normalisation is folded into the convolution before it. Where a resizing lies between them, the two still
   commute: a resized constant is that constant;
2. a PReLU of slope a is a z + (1 - a) max(z, 0), so that the discriminator's two last layers over z = x + s, with x the
   resized pixel half and s the foreground vector's half, are

       w' PReLU(x + s) = a w'x + (1 - a) w' max(x, -s) + w's.

   Neither x nor a w'x depends on the prior. A further prior costs one maximum and one product a pixel, made in strips
   of rows that stay in the cache of a CPU.

Several priors of an image share all but that. Each is worked on as it would be alone: its map has the same bits.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from sodlift.refiners.mirm.network import (
    WIDTH,
    Discriminator,
    Encoded,
    Merge,
    Mirm,
    logit_of_mean,
    pull_back,
    resize,
)
from sodlift.training.fold import fold_norms, scale_and_shift

STRIP = 1 << 18
"""Numbers that a strip of rows has, on a CPU: 1 MiB of float32."""


class FastMerge(nn.Module):
    """``Merge``, its first layer's parts cut once and normalised; PReLU in place."""

    def __init__(self, merge: Merge) -> None:
        super().__init__()
        scale, shift = scale_and_shift(merge.mix.norm)
        weight = merge.mix.conv.weight.detach() * scale[:, None, None, None]
        parts = torch.split(weight, merge.channels, dim=1)
        self.parts = nn.ParameterList(nn.Parameter(part.contiguous(), requires_grad=False) for part in parts)
        self.shift = nn.Parameter(shift, requires_grad=False)
        self.slope = merge.mix.act.weight.item()
        self.squeeze, self.blend = merge.squeeze, merge.blend

    def forward(self, taps: tuple[Tensor, ...]) -> Tensor:
        """Map taps, deepest first, to (B, 32, h, w) with h, w of the last one."""
        size = (taps[-1].shape[-2], taps[-1].shape[-1])
        mixed = functional.conv2d(taps[-1], self.parts[-1], self.shift)
        for tap, part in zip(taps[:-1], self.parts[:-1], strict=True):
            mixed += resize(functional.conv2d(tap, part), size)
        return self.blend(self.squeeze(functional.leaky_relu_(mixed, self.slope)))  # type: ignore[no-any-return]


class Half(nn.Module):
    """The discriminator's first layer, normalised, for one order of the pair."""

    def __init__(self, of_pixel: Tensor, of_foreground: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.of_pixel = nn.Parameter(of_pixel, requires_grad=False)
        self.of_foreground = nn.Parameter(of_foreground.flatten(1), requires_grad=False)
        self.bias = nn.Parameter(bias, requires_grad=False)


class FastDiscriminator(nn.Module):
    """``Discriminator`` over several foreground vectors an image."""

    def __init__(self, slow: Discriminator) -> None:
        super().__init__()
        assert slow.first.bias is not None and slow.last.bias is not None
        scale, shift = scale_and_shift(slow.norm)
        weight = slow.first.weight.detach() * scale[:, None, None, None]
        bias = slow.first.bias.detach() * scale + shift
        straight = [part.contiguous() for part in torch.split(weight, WIDTH, dim=1)]
        orders = (straight, straight[::-1]) if slow.both_orders else (straight,)
        self.halves = nn.ModuleList(Half(order[0], order[1], bias) for order in orders)
        self.act, self.between, self.last = slow.act, slow.between, slow.last
        self.bias = slow.last.bias
        fold_norms(self.between)
        self.slope = slow.act.weight.item()

    def forward(self, pixel: Tensor, vectors: Tensor, size: tuple[int, int]) -> Tensor:
        """Map f (B, 32, h, w) and P vectors F_fg of each image (B, P, 32) to logits (B, P, *size)."""
        orders = [self._judged(half, pixel, vectors, size) for half in self.halves]
        return orders[0] if len(orders) == 1 else logit_of_mean(*orders)

    def _judged(self, half: nn.Module, pixel: Tensor, vectors: Tensor, size: tuple[int, int]) -> Tensor:
        x = resize(functional.conv2d(pixel, half.of_pixel), size)  # type: ignore[arg-type]
        # one by one: a product of several rows may be summed in another order than that of one
        ones = vectors.to(x.dtype).unbind(1)
        shifts = [functional.linear(one, half.of_foreground, half.bias) for one in ones]  # type: ignore[arg-type]
        if len(self.between):
            pairs = (x + shift[..., None, None] for shift in shifts)
            return torch.cat([self.last(self.between(self.act(pair))) for pair in pairs], dim=1)
        return self._two_layers(x.permute(0, 2, 3, 1), shifts)

    def _two_layers(self, x: Tensor, shifts: list[Tensor]) -> Tensor:
        """Return the logits (B, P, H, W) of x (B, H, W, 64) and P shifts (B, 64); see the module's notes."""
        weight = self.last.weight.flatten().to(x.dtype)
        constants = torch.stack([shift @ weight for shift in shifts], dim=1) + self.bias  # (B, P)
        strips = []
        for strip in torch.split(x, _rows(x), dim=1):
            shared = self.slope * (strip @ weight)
            parts = [torch.maximum(strip, -shift[:, None, None]) @ weight for shift in shifts]
            strips.append(shared[:, None] + (1 - self.slope) * torch.stack(parts, dim=1))
        return torch.cat(strips, dim=2) + constants[..., None, None]


def _rows(x: Tensor) -> int:
    """Return how many rows of x (B, H, W, C) are worked on at once: all of them but on a CPU."""
    if x.device.type != "cpu" or torch.compiler.is_exporting():
        return int(x.shape[1])
    return max(1, STRIP // (x.shape[0] * x.shape[2] * x.shape[3]))


class FastMirm(nn.Module):
    """A trained MIRM for several priors an image; weights are copied, so that the original may be trained further.

    Parameters
    ----------
    network : Mirm
        With the weights and running averages that count.
    """

    def __init__(self, network: Mirm) -> None:
        super().__init__()
        own = deepcopy(network).requires_grad_(False).eval()
        for part in (own.backbone, own.merge.squeeze, own.merge.blend, own.aspp, own.pixel, own.foreground):
            fold_norms(part)
        self.backbone, self.aspp, self.pixel, self.foreground = own.backbone, own.aspp, own.pixel, own.foreground
        self.merge = FastMerge(own.merge)
        self.discriminator = FastDiscriminator(own.discriminator)
        self.to(memory_format=torch.channels_last)
        self.eval()

    def encode(self, x: Tensor) -> Encoded:
        """Map normalised images (B, 3, H, W) to features at half their size; the prior plays no part."""
        features = self.aspp(self.merge(self.backbone(x)[::-1]))
        return Encoded(self.pixel(features), self.foreground(features))

    def foreground_vectors(self, encoded: Encoded, weights: Tensor) -> Tensor:
        """Return F_fg (B, P, 32) of Eq. 7 under weights (B, P, H, W) that sum to 1 each; sums are float32 at least."""
        with torch.autocast(weights.device.type, enabled=False):
            features = encoded.foreground.to(weights.dtype)
            size = (features.shape[-2], features.shape[-1])
            pulled = [pull_back(weight[:, None], size) for weight in weights.unbind(1)]
            return torch.stack([(features * one).sum(dim=(-2, -1)) for one in pulled], dim=1)

    def decide(self, encoded: Encoded, vectors: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the logits (B, P, *size) of Eq. 8-9 for foreground vectors (B, P, 32)."""
        return self.discriminator(encoded.pixel, vectors, size)  # type: ignore[no-any-return]

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Map images (B, 3, H, W) and foreground weights (B, P, H, W) to logits (B, P, H, W)."""
        encoded = self.encode(x)
        return self.decide(encoded, self.foreground_vectors(encoded, weights), (weights.shape[-2], weights.shape[-1]))
