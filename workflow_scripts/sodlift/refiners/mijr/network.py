"""MIJR's networks: a filter of pairs and M classifiers, on features of superpixels (Sec. IV-B and IV-C)."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sodlift.backbones._base import Backbone
from sodlift.refiners.mijr.options import MijrOptions

EVIDENCE = 4
"""What a pair has beside features: the base map's mean on the superpixel, the partner's certain shares, the trust."""
CERTAIN = 0.5
"""Share of a partner that its pseudo ground truth has to be certain of, or the pair does not count."""
PACE = 0.02
"""Share of a step in the running errors of the classifiers. The paper renews them once an epoch."""
LEAST_ERROR, MOST_ERROR = 0.01, 0.49
"""Eq. of alpha has no finite value at an error of 0, and a negative one above a half."""


class Pairs(NamedTuple):
    """Superpixels with their partners, M each.

    Attributes
    ----------
    own : (B, 2 C) Tensor
        The superpixels' features.
    partner : (B, M, 2 C) Tensor
        Their partners'; anything where there is none.
    base : (B,) Tensor
        Mean of the base map on the superpixels, in [0, 1].
    certain : (B, M, 2) Tensor
        Shares of the partners that their pseudo ground truth takes for foreground, and for background.
    trust : (B, M) Tensor
        exp(-cost / median cost) of the links, 0 where there is none (the paper weighs by a distance: see Eq. 6).
    valid : (B, M) bool Tensor
        Whether there is a partner, and its pseudo ground truth is certain of most of it.
    """

    own: Tensor
    partner: Tensor
    base: Tensor
    certain: Tensor
    trust: Tensor
    valid: Tensor


class Scorer(nn.Module):
    """Fully connected layers with ReLU, dropout after the first two, and one logit (Sec. IV-B)."""

    def __init__(self, inputs: int, options: MijrOptions) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, width in enumerate(options.widths):
            layers += [nn.Linear(inputs, width), nn.ReLU(inplace=True)]
            layers += [nn.Dropout(options.dropout)] if i < 2 else []
            inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, 1))

    def forward(self, pairs: Tensor) -> Tensor:
        """Map (..., inputs) to logits (...)."""
        return self.layers(pairs)[..., 0]  # type: ignore[no-any-return]


class Standard(nn.Module):
    """Features with the mean and deviation that they have in the pool taken out, and evidence beside them."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int, *, evidence: bool) -> None:
        super().__init__()
        self.evidence = evidence
        self.inputs = 4 * channels + EVIDENCE * evidence
        self.register_buffer("mean", torch.zeros(2 * channels))
        self.register_buffer("deviation", torch.ones(2 * channels))

    def forward(self, pairs: Pairs) -> Tensor:
        """Return what a scorer sees of pairs: (B, M, inputs)."""
        own = self._standard(pairs.own)[:, None].expand(-1, pairs.partner.shape[1], -1)
        parts = [own, self._standard(pairs.partner)]
        if self.evidence:
            base = pairs.base[:, None, None].expand(-1, pairs.partner.shape[1], 1)
            parts += [base, pairs.certain, pairs.trust[..., None]]
        return torch.cat(parts, dim=2)

    def _standard(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.deviation


class Filter(nn.Module):
    """Tells which pairs are of use: the base map is wrong about the superpixel, and the partner is right."""

    def __init__(self, standard: Standard, options: MijrOptions) -> None:
        super().__init__()
        self.standard = standard
        self.scorer = Scorer(standard.inputs, options)

    def forward(self, pairs: Pairs) -> Tensor:
        """Return logits (B, M)."""
        return self.scorer(self.standard(pairs))  # type: ignore[no-any-return]


class Decided(NamedTuple):
    """What is made of superpixels.

    Attributes
    ----------
    joint : (B,) Tensor
        The joint logit (Eq. 6), 0 where no pair passed.
    single : (B, M) Tensor
        Each classifier's own.
    passed : (B, M) bool Tensor
        Which pairs passed the filter.
    """

    joint: Tensor
    single: Tensor
    passed: Tensor


class Mijr(nn.Module):
    """The backbone, the filter, M classifiers, and what is known of the pool.

    Parameters
    ----------
    backbone : nn.Module
        Gives the feature maps; it is not trained.
    channels : int
        All of their channels.
    superpixels : int
        Of all images of the pool.
    options : MijrOptions
        Widths, M, the filter.
    """

    error: Tensor
    certain: Tensor
    median_cost: Tensor
    positives: Tensor
    pool: Tensor

    def __init__(self, backbone: nn.Module, channels: int, superpixels: int, options: MijrOptions) -> None:
        super().__init__()
        self.backbone = backbone.requires_grad_(False)
        standard = Standard(channels, evidence=options.evidence)
        self.filter = Filter(standard, options)
        self.classifiers = nn.ModuleList(Scorer(standard.inputs, options) for _ in range(options.classifiers))
        self.filtered, self.trust = options.filtered, options.trust
        self.register_buffer("error", torch.full((options.classifiers,), 0.25))
        self.register_buffer("certain", torch.zeros(superpixels, 2))
        self.register_buffer("median_cost", torch.ones(()))
        self.register_buffer("positives", torch.zeros((), dtype=torch.int64))
        self.register_buffer("pool", torch.zeros(32, dtype=torch.uint8))

    def train(self, mode: bool = True) -> "Mijr":
        """Set the mode of the classifiers; backbone and filter stay as they are used."""
        super().train(mode)
        self.backbone.eval()
        self.filter.eval()
        return self

    def forward(self, pairs: Pairs) -> Decided:
        """Return joint and single logits."""
        inputs = self.filter.standard(pairs)
        with torch.no_grad():
            passed = pairs.valid
            if self.filtered:
                passed = passed & (torch.sigmoid(self.filter.scorer(inputs)) > self.trust)
        single = torch.stack([one(inputs[:, m]) for m, one in enumerate(self.classifiers)], dim=1)
        weight = pairs.trust * passed
        weight = weight / weight.sum(dim=1, keepdim=True).clamp(min=1e-12)
        return Decided((weight * single).sum(dim=1), single, passed)

    def alpha(self) -> Tensor:
        """Return the weights (M,) of the classifiers' own losses, by their errors: ln((1 - e) / e) / 2."""
        error = self.error.clamp(LEAST_ERROR, MOST_ERROR)
        return 0.5 * torch.log((1 - error) / error)

    def observe(self, single: Tensor, truth: Tensor, valid: Tensor) -> None:
        """Renew the running errors by logits (B, M) of superpixels whose truth (B,) is 0 or 1."""
        wrong = ((single > 0) != (truth[:, None] > 0.5)) & valid
        seen = valid.sum(dim=0)
        rate = wrong.sum(dim=0) / seen.clamp(min=1)
        self.error.lerp_(torch.where(seen > 0, rate.float(), self.error), PACE)


def trust_of(cost: Tensor, median: Tensor) -> Tensor:
    """Return exp(-cost / median), 0 for an infinite cost."""
    return torch.exp(-cost / median)


def build(options: Any, backbone: Backbone, module: nn.Module, superpixels: int) -> Mijr:
    """Return the network on a registered backbone."""
    return Mijr(module, sum(tap.channels for tap in backbone.taps), superpixels, options)


def joint_loss(decided: Decided, truth: Tensor, valid: Tensor, alpha: Tensor) -> Tensor:
    """Return the sum over superpixels of the joint loss and the classifiers' own (Sec. IV-C): L_joint + sum alpha L."""
    target = truth[:, None].expand_as(decided.single)
    own = functional.binary_cross_entropy_with_logits(decided.single.float(), target, reduction="none")
    joint = functional.binary_cross_entropy_with_logits(decided.joint.float(), truth, reduction="none")
    return (joint * decided.passed.any(dim=1)).sum() + (alpha * own * valid).sum()
