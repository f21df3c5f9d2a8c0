"""What MIRM learns from: labels and foreground weights that it reads off the prior, and its loss (Sec. 4)."""

import torch
from torch import Tensor
from torch.nn import functional


def foreground_weights(prior: Tensor, theta_fg: float) -> Tensor:
    """Return p = s [s >= theta_fg] / sum of Eq. 7, (B, 1, H, W) both; zeros for an image without such pixels."""
    certain = prior * (prior >= theta_fg)
    total = certain.sum(dim=(-3, -2, -1), keepdim=True)
    return certain / total.clamp_min(torch.finfo(prior.dtype).tiny)


def labels(prior: Tensor, theta_afg: float, theta_abg: float) -> tuple[Tensor, Tensor]:
    """Return labels (1 where prior >= theta_afg) and which pixels have one (those, and prior <= theta_abg): bool."""
    positive = prior >= theta_afg
    return positive, positive | (prior <= theta_abg)


def no_weighting(positive: Tensor, known: Tensor) -> Tensor:
    """Every labelled pixel of the batch counts the same, as published."""
    return known.float()


def balanced_weighting(positive: Tensor, known: Tensor) -> Tensor:
    """Positives and negatives of the batch count one half each."""
    count = known.sum().float()
    positives = positive.sum().float().clamp_min(1)
    negatives = (count - positives).clamp_min(1)
    return known * torch.where(positive, count / (2 * positives), count / (2 * negatives))


WEIGHTINGS = {"none": no_weighting, "balanced": balanced_weighting}
"""Weights of the pixels' losses by name."""


def terms(
    logits: Tensor, prior: Tensor, theta_afg: float, theta_abg: float, weighting: str = "none"
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the summed binary cross-entropy, the number of labelled pixels and that of positive ones: scalars.

    ``logits`` and ``prior`` are (B, 1, H, W).
    """
    positive, known = labels(prior, theta_afg, theta_abg)
    weights = WEIGHTINGS[weighting](positive, known)
    losses = functional.binary_cross_entropy_with_logits(logits.float(), positive.float(), reduction="none")
    return (losses * weights).sum(), known.sum(), positive.sum()


def loss(logits: Tensor, prior: Tensor, theta_afg: float, theta_abg: float, weighting: str = "none") -> Tensor:
    """Return the mean binary cross-entropy over the labelled pixels of the batch, a scalar.

    ``logits`` and ``prior`` are (B, 1, H, W). A batch without labelled pixels gives 0.
    """
    total, known, _ = terms(logits, prior, theta_afg, theta_abg, weighting)
    return total / known.clamp_min(1)
