"""Pseudo labels by a trained first stage of A2S (Eq. 6)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sodlift.arrays import FloatMap, Image8, minmax, resize_image
from sodlift.backbones._base import WeightsEntry, normalise
from sodlift.detectors.a2s_labels.network import A2sLabels, build
from sodlift.detectors.a2s_labels.options import NETWORK_OPTIONS, A2sLabelsOptions
from sodlift.detectors.a2s_labels.trunk import resize
from sodlift.refiners.densecrf import DenseCrf, DenseCrfOptions
from sodlift.training.device import find_device
from sodlift.training.trained import trained_network

FLAT = 1e-6
"""Span below which a map counts as constant."""


def stretched(saliency: FloatMap) -> FloatMap:
    """Min-max normalise a map (H, W) in [0, 1]; a constant one, which tells no object from its ground, gives zeros."""
    if float(saliency.max() - saliency.min()) < FLAT:
        return np.zeros_like(saliency)
    return np.asarray(np.clip(minmax(saliency), 0, 1), dtype=np.float32)


def soft(image: Image8, activation: FloatMap) -> FloatMap:
    """Return the min-max normalised map."""
    return stretched(activation)


def crf(image: Image8, activation: FloatMap) -> FloatMap:
    """Return the label of 0 and 1: above half of the map's range, cleaned by DenseCRF and a median filter.

    The threshold lies in the middle of the sigmoid's range in this image, as in the authors' code, not at activation 0.
    """
    above = stretched(activation) > 0.5
    if not above.any():
        return np.zeros_like(activation)
    refined = DenseCrf(DenseCrfOptions.presets()["a2s"]).refine(image, above.astype(np.float32)).saliency
    assert refined is not None  # no map is refused
    return refined


LABELS = {"crf": crf, "soft": soft}
"""What is made of an image (H, W, 3) and its sigmoid activation (H, W), by name."""


@dataclass(frozen=True)
class A2sLabelsDetector:
    """The first stage, ready to make labels; a constant activation gives an empty one."""

    network: A2sLabels
    entry: WeightsEntry
    options: A2sLabelsOptions
    device: torch.device

    def network_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the height and width that the network sees of an image of ``size``."""
        side = self.options.label_size
        return (side, side) if side else size

    def activations(self, images: Sequence[Image8]) -> list[FloatMap]:
        """Return the sigmoid of each image's signed activation, (H, W) float32 in [0, 1], at the image's own size."""
        sizes = [(image.shape[0], image.shape[1]) for image in images]
        stacked = np.stack([resize_image(i, self.network_size(s)) for i, s in zip(images, sizes, strict=True)])
        with torch.inference_mode():
            tensor = torch.from_numpy(stacked).to(self.device).permute(0, 3, 1, 2)
            fused = self.network(normalise(tensor, self.entry)).fused.float()
            maps = [torch.sigmoid(resize(fused[i : i + 1], size))[0, 0] for i, size in enumerate(sizes)]
        return [np.asarray(found.cpu().numpy(), dtype=np.float32) for found in maps]

    def predict(self, images: Sequence[Image8]) -> list[FloatMap]:
        """Return the label, or the soft map, of each image (H, W, 3) uint8 RGB, all of one network size."""
        make = LABELS[self.options.labels]
        return [make(image, found) for image, found in zip(images, self.activations(images), strict=True)]


def load(options: A2sLabelsOptions, device: str) -> A2sLabelsDetector:
    """Load a trained first stage; raises WeightsError for a missing model file or one of another network."""
    network, entry = trained_network("a2s_labels", options, NETWORK_OPTIONS, build, options.model)
    found = find_device(device)
    network.to(found, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    return A2sLabelsDetector(network, entry, options, found)
