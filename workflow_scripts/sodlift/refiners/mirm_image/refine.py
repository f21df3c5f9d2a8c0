"""Refinement by a MIRM that is fitted to each image: the published merge of its map and the prior, and refusals."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from sodlift.arrays import FloatMap, Image8, resize, resize_image
from sodlift.backbones._base import WeightsEntry, normalise
from sodlift.errors import SodliftError
from sodlift.refiners._base import Refined
from sodlift.refiners.mirm.network import Mirm
from sodlift.refiners.mirm.refine import merge, pad, stretch
from sodlift.refiners.mirm_image.fit import fit
from sodlift.refiners.mirm_image.options import MirmImageOptions
from sodlift.training.device import find_device
from sodlift.training.pretrained import pretrained


@dataclass(frozen=True)
class MirmImageRefiner:
    """MIRM per image, ready to refine."""

    start: Mirm
    entry: WeightsEntry
    options: MirmImageOptions
    device: torch.device

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB.

        Raises TrainingError if the loss becomes NaN or infinite.
        """
        (found,) = self.refine_many([image], [prior])
        if isinstance(found, SodliftError):
            raise found
        return found

    @property
    def at_once(self) -> int:
        """How many images it best takes at once: as many as torch may use threads."""
        return torch.get_num_threads()

    def refine_many(self, images: Sequence[Image8], priors: Sequence[FloatMap]) -> list[Refined | SodliftError]:
        """Refine several images side by side, on as many threads as torch may use; sizes may differ.

        An image that fails gives its error. Each is fitted on one thread alone: ten steps at this rate make of a last
        bit, which the number of threads decides, a difference that is seen in the map.
        """
        threads = torch.get_num_threads()
        workers = max(1, min(threads, len(images)))
        try:
            with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                return list(pool.map(self._tried, images, priors))
        finally:
            torch.set_num_threads(threads)

    def _tried(self, image: Image8, prior: FloatMap) -> Refined | SodliftError:
        try:
            return self._refine(image, prior)
        except SodliftError as error:
            return error

    def _refine(self, image: Image8, prior: FloatMap) -> Refined:
        side = self.options.size
        shape = (prior.shape[0], prior.shape[1])
        small = (side, side) if side else shape
        small_prior = resize(prior, small, "lanczos")
        if lacking := self._lacking(small_prior):
            return Refined(prior, note=f"kept prior: {lacking}")
        prediction = self.predict(resize_image(image, small), small_prior)
        return Refined(stretch(merge(prior, resize(prediction, shape))))

    def predict(self, image: Image8, prior: FloatMap) -> FloatMap:
        """Return the network's map (H, W) in (0, 1), before it is merged with a prior that has labels of both kinds."""
        height, width = prior.shape
        image, prior = pad(image, prior)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].to(self.device)
        target = torch.from_numpy(prior)[None, None].to(self.device)
        logits = fit(self.start, normalise(pixels, self.entry), target, self.options)
        return np.asarray(torch.sigmoid(logits)[0, 0, :height, :width].cpu().numpy(), dtype=np.float32)

    def _lacking(self, prior: FloatMap) -> str:
        """Say which labels a prior lacks; empty where it has both."""
        if prior.max() < self.options.theta_afg:
            return "no pixel >= theta_afg"
        return "no pixel <= theta_abg" if prior.min() > self.options.theta_abg else ""


def load(options: MirmImageOptions, device: str) -> MirmImageRefiner:
    """Return the refiner: pretrained backbone, and a head that starts as the seed says.

    Raises
    ------
    ConfigError
        If weights with a folded normalisation are to be normalised by batch statistics, or the device is not there.
    WeightsError, MissingDependencyError
        If the pretrained weights are missing or of another network.
    """
    with torch.random.fork_rng(devices=()):
        source = pretrained(options)
        torch.manual_seed(options.seed)
        start = Mirm(
            source.module,
            [tap.channels for tap in source.backbone.taps],
            frozen_norm=options.backbone_norm == "frozen",
            frozen_backbone=options.backbone_training == "frozen",
        )
    found = find_device(device)
    start.to(found, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return MirmImageRefiner(start, source.entry, options, found)
