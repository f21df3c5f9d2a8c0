"""Training of LPS (Sec. 3.4): a mask with some pixels on the wrong side plays the prior; the mask is to be found."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from sodlift.arrays import FloatMap
from sodlift.backbones._base import normalise
from sodlift.refiners.lps.network import build
from sodlift.refiners.lps.options import LpsOptions
from sodlift.refiners.lps.pretrain import Decoder
from sodlift.training.job import TrainingJob
from sodlift.training.pretrained import Pretrained
from sodlift.training.task import Batch, Loss, Task, groups_of
from sodlift.training.train import train_network


def refuse(stored: FloatMap, mask: FloatMap) -> str:
    """Say why a mask (H, W) at training size cannot be learnt from: a region is missing; empty if none is."""
    if not mask.any():
        return "mask without object"
    return "mask without background" if mask.all() else ""


REGIONS = 2
"""Regions of a prior that are wrong: one too much, one too few."""


def with_stray_regions(masks: Tensor, others: Tensor, draws: Tensor, largest: float) -> Tensor:
    """Return masks (B, 1, H, W) with a region too much and one too few, each by a share of up to ``largest``.

    The regions are the masks ``others`` (B, REGIONS, H, W) of other images: as large, as compact and as central as what
    a detector takes for the object. ``draws`` (B, REGIONS) in [0, 1) say how much.
    """
    more, less = (largest * draws[..., None, None] * others).split(1, dim=1)  # type: ignore[no-untyped-call]
    return masks * (1 - less) + (1 - masks) * more  # type: ignore[no-any-return]


def flipped(priors: Tensor, noise: Tensor, probability: float) -> Tensor:
    """Return priors (B, 1, H, W) in [0, 1] with pixels on the other side where noise in [0, 1) is below."""
    return torch.where(noise < probability, 1 - priors, priors)


def prior_of(batch: Batch, options: LpsOptions) -> Tensor:
    """Return what plays the prior of a batch's masks: the masks with errors that are drawn for each image alone."""
    pixels = batch.targets[0].numel()
    noise = batch.noise(pixels + REGIONS)
    priors, draws = batch.targets, noise[:, pixels:]
    if options.stray:
        priors = with_stray_regions(priors, batch.others, draws, options.stray)
    return flipped(priors, noise[:, :pixels].reshape(priors.shape), options.flip)


def cross_entropy(logits: Tensor, masks: Tensor) -> Loss:
    """Return the binary cross-entropy of logits (B, 1, H, W), every pixel weighing the same (Eq. 4)."""
    total = functional.binary_cross_entropy_with_logits(logits.float(), masks, reduction="sum")
    return Loss(total, masks.new_tensor(masks.numel()), masks.sum(), logits)


def tasks(options: LpsOptions, pretrained: Pretrained) -> tuple[Task, ...]:
    """Return the training of LPS, after that of its backbone under a decoder where the options ask for it."""
    recipe, entry = options.recipe, pretrained.entry

    def compare(network: nn.Module, batch: Batch) -> Loss:
        priors = prior_of(batch, options)
        return cross_entropy(network(normalise(batch.images, entry), priors), batch.targets)

    def find(network: nn.Module, batch: Batch) -> Loss:
        return cross_entropy(network(normalise(batch.images, entry)), batch.targets)

    network = build(options, pretrained.backbone, pretrained.module)
    others = REGIONS if options.stray else 0
    promotion = Task(network, groups_of(network, recipe), compare, recipe, others=others)
    if not options.pretrain_steps:
        return (promotion,)
    decoder = Decoder(pretrained.module, pretrained.backbone.taps, options)
    earlier = replace(recipe, steps=options.pretrain_steps, batch=options.pretrain_batch)
    return Task(decoder, groups_of(decoder, earlier), find, earlier), promotion


def train(options: LpsOptions, job: TrainingJob) -> None:
    """Train LPS and write ``job.output``.

    Raises
    ------
    DataError
        If no image is usable.
    ConfigError
        If the weights' folded normalisation is to be trained by batch statistics, or a tap is unknown.
    WeightsError
        If the pretrained weights are missing or of another network.
    TrainingError
        If the loss is no longer a number.
    """
    train_network(
        "lps", options, job, lambda start: tasks(options, start), size=options.size, targets="masks", refuse=refuse
    )
