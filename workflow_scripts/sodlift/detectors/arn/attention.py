"""Self-attention over all positions of a feature map (Eq. 1-4), without the matrix of positions by positions.

That matrix of a 112x112 map has 157 million numbers. The kernel behind ``scaled_dot_product_attention`` makes it in
blocks that it forgets, and makes them again for the gradient; the result is exact. Its fast form wants queries, keys
and values of one width, so that zeros fill up the first two: they add nothing to the products.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

REDUCTION = 8
"""Queries and keys have this share of the channels."""


def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return softmax(Q K') V without scale for Q, K (B, N, D) and V (B, N, C), D <= C: (B, N, C).

    Each query's weights over all N keys sum to 1. Memory is proportional to N, not to its square.
    """
    missing = values.shape[-1] - queries.shape[-1]
    q, k = (functional.pad(x, (0, missing)) for x in (queries, keys))
    v = values.contiguous()  # or the kernel falls back to the matrix; no copy where features are channels-last
    return functional.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None], scale=1.0)[:, 0]


class SelfAttention(nn.Module):
    """y = gamma o + x, with o the mean of h(x) over all positions, weighted by softmax(f(x)' g(x)).

    ``gamma`` starts from 0, so that the layer starts as the identity; what is under it learns once gamma has moved.
    ``g`` starts from 0, too: o starts as the mean. With a random start f(x)' g(x) is in the hundreds for VGG16's
    features, so that the softmax picks one position and passes no gradient on.

    Parameters
    ----------
    channels : int
        Channels of x, C; f and g have C / 8, at least 1.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // REDUCTION, 1)
        self.f = nn.Conv2d(channels, inner, 1)
        self.g = nn.Conv2d(channels, inner, 1)
        self.h = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(()))
        for layer in (self.f, self.g, self.h):  # nothing halves their variance, which He's start would make up for
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.zeros_(self.g.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        keys, queries, values = (layer(x).flatten(2).mT for layer in (self.f, self.g, self.h))
        found = attend(queries, keys, values).mT.reshape_as(x)
        return self.gamma * found + x
