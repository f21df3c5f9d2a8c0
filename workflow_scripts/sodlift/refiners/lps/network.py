"""The network of LPS (Zeng, Lu, Zhang, Feng, Borji, CVPR 2018), in an exact form that costs a sixth less.

Every pixel is embedded, and so are the two regions that a prior map gives; a pixel is as salient as it is nearer to the
foreground's anchor than to the background's (Eq. 1-3). The published form makes the map of 512-d embeddings and takes
distances there. An embedding is affine, phi = W f + b, so that with the features f counted from the image's mean m

    d^2 = |phi - anchor|^2 = f' G f + 2 (W' u)' f + |u|^2,    G = W' W,    u = W m + b - anchor

for an anchor of either kind (Sec. 3.2). The map is never made, and each term is needed where it changes only:

1. f' G f does not depend on the anchor. It is made once an image, for both anchors, every prior and every iteration;
2. a further prior or iteration costs two weighted means of f and one 1x1 product with two channels;
3. f' G f is not in d_bg^2 - d_fg^2 at all, and the logit d_bg - d_fg is that difference over d_bg + d_fg: what decides
   between the regions is never the difference of two large numbers. Counting from the mean keeps d^2 itself exact.

Training and inference run this one form. Parameters have the shapes of the published form, so that one state dict
serves both.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sodlift.backbones._base import Backbone, Tap
from sodlift.refiners.lps.options import LpsOptions
from sodlift.refiners.lps.trunk import LpsTrunk, xavier
from sodlift.registry import unknown_name

LARGEST_SHUFFLE = 4
"""Pixel shuffle enlarges by up to this, as published; what a tap's stride leaves beyond it is resized bilinearly."""

SQUARE_FLOOR = 1e-12
"""Added to d^2, since the root has no slope at 0."""


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (B, C, h, w) to (B, C, *size), bilinearly, pixels being areas."""
    if tuple(x.shape[-2:]) == size:
        return x
    return functional.interpolate(x, size, mode="bilinear", align_corners=False)


def average(x: Tensor, factor: int) -> Tensor:
    """Average (B, C, H, W) over cells of ``factor`` x ``factor`` pixels; cells at the border may be cut."""
    if factor == 1:
        return x
    return functional.avg_pool2d(x, factor, ceil_mode=True, count_include_pad=False)


def one_filter(weight: Tensor, cell: int) -> Tensor:
    """Return the filters (O, I, 1, 1) of a convolution before pixel shuffle as copies of its first, as published."""
    return weight[:1].expand_as(weight)


def filter_per_channel(weight: Tensor, cell: int) -> Tensor:
    """Return them as copies of each output channel's first, so that a channel starts without a checkerboard."""
    return weight[::cell].repeat_interleave(cell, dim=0)


STARTS: dict[str, Callable[[Tensor, int], Tensor]] = {"copies": one_filter, "channels": filter_per_channel}
"""What pixel shuffle's filters start as; called with the Xavier-normal weight and the ``cell`` of r^2 filters."""


class Subpixel(nn.Module):
    """A tap brought to the grid: 1x1 convolution, batch normalisation, pixel shuffle (Sec. 3.3); no non-linearity.

    A tap finer than the grid is averaged first: the 1x1 convolution commutes with that.
    """

    def __init__(self, tap: Tap, width: int, grid: int, start: str) -> None:
        super().__init__()
        self.averaged = max(grid // tap.stride, 1)
        self.enlarged = min(max(tap.stride // grid, 1), LARGEST_SHUFFLE)
        cell = self.enlarged**2
        self.conv = nn.Conv2d(tap.channels, width * cell, 1)
        self.norm = nn.BatchNorm2d(width * cell)
        xavier(self.conv)
        if cell > 1:
            with torch.no_grad():
                self.conv.weight.copy_(STARTS[start](self.conv.weight.clone(), cell))

    def forward(self, tap: Tensor, size: tuple[int, int]) -> Tensor:
        """Map a tap (B, C, h, w) to (B, width, *size)."""
        x = self.norm(self.conv(average(tap, self.averaged)))
        return resize(functional.pixel_shuffle(x, self.enlarged), size)


class ConvEmbedding(nn.Module):
    """The embedding "Conv": pixels and regions share one 1x1 convolution, which takes the feature map twice.

    That input is the published form's left-over; the two halves of the weight act as their sum.
    """

    def __init__(self, channels: int, dimension: int) -> None:
        super().__init__()
        self.pixel = nn.Conv2d(2 * channels, dimension, 1)
        xavier(self.pixel)

    def matrix(self) -> Tensor:
        """Return W (D, C) of the pixels' embedding."""
        first, second = self.pixel.weight.flatten(1).chunk(2, dim=1)
        return first + second

    def offsets(self, mean: Tensor, regions: Tensor) -> Tensor:
        """Return u (B, K, D) for the image's mean (B, 1, C) and the regions' (B, K, C), counted from it.

        The anchor is the mean embedding, W (m + r) + b, so that m and the bias leave u.
        """
        return -functional.linear(regions, self.matrix())


class FcEmbedding(nn.Module):
    """The embedding "FC": a region's mean feature is embedded by a fully connected layer of its own."""

    def __init__(self, channels: int, dimension: int) -> None:
        super().__init__()
        self.pixel = nn.Conv2d(channels, dimension, 1)
        self.region = nn.Linear(channels, dimension)
        xavier(self.pixel)
        xavier(self.region)

    def matrix(self) -> Tensor:
        """Return W (D, C) of the pixels' embedding."""
        return self.pixel.weight.flatten(1)

    def offsets(self, mean: Tensor, regions: Tensor) -> Tensor:
        """Return u (B, K, D) for the image's mean (B, 1, C) and the regions' (B, K, C), counted from it."""
        at_mean = functional.linear(mean, self.matrix(), self.pixel.bias)
        return at_mean - self.region(mean + regions)  # type: ignore[no-any-return]


EMBEDDINGS: dict[str, type[ConvEmbedding] | type[FcEmbedding]] = {"conv": ConvEmbedding, "fc": FcEmbedding}
"""Region embeddings (Sec. 3.2) by name."""


class Encoded(NamedTuple):
    """What LPS knows of B images before it sees a prior.

    Attributes
    ----------
    features : (B, C, h, w)
        f on the grid, counted from the image's mean.
    mean : (B, 1, C)
        That mean, m.
    square : (B, 1, h, w)
        f' G f.
    """

    features: Tensor
    mean: Tensor
    square: Tensor


class Lps(LpsTrunk):
    """Pixels compared with the regions of a prior, in an embedding learnt for that.

    Parameters
    ----------
    backbone : nn.Module
        Maps (B, 3, H, W) to taps, shallow to deep.
    taps : sequence of Tap
        All of them.
    options : LpsOptions
        Which taps are used, and the head's sizes.

    Raises
    ------
    UnknownNameError
        If the backbone has no tap of a name in the options.
    """

    def __init__(self, backbone: nn.Module, taps: Sequence[Tap], options: LpsOptions) -> None:
        super().__init__(backbone, options)
        names = [tap.name for tap in taps]
        for name in options.taps or ():
            if name not in names:
                raise unknown_name("tap", name, names, where="taps")
        self.grid = options.grid
        self.used = [i for i, name in enumerate(names) if options.taps is None or name in options.taps]
        self.subpixels = nn.ModuleList(
            Subpixel(taps[i], options.width, options.grid, options.subpixel_start) for i in self.used
        )
        self.embedding = EMBEDDINGS[options.embedding](options.width * len(self.used), options.dimension)

    def encode(self, x: Tensor) -> Encoded:
        """Map normalised images (B, 3, H, W), sides multiples of the deepest stride; the prior plays no part."""
        taps = self.taps(x)
        size = (-(-x.shape[-2] // self.grid), -(-x.shape[-1] // self.grid))
        maps = [up(taps[i], size) for up, i in zip(self.subpixels, self.used, strict=True)]
        with torch.autocast(x.device.type, enabled=False):  # distances are differences of large numbers
            matrix = self.embedding.matrix()
            features = torch.cat(maps, dim=1).to(matrix.dtype)
            mean = features.mean(dim=(-2, -1), keepdim=True)
            centred = features - mean
            gram = (matrix.T @ matrix)[..., None, None]
            square = (functional.conv2d(centred, gram) * centred).sum(dim=1, keepdim=True)
            return Encoded(centred, mean.flatten(1)[:, None], square)

    def decide(self, encoded: Encoded, priors: Tensor) -> Tensor:
        """Map P priors of each image (B, P, H, W), in [0, 1], to logits d_bg - d_fg of the same shape.

        Regions are soft: a pixel belongs to the foreground by its prior's value, to the background by the rest. A
        region without mass has the image's mean feature.
        """
        with torch.autocast(priors.device.type, enabled=False):
            inside = average(priors.to(encoded.features.dtype), self.grid)
            pixels = encoded.features.flatten(2)
            weights = torch.cat([inside, 1 - inside], dim=1).flatten(2)
            masses = weights.sum(dim=2, keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)
            offsets = self.embedding.offsets(encoded.mean, (weights / masses) @ pixels.mT)
            linear = 2 * (offsets @ self.embedding.matrix()) @ pixels + offsets.square().sum(dim=2, keepdim=True)
            distances = torch.sqrt((encoded.square.flatten(2) + linear).clamp_min(0) + SQUARE_FLOOR)
            (foreground, background), (near, far) = linear.chunk(2, dim=1), distances.chunk(2, dim=1)
            logits = ((background - foreground) / (near + far)).reshape(inside.shape)
            return resize(logits, (priors.shape[-2], priors.shape[-1]))

    def forward(self, x: Tensor, priors: Tensor) -> Tensor:
        """Map images (B, 3, H, W) and priors (B, P, H, W) to logits (B, P, H, W)."""
        return self.decide(self.encode(x), priors)


def build(options: LpsOptions, backbone: Backbone, module: nn.Module) -> Lps:
    """Put the head on ``module``, which ``backbone`` built; raises UnknownNameError for a tap it has not."""
    return Lps(module, backbone.taps, options)
