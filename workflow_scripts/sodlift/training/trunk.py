"""What the networks of refiners and detectors share: a pretrained backbone, and whatever of it is frozen."""

from typing import Self

import torch
from torch import Tensor, nn


class Trunk(nn.Module):
    """A network on a pretrained backbone.

    Parameters
    ----------
    backbone : nn.Module
        Maps (B, 3, H, W) to taps, shallow to deep.
    frozen : bool
        No gradient reaches the backbone.
    frozen_norm : bool
        The backbone's batch normalisation stays in evaluation mode in training.
    """

    def __init__(self, backbone: nn.Module, *, frozen: bool, frozen_norm: bool) -> None:
        super().__init__()
        self.frozen_backbone, self.frozen_norm = frozen, frozen_norm
        self.backbone = backbone.requires_grad_(not frozen)

    def train(self, mode: bool = True) -> Self:
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
