"""A small ARN for the tests, and the plain forms of its layers."""

from dataclasses import replace

import torch
from mirm_samples import NAME, TINY, TinyBackbone
from torch import Tensor, nn
from torch.nn import functional

from sodlift.detectors.arn.attention import SelfAttention
from sodlift.detectors.arn.network import Arn
from sodlift.detectors.arn.options import ArnOptions
from sodlift.detectors.arn.recurrent import RecurrentConv
from sodlift.training.recipe import Recipe

RECIPE = Recipe(optimiser="adam", head_lr=1e-2, backbone_lr=1e-3, schedule="constant", steps=3, batch=2)
SMALL = ArnOptions(backbone=NAME, width=16, size=64, recipe=RECIPE)


def options(**changes: object) -> ArnOptions:
    return replace(SMALL, **changes)


def begin(layer: SelfAttention, gamma: float) -> SelfAttention:
    """Move a layer away from its start, where it is the identity and all positions weigh the same."""
    nn.init.constant_(layer.gamma, gamma)
    nn.init.normal_(layer.g.weight, std=0.3)
    return layer


def network(seed: int = 0, **changes: object) -> Arn:
    """An ARN that has left its start: attention and predictions are not 0."""
    torch.manual_seed(seed)
    arn = Arn(TinyBackbone(), TINY.taps, options(**changes))
    for module in arn.modules():
        if isinstance(module, SelfAttention):
            begin(module, gamma=0.5)
    for layer in (arn.predict, *arn.sides):
        nn.init.normal_(layer.weight, std=0.1)
    return arn.to(memory_format=torch.channels_last)


def images(size: tuple[int, int], batch: int = 2, seed: int = 0) -> Tensor:
    x = torch.randn(batch, 3, *size, generator=torch.Generator().manual_seed(seed))
    return x.contiguous(memory_format=torch.channels_last)


def plain_norm(x: Tensor) -> Tensor:
    """Eq. 8, channel by channel; alpha is divided by N."""
    count = x.shape[1]
    window = count // 8 + 1
    channels = []
    for k in range(count):
        first, last = max(0, k - window // 2), min(count - 1, k + window // 2)
        squares = sum(x[:, i] ** 2 for i in range(first, last + 1))
        channels.append(x[:, k] / (1 + 1e-3 / window * squares) ** 0.75)
    return torch.stack(channels, dim=1)


def unrolled(layer: RecurrentConv, u: Tensor, times: int) -> Tensor:
    """Eq. 5-8 with one full convolution for every state; the recurrent weights are the same in each."""
    state = plain_norm(functional.relu(layer.feed(u)))
    for _ in range(times):
        both = torch.cat([u, state], dim=1)
        weight = torch.cat([layer.feed.weight, layer.recur.weight], dim=1)
        state = plain_norm(functional.relu(functional.conv2d(both, weight, layer.feed.bias, padding=1)))
    return state


def dense_attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """The matrix of all pairs of positions, then its product with the values."""
    return torch.softmax(queries @ keys.mT, dim=-1) @ values
