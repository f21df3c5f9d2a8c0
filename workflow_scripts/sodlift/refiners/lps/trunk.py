"""What LPS and its pre-training share: the backbone, and how new layers start."""

from torch import nn

from sodlift.refiners.lps.options import LpsOptions
from sodlift.training.trunk import Trunk


class LpsTrunk(Trunk):
    """A network on LPS's backbone; one that is frozen keeps its normalisation, too."""

    def __init__(self, backbone: nn.Module, options: LpsOptions) -> None:
        frozen = options.backbone_training == "frozen"
        super().__init__(backbone, frozen=frozen, frozen_norm=frozen or options.backbone_norm == "frozen")


def xavier(layer: nn.Conv2d | nn.Linear) -> None:
    """Start a layer from Xavier's normal distribution, its bias from 0."""
    nn.init.xavier_normal_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
