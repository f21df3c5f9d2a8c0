"""The losses of A2S's second stage: cross-entropy, structural similarity and overlap; one value an image."""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

WINDOW, SIGMA = 11, 1.5
C1, C2 = 1e-4, 9e-4
"""Constants of SSIM: (0.01 L)^2 and (0.03 L)^2 for values of range L = 1."""

EPSILON = 1e-7
"""Keeps the overlap of two empty maps a number."""


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean binary cross-entropy of logits against targets of 0 and 1, (B, 1, H, W) both: (B,)."""
    losses = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return losses.mean(dim=(-3, -2, -1))


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean structural similarity of maps in [0, 1], (B, 1, H, W) both: (B,), at most 1.

    Statistics are those of a Gaussian window of 11x11 pixels with standard deviation 1.5; beyond the border maps are 0.
    """
    mean_x, mean_y = _blurred(x), _blurred(y)
    var_x, var_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    structure = (2 * covariance + C2) / (var_x + var_y + C2)
    return (luminance * structure).mean(dim=(-3, -2, -1))


def overlap(x: Tensor, y: Tensor) -> Tensor:
    """Return the soft intersection over union of maps in [0, 1], (B, 1, H, W) both: (B,)."""
    both = (x * y).sum(dim=(-3, -2, -1))
    either = x.sum(dim=(-3, -2, -1)) + y.sum(dim=(-3, -2, -1)) - both
    return (both + EPSILON) / (either + EPSILON)


def losses(logits: Tensor, label: Tensor) -> Tensor:
    """Return BCE + (1 - SSIM) + (1 - IoU) of each image, (B,), for labels in [0, 1] that are made binary at 1/2."""
    with torch.autocast(logits.device.type, enabled=False):
        logits, target = logits.float(), (label > 0.5).float()
        prediction = torch.sigmoid(logits)
        return cross_entropy(logits, target) + (1 - ssim(prediction, target)) + (1 - overlap(prediction, target))


@cache
def _window(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the Gaussian of one axis, which sums to 1."""
    position = torch.arange(WINDOW, dtype=dtype, device=device) - WINDOW // 2
    weights = torch.exp(-(position**2) / (2 * SIGMA**2))
    return weights / weights.sum()


def _blurred(x: Tensor) -> Tensor:
    """Blur (B, 1, H, W), along one axis after the other."""
    window, half = _window(x.dtype, x.device), WINDOW // 2
    down = functional.conv2d(x, window.view(1, 1, -1, 1), padding=(half, 0))
    return functional.conv2d(down, window.view(1, 1, 1, -1), padding=(0, half))
