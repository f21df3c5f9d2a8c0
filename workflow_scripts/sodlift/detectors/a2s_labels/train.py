"""Training of A2S's first stage: images and nothing else."""

from torch import Tensor, nn

from sodlift.backbones._base import normalise
from sodlift.detectors.a2s_labels.loss import WEIGHTS, terms
from sodlift.detectors.a2s_labels.network import build
from sodlift.detectors.a2s_labels.options import A2sLabelsOptions
from sodlift.errors import ConfigError
from sodlift.training.job import TrainingJob
from sodlift.training.pretrained import Pretrained
from sodlift.training.task import Batch, Loss, Task, groups_of
from sodlift.training.train import train_network


def task(options: A2sLabelsOptions, source: Pretrained) -> Task:
    """Return what is trained: the decoder on a pretrained encoder.

    Raises
    ------
    ConfigError
        If the weights' folded normalisation is to run by batch statistics, or the backbone has too few taps.
    """
    if source.entry.folded_bn and options.backbone_norm == "batch":
        raise ConfigError(
            f"{source.entry.title}: its batch normalisation is folded, so batch statistics would destroy its features",
            where="backbone_norm",
            expected="frozen",
        )
    network = build(options, source.backbone, source.module)

    def loss(module: nn.Module, batch: Batch) -> Loss:
        fused, branches = module(normalise(batch.images, source.entry))
        maps: tuple[Tensor, ...] = (fused, *branches) if options.auxiliary else (fused,)
        # held-out images are scored on all of their pixels
        total = terms(maps, WEIGHTS[: len(maps)], options.alpha, options.drop if module.training else 0.0, batch)
        count = total.new_tensor(len(batch.images))
        return Loss(total, count, count, fused)

    return Task(network, groups_of(network, options.recipe), loss, options.recipe)


def train(options: A2sLabelsOptions, job: TrainingJob) -> None:
    """Train the first stage and write ``job.output``; raises what ``sodlift.training.train.train_network`` does."""
    train_network("a2s_labels", options, job, lambda source: [task(options, source)], size=options.size, targets="none")
