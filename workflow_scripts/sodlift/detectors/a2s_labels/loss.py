"""The loss of A2S's first stage: every activation is to be far from 0, on whichever side."""

import torch
from torch import Tensor

from sodlift.training.task import Batch

WEIGHTS = (1.0, 0.1, 0.3, 0.5)
"""Of the fused map and of those of the taps, deepest last: the authors' code's; the paper gives none."""


def undecided(activation: Tensor, alpha: float) -> Tensor:
    """Return 1 - [(s - 1/2)^2 + alpha |s - 1/2|] with s = sigmoid(activation), of the activation's shape."""
    distance = (activation.float().sigmoid() - 0.5).abs()
    return 1 - distance.square() - alpha * distance


def terms(
    activations: tuple[Tensor, ...], weights: tuple[float, ...], alpha: float, drop: float, batch: Batch
) -> Tensor:
    """Return the sum over images of the weighted means of ``undecided`` over the kept pixels: a scalar.

    Each image has a mean of its own for each map, so that a batch may be shared or halved.

    Parameters
    ----------
    activations : tuple of (B, 1, h, w)
        The maps, of any sizes.
    weights : tuple of float
        Their weights.
    alpha : float
        See ``undecided``.
    drop : float
        Probability that a pixel takes no part, drawn for each pixel of each map by ``batch.noise``.
    batch : Batch
        Where the random numbers come from.
    """
    losses = [undecided(activation, alpha).flatten(1) for activation in activations]
    if not drop:
        means = [loss.mean(dim=1) for loss in losses]
    else:
        pixels = [loss.shape[1] for loss in losses]
        kept = [(noise >= drop).float() for noise in torch.split(batch.noise(sum(pixels)), pixels, dim=1)]
        pairs = zip(losses, kept, strict=True)
        means = [(loss * keep).sum(dim=1) / keep.sum(dim=1).clamp_min(1) for loss, keep in pairs]
    return sum((weight * mean.sum() for weight, mean in zip(weights, means, strict=True)), losses[0].new_zeros(()))
