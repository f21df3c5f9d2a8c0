"""Features of an image's superpixels by a pretrained backbone."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from sodlift.arrays import Image8, resize_image
from sodlift.backbones._base import WeightsEntry, normalise
from sodlift.refiners.mijr.data import Floats
from sodlift.refiners.mijr.features import region_features
from sodlift.superpixels.regions import Labels
from sodlift.training.fold import fold_norms


@dataclass(frozen=True)
class Extractor:
    """A backbone at work; its batch normalisation is folded in place.

    Attributes
    ----------
    backbone : nn.Module
        Gives the feature maps.
    entry : WeightsEntry
        Normalisation that belongs to its weights.
    shape : (int, int)
        Height and width at which it sees an image.
    device : torch.device
        Where it runs.
    """

    backbone: nn.Module
    entry: WeightsEntry
    shape: tuple[int, int]
    device: torch.device

    def __call__(self, image: Image8, labels: Labels, count: int) -> Floats:
        """Return the features (n, 2 C) float32 of the superpixels of an image (H, W, 3)."""
        small = torch.from_numpy(np.array(resize_image(image, self.shape))).permute(2, 0, 1)[None].to(self.device)
        with torch.inference_mode():
            taps = self.backbone(normalise(small, self.entry))
            return np.asarray(region_features([tap[0] for tap in taps], labels, count).cpu().numpy())


def extractor(backbone: nn.Module, entry: WeightsEntry, shape: tuple[int, int], device: torch.device) -> Extractor:
    """Return a backbone ready to extract, in evaluation mode."""
    backbone.requires_grad_(False).eval()
    fold_norms(backbone)
    return Extractor(backbone.to(device, memory_format=torch.channels_last), entry, shape, device)  # type: ignore[call-overload]
