"""Training of A2S's second stage: from pseudo labels that it rectifies as it goes."""

from torch import nn

from sodlift.arrays import FloatMap
from sodlift.backbones._base import normalise
from sodlift.detectors.a2s.loss import losses
from sodlift.detectors.a2s.network import build
from sodlift.detectors.a2s.options import A2sOptions
from sodlift.detectors.a2s.rectify import remember
from sodlift.training.job import TrainingJob
from sodlift.training.pretrained import Pretrained
from sodlift.training.task import Batch, Loss, Task, groups_of
from sodlift.training.train import train_network


def refuse(stored: FloatMap, label: FloatMap) -> str:
    """Say why a label (H, W) at training size cannot be learnt from: made binary it lacks one side; empty if not."""
    above = label > 0.5
    if not above.any():
        return "label without object"
    return "label without background" if above.all() else ""


def task(options: A2sOptions, source: Pretrained) -> Task:
    """Return what is trained; raises ConfigError where the backbone has too few taps."""
    network = build(options, source.backbone, source.module)

    def loss(module: nn.Module, batch: Batch) -> Loss:
        logits = module(normalise(batch.images, source.entry))
        found = losses(logits, batch.targets)
        return Loss(found.sum(), found.new_tensor(len(found)), (batch.targets > 0.5).sum(), logits)

    return Task(network, groups_of(network, options.recipe), loss, options.recipe, remember=remember(options))


def train(options: A2sOptions, job: TrainingJob) -> None:
    """Train the second stage and write ``job.output``; raises what ``sodlift.training.train.train_network`` does."""
    train_network(
        "a2s",
        options,
        job,
        lambda source: [task(options, source)],
        size=options.size,
        targets="priors",
        refuse=refuse,
    )
