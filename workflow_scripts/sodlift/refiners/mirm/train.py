"""Training of MIRM (Sec. 5.3): labels and foreground weights are read off the priors; no ground truth is used."""

import torch
from torch import Tensor, nn

from sodlift.arrays import FloatMap
from sodlift.backbones._base import normalise
from sodlift.refiners.mirm import loss as mirm_loss
from sodlift.refiners.mirm.network import build
from sodlift.refiners.mirm.options import USABLE_MAX, USABLE_MIN, MirmOptions
from sodlift.training.job import TrainingJob
from sodlift.training.pretrained import Pretrained
from sodlift.training.task import Batch, Loss, Task, groups_of
from sodlift.training.train import train_network


def refuse(stored: FloatMap, prior: FloatMap, options: MirmOptions) -> str:
    """Say why a sample cannot be learnt from: no certain foreground, or no background; empty if it can."""
    if stored.max() < USABLE_MAX or prior.max() < options.theta_fg:
        return "prior without certain foreground"
    if stored.min() > USABLE_MIN or prior.min() > options.theta_abg:
        return "prior without background"
    return ""


def inverted(batch: Batch, share: float) -> Tensor:
    """Return the priors (B, 1, H, W), those of a random ``share`` of the images as their 8-bit complement."""
    complement = (255 - batch.targets * 255).round() / 255
    return torch.where((batch.chance < share)[:, None, None, None], complement, batch.targets)


def task(options: MirmOptions, source: Pretrained) -> Task:
    """Return what is trained: MIRM on its backbone, by the labels of its priors."""
    network = build(options, source.backbone, source.module)

    def loss(module: nn.Module, batch: Batch) -> Loss:
        # held-out images keep their priors: the score is that of the task itself
        priors = inverted(batch, options.invert) if module.training else batch.targets
        weights = mirm_loss.foreground_weights(priors, options.theta_fg)
        turns = module.training and options.pair_order == "random"
        swapped = batch.noise(1)[:, 0] < 0.5 if turns else None
        logits = module(normalise(batch.images, source.entry), weights, swapped)
        thresholds = (options.theta_afg, options.theta_abg)
        total, labelled, positives = mirm_loss.terms(logits, priors, *thresholds, options.loss_weighting)
        return Loss(total, labelled, positives, logits)

    return Task(network, groups_of(network, options.recipe), loss, options.recipe)


def train(options: MirmOptions, job: TrainingJob) -> None:
    """Train MIRM and write ``job.output``; raises what ``sodlift.training.train.train_network`` does."""
    train_network(
        "mirm",
        options,
        job,
        lambda source: [task(options, source)],
        size=options.train_size,
        targets="priors",
        refuse=lambda stored, prior: refuse(stored, prior, options),
    )
