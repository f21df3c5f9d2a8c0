"""Training of ARN: binary cross-entropy with the masks, of the final map and, where asked for, of the coarser scales'.

A mask without an object is learnt from like any other: that nothing stands out can be right.
"""

from torch import Tensor, nn
from torch.nn import functional

from sodlift.backbones._base import normalise
from sodlift.detectors.arn.network import build
from sodlift.detectors.arn.options import ArnOptions
from sodlift.training.job import TrainingJob
from sodlift.training.pretrained import Pretrained
from sodlift.training.task import Batch, Loss, Task, groups_of
from sodlift.training.train import train_network


def cross_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the sum of the binary cross-entropy of logits and masks (B, 1, H, W)."""
    return functional.binary_cross_entropy_with_logits(logits.float(), masks, reduction="sum")


def task(options: ArnOptions, pretrained: Pretrained) -> Task:
    """Return the training; what is validated is the final map alone."""

    def loss(network: nn.Module, batch: Batch) -> Loss:
        final, *sides = network(normalise(batch.images, pretrained.entry))
        total = cross_entropy(final, batch.targets)
        for side in sides:
            total = total + options.side_weight * cross_entropy(side, batch.targets)
        masks = batch.targets
        return Loss(total, masks.new_tensor(masks.numel()), masks.sum(), final)

    network = build(options, pretrained.backbone, pretrained.module)
    return Task(network, groups_of(network, options.recipe), loss, options.recipe)


def train(options: ArnOptions, job: TrainingJob) -> None:
    """Train ARN and write ``job.output``.

    Raises
    ------
    DataError
        If there is no image, or a mask is missing or broken.
    ConfigError
        If the backbone has no tap of a stride asked for, or its folded normalisation is to be trained.
    WeightsError
        If the pretrained weights are missing or of another network.
    TrainingError
        If the loss is no longer a number.
    """
    train_network("arn", options, job, lambda start: (task(options, start),), size=options.size, targets="masks")
