"""Refinement by a trained LPS: its iterations (Eq. 5), and the priors that it cannot compare with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sodlift.arrays import FloatMap, Image8, resize, resize_image
from sodlift.backbones._base import WeightsEntry, normalise
from sodlift.refiners._base import Refined
from sodlift.refiners.lps.network import Encoded, Lps, build
from sodlift.refiners.lps.options import NETWORK_OPTIONS, LpsOptions
from sodlift.training.device import find_device
from sodlift.training.fold import fold_norms, fold_pair
from sodlift.training.trained import trained_network

LEAST_MASS = 1.0
"""Pixels, at the network's size, that a region has at least: an anchor of less is the mean of hardly anything."""

KEPT = "kept prior: a region has less than 1 pixel"
STOPPED = "iterations stopped: a region has less than 1 pixel"


def has_regions(maps: Tensor) -> Tensor:
    """Return which maps (B, P, H, W) in [0, 1] have both regions, as bool (B, P, 1, 1)."""
    inside = maps.sum(dim=(-2, -1), keepdim=True)
    outside = (1 - maps).sum(dim=(-2, -1), keepdim=True)
    return (inside >= LEAST_MASS) & (outside >= LEAST_MASS)


def iterations(network: Lps, encoded: Encoded, priors: Tensor, times: int) -> Iterator[Tensor]:
    """Yield the maps Y_0 .. Y_times (B, P, H, W) of Eq. 5, Y_0 being the priors.

    Y_t = Z / t + Y_(t-1) (t - 1) / t with Z the network's map under Y_(t-1): the mean of all of the network's maps, in
    which the prior has no part. A map of which a region is gone stays as it is.
    """
    current = priors
    yield current
    for t in range(1, times + 1):
        found = torch.sigmoid(network.decide(encoded, current))
        current = torch.where(has_regions(current), found / t + current * ((t - 1) / t), current)
        yield current


def folded(network: Lps) -> Lps:
    """Return a trained network in evaluation mode, its batch normalisation folded in place: it cannot be trained."""
    network.requires_grad_(False).eval()
    fold_norms(network.backbone)
    for subpixel in network.subpixels:
        fold_pair(subpixel, "conv", "norm")
    return network


@dataclass(frozen=True)
class Features:
    """What an LPS makes of an image before it sees a prior; serves every prior of the image.

    Attributes
    ----------
    encoded : Encoded
        The network's features, of one image.
    size : (int, int)
        The image's height and width, to which maps return.
    """

    encoded: Encoded
    size: tuple[int, int]


@dataclass(frozen=True)
class LpsRefiner:
    """LPS ready: ``refine`` one prior, ``refine_all`` several of an image, ``iterate`` gives every iteration."""

    network: Lps
    entry: WeightsEntry
    options: LpsOptions
    device: torch.device

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB; no map is refused."""
        return self.refine_all(self.features(image), [prior])[0]

    def network_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the height and width that the network sees of an image of ``size``; equal ones share a batch."""
        return (self.options.size, self.options.size)

    def features(self, image: Image8) -> Features:
        """Return what all priors of an image (H, W, 3) uint8 RGB share; it costs nearly all of the time."""
        return self.encode([image])[0]

    def encode(self, images: Sequence[Image8]) -> list[Features]:
        """Return the features of images, in one batch."""
        small = np.stack([resize_image(image, (self.options.size, self.options.size)) for image in images])
        with torch.inference_mode():
            tensor = torch.from_numpy(small).to(self.device).permute(0, 3, 1, 2)
            encoded = self.network.encode(normalise(tensor, self.entry))
        return [
            Features(Encoded(*(part[i : i + 1] for part in encoded)), (image.shape[0], image.shape[1]))
            for i, image in enumerate(images)
        ]

    def refine_all(self, features: Features, priors: Sequence[FloatMap]) -> list[Refined]:
        """Refine priors (H, W) in [0, 1] of one image together; each result is what ``refine`` gives."""
        if self.options.iterations == 0:
            return [Refined(prior) for prior in priors]
        maps = self._iterations(features, priors, self.options.iterations)
        usable, went_on = (has_regions(m)[0, :, 0, 0].tolist() for m in (maps[0], maps[-2]))
        return [
            Refined(self._restored(maps[-1][0, i], features.size), note="" if went_on[i] else STOPPED)
            if usable[i]
            else Refined(prior, note=KEPT)
            for i, prior in enumerate(priors)
        ]

    def iterate(self, image: Image8, prior: FloatMap, times: int) -> list[FloatMap]:
        """Return the maps (H, W) after 0 .. ``times`` iterations (Fig. 5); the first one is the prior itself."""
        features = self.features(image)
        maps = self._iterations(features, [prior], times)
        if not has_regions(maps[0]):
            return [prior] * len(maps)
        return [prior, *(self._restored(m[0, 0], features.size) for m in maps[1:])]

    def _iterations(self, features: Features, priors: Sequence[FloatMap], times: int) -> list[Tensor]:
        """Return Y_0 .. Y_times at the network's size, (1, P, size, size) each."""
        size = (self.options.size, self.options.size)
        small = np.stack([resize(prior, size, self.options.resample) for prior in priors])
        with torch.inference_mode():
            start = torch.from_numpy(small)[None].to(self.device)
            return list(iterations(self.network, features.encoded, start, times))

    @staticmethod
    def _restored(small: Tensor, size: tuple[int, int]) -> FloatMap:
        return resize(small.float().cpu().numpy(), size)


def load(options: LpsOptions, weights: Path | None, device: str) -> LpsRefiner:
    """Load a trained LPS; raises WeightsError for a missing file or one of another network."""
    network, entry = trained_network("lps", options, NETWORK_OPTIONS, build, weights)
    found = find_device(device)
    fast = folded(network).to(found, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return LpsRefiner(fast, entry, options, found)
