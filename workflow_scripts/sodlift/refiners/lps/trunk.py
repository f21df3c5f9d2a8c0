"""What LPS and its pre-training share: the backbone, whatever of it is frozen, and how new layers start."""

import torch
from torch import Tensor, nn

from sodlift.refiners.lps.options import LpsOptions


class Trunk(nn.Module):
    """A network on a pretrained backbone, which maps (B, 3, H, W) to taps, shallow to deep."""

    def __init__(self, backbone: nn.Module, options: LpsOptions) -> None:
        super().__init__()
        self.frozen_backbone = options.backbone_training == "frozen"
        self.frozen_norm = self.frozen_backbone or options.backbone_norm == "frozen"
        self.backbone = backbone.requires_grad_(not self.frozen_backbone)

    def train(self, mode: bool = True) -> "Trunk":
        """Set the mode; a frozen normalisation of the backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen_norm:
            for module in self.backbone.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def taps(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return all taps of normalised images (B, 3, H, W); without gradients where the backbone is frozen."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen_backbone):
            return self.backbone(x)  # type: ignore[no-any-return]


def xavier(layer: nn.Conv2d | nn.Linear) -> None:
    """Start a layer from Xavier's normal distribution, its bias from 0."""
    nn.init.xavier_normal_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
