"""A small LPS for the tests, and the published form of its network."""

from dataclasses import replace

import torch
from mirm_samples import ENTRY, NAME, TINY, TinyBackbone
from torch import Tensor, nn

from sodlift.refiners.lps.network import Lps, average, resize
from sodlift.refiners.lps.options import LpsOptions
from sodlift.refiners.lps.refine import LpsRefiner
from sodlift.training.recipe import Recipe

SMALL = LpsOptions(backbone=NAME, width=4, dimension=12, size=64, pretrain_steps=0, recipe=Recipe(steps=3, batch=2))


def options(**changes: object) -> LpsOptions:
    return replace(SMALL, **changes)


def network(seed: int = 0, **changes: object) -> Lps:
    """An LPS whose normalisation has seen data, so that evaluation mode is not the identity."""
    torch.manual_seed(seed)
    lps = Lps(TinyBackbone(), TINY.taps, options(**changes))
    for module in lps.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
    nn.init.normal_(lps.embedding.pixel.bias)
    return lps


def refiner(**changes: object) -> LpsRefiner:
    return LpsRefiner(network(**changes).eval(), ENTRY, options(**changes), torch.device("cpu"))


def inputs(size: tuple[int, int] = (32, 48), batch: int = 2, priors: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images whose left half is brighter, and soft priors that mostly lie there."""
    generator = torch.Generator().manual_seed(seed)
    left = torch.arange(size[1]) < size[1] // 2
    x = torch.randn(batch, 3, *size, generator=generator, dtype=torch.float64) + 2 * left
    return x, torch.rand(batch, priors, *size, generator=generator, dtype=torch.float64) ** 2 * (0.1 + 0.9 * left)


def embedded(lps: Lps, x: Tensor) -> tuple[Tensor, Tensor]:
    """The features (B, C, h, w) as published and the map of pixels' embeddings (B, D, h, w)."""
    taps = lps.taps(x)
    size = (-(-x.shape[-2] // lps.grid), -(-x.shape[-1] // lps.grid))
    features = torch.cat([up(taps[i], size) for up, i in zip(lps.subpixels, lps.used, strict=True)], dim=1)
    twice = lps.embedding.pixel.in_channels // features.shape[1]
    return features, lps.embedding.pixel(torch.cat([features] * twice, dim=1))


def plain_forward(lps: Lps, x: Tensor, prior: Tensor) -> Tensor:
    """The published form for one prior: all embeddings are made, and distances taken between them."""
    features, pixels = embedded(lps, x)
    inside = average(prior, lps.grid)

    def distance(region: Tensor) -> Tensor:
        def mean(of: Tensor) -> Tensor:
            return (of * region).sum(dim=(-2, -1)) / region.sum(dim=(-2, -1))

        own = getattr(lps.embedding, "region", None)
        anchor = mean(pixels) if own is None else own(mean(features))
        return (pixels - anchor[..., None, None]).square().sum(dim=1, keepdim=True).sqrt()

    return resize(distance(1 - inside) - distance(inside), tuple(prior.shape[-2:]))
