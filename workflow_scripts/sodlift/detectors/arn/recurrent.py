"""The recurrent convolution layer (Eq. 5-8): its state is convolved again and again by the same weights."""

import torch
from torch import Tensor, nn
from torch.nn import functional

ALPHA = 1e-3
BETA = 0.75
"""Of Eq. 8, which the paper gives no numbers for."""


def he(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Start a layer before a ReLU from He's normal distribution, its bias from 0.

    A transposed convolution of stride s gathers for each output what one of s^2 of its kernel's places gives.
    """
    gathered = layer.kernel_size[0] ** 2
    if isinstance(layer, nn.ConvTranspose2d):
        gathered //= layer.stride[0] ** 2
    nn.init.normal_(layer.weight, std=(2 / (layer.in_channels * gathered)) ** 0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def neighbours(channels: int) -> Tensor:
    """Return alpha / N for each pair of channels within N / 2 of each other, N = channels / 8 + 1, else 0: (C, C)."""
    window = channels // 8 + 1
    index = torch.arange(channels)
    near = (index[:, None] - index).abs() <= window // 2
    return near * (ALPHA / window)


def response_norm(x: Tensor, near: Tensor) -> Tensor:
    """Return x / (1 + alpha / N * sum of x^2 over N neighbouring channels) ** 0.75 (Eq. 8), float32 at least.

    The sums are one product with a band matrix, several times as fast on a CPU as torch's layer, which pools over
    channels; a power of -3/4 is made of two roots.

    Parameters
    ----------
    x : (B, C, H, W)
        Fastest in channels-last memory, in which its pixels are the rows of a matrix.
    near : (C, C)
        What ``neighbours`` gives.
    """
    with torch.autocast(x.device.type, enabled=False):  # squares and their small factor need the digits
        x = x if x.dtype == torch.float64 else x.float()
        sums = functional.linear(x.square().movedim(1, -1), near.to(x.dtype)).movedim(-1, 1)
        root = torch.rsqrt(1 + sums)
        return x * (root * root.sqrt())


class RecurrentConv(nn.Module):
    """x(0) = LRN(ReLU(Wf u + b)), x(t) = LRN(ReLU(Wf u + Wr x(t-1) + b)) for t = 1 .. T; Wf u + b is made once.

    Parameters
    ----------
    inputs, channels : int
        Channels of u and of x.
    times : int
        T; 0 leaves the recurrence out.
    """

    def __init__(self, inputs: int, channels: int, times: int) -> None:
        super().__init__()
        self.times = times
        self.feed = nn.Conv2d(inputs, channels, 3, padding=1)
        self.recur = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.near: Tensor
        self.register_buffer("near", neighbours(channels), persistent=False)
        he(self.feed)
        he(self.recur)

    def forward(self, u: Tensor) -> Tensor:
        """Map u (B, inputs, H, W) to x(T) (B, channels, H, W)."""
        fed = self.feed(u)
        x = response_norm(functional.relu(fed), self.near)
        for _ in range(self.times):
            x = response_norm(functional.relu(fed + self.recur(x)), self.near)
        return x
