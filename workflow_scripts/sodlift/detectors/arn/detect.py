"""Detection by a trained ARN."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sodlift.arrays import FloatMap, Image8, minmax, resize, resize_image
from sodlift.backbones._base import WeightsEntry, normalise
from sodlift.detectors.arn.network import Arn, build
from sodlift.detectors.arn.options import NETWORK_OPTIONS, ArnOptions
from sodlift.training.device import find_device
from sodlift.training.fold import fold_norms
from sodlift.training.trained import trained_network


@dataclass(frozen=True)
class ArnDetector:
    """ARN ready: ``predict`` gives the maps of images."""

    network: Arn
    entry: WeightsEntry
    options: ArnOptions
    device: torch.device

    def network_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the height and width that the network sees of an image of ``size``; equal ones share a batch."""
        return (self.options.size, self.options.size)

    def predict(self, images: Sequence[Image8]) -> list[FloatMap]:
        """Return the map (H, W) float32 in [0, 1] of each image (H, W, 3) uint8 RGB, from one batch.

        The sigmoid is taken at the network's size, and its map resized to the image's bilinearly.
        """
        side = (self.options.size, self.options.size)
        small = np.stack([resize_image(image, side) for image in images])
        with torch.inference_mode():
            tensor = torch.from_numpy(small).to(self.device).permute(0, 3, 1, 2)
            logits = self.network(normalise(tensor, self.entry))[0]
            found = torch.sigmoid(logits.float())[:, 0].cpu().numpy()
        maps = [resize(one, image.shape[:2]) for one, image in zip(found, images, strict=True)]
        return list(map(minmax, maps)) if self.options.stretch else maps


def load(options: ArnOptions, device: str) -> ArnDetector:
    """Load the trained ARN that the options name; raises WeightsError for a missing file or one of another network."""
    network, entry = trained_network("arn", options, NETWORK_OPTIONS, build, options.model)
    network.requires_grad_(False).eval()
    fold_norms(network.backbone)
    found = find_device(device)
    return ArnDetector(network.to(found, memory_format=torch.channels_last), entry, options, found)  # type: ignore[call-overload]
