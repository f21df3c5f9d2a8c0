"""The pretrained backbone that a training starts from."""

from typing import NamedTuple

from torch import nn

from sodlift.backbones import BACKBONES
from sodlift.backbones._base import Backbone, WeightsEntry
from sodlift.backbones._weights import load_pretrained
from sodlift.errors import ConfigError
from sodlift.training.options import NetworkOptions


class Pretrained(NamedTuple):
    """A backbone with its weights.

    Attributes
    ----------
    backbone : Backbone
        The registered entry: its taps.
    weights : str
        Name of the weights entry.
    entry : WeightsEntry
        Normalisation and padding that belong to the weights.
    module : nn.Module
        The network, on the CPU.
    """

    backbone: Backbone
    weights: str
    entry: WeightsEntry
    module: nn.Module

    @property
    def origin(self) -> str:
        """The weights' title and checksum."""
        return f"{self.entry.title}, {self.entry.checksum}"


def pretrained(options: NetworkOptions) -> Pretrained:
    """Return the backbone of ``options`` with its pretrained weights.

    Raises
    ------
    ConfigError
        If the weights' folded normalisation is to be trained by batch statistics.
    WeightsError, MissingDependencyError
        If the weights are missing or of another network.
    """
    backbone = BACKBONES.get(options.backbone)
    weights, entry = backbone.choose(options.weights)
    if entry.folded_bn and options.backbone_norm == "batch" and options.backbone_training == "tuned":
        raise ConfigError(
            f"{entry.title}: its batch normalisation is folded, so batch statistics would destroy its features",
            where="backbone_norm",
            expected="frozen",
        )
    return Pretrained(backbone, weights, entry, load_pretrained(backbone, entry, options.weights_file))
