"""Saliency maps by a trained second stage of A2S."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sodlift.arrays import FloatMap, Image8, resize_image
from sodlift.backbones._base import WeightsEntry, normalise
from sodlift.detectors.a2s.network import A2s, build
from sodlift.detectors.a2s.options import NETWORK_OPTIONS, A2sOptions
from sodlift.detectors.a2s_labels.detect import stretched
from sodlift.detectors.a2s_labels.trunk import resize
from sodlift.training.device import find_device
from sodlift.training.trained import trained_network


@dataclass(frozen=True)
class A2sDetector:
    """The detector, ready to use."""

    network: A2s
    entry: WeightsEntry
    options: A2sOptions
    device: torch.device

    def network_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the height and width that the network sees of an image: its own square, of any image."""
        return self.options.size, self.options.size

    def predict(self, images: Sequence[Image8]) -> list[FloatMap]:
        """Return the min-max normalised map of each image (H, W, 3) uint8 RGB, at its own size; 0 for a constant one.

        Logits are resized, and the sigmoid taken of what they become.
        """
        sizes = [(image.shape[0], image.shape[1]) for image in images]
        stacked = np.stack([resize_image(i, self.network_size(s)) for i, s in zip(images, sizes, strict=True)])
        with torch.inference_mode():
            tensor = torch.from_numpy(stacked).to(self.device).permute(0, 3, 1, 2)
            logits = self.network(normalise(tensor, self.entry)).float()
            maps = [torch.sigmoid(resize(logits[i : i + 1], size))[0, 0] for i, size in enumerate(sizes)]
        return [stretched(np.asarray(found.cpu().numpy(), dtype=np.float32)) for found in maps]


def load(options: A2sOptions, device: str) -> A2sDetector:
    """Load a trained second stage; raises WeightsError for a missing model file or one of another network."""
    network, entry = trained_network("a2s", options, NETWORK_OPTIONS, build, options.model)
    found = find_device(device)
    network.to(found, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    return A2sDetector(network, entry, options, found)
