"""Refinement by a trained MIRM: the merge of prior and prediction (Eq. 10-11), and the images that it cannot refine."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sodlift.arrays import FloatMap, Image8, minmax, resize, resize_image
from sodlift.backbones._base import WeightsEntry, normalise
from sodlift.refiners._base import Refined
from sodlift.refiners.mirm.fast import FastMirm
from sodlift.refiners.mirm.loss import foreground_weights
from sodlift.refiners.mirm.network import Encoded, Mirm, build
from sodlift.refiners.mirm.options import NETWORK_OPTIONS, USABLE_MAX, USABLE_MIN, MirmOptions
from sodlift.training.device import find_device
from sodlift.training.trained import trained_network

ADAPTIVE_FACTOR, ADAPTIVE_LEAST = 0.9, 0.5
"""Mode ``adaptive``: theta_fg becomes 0.9 of the prior's maximum where that is at least 0.5."""

SMALLEST, PADDED = 32, 64
"""Images with a side below 32 pixels, which the deepest tap would see as one pixel, are padded to 64."""

FLAT = 1e-6
"""Span below which a merged map counts as constant."""


class Decision(NamedTuple):
    """What is to be done with a prior: its theta_fg, or a result that needs no network; a note where it was odd."""

    theta_fg: float
    result: Refined | None
    note: str = ""


def decide(stored: FloatMap, options: MirmOptions) -> Decision:
    """Apply the mode to a prior (H, W), which may be at the network's size."""
    theta = options.theta_fg
    top, bottom = float(stored.max()), float(stored.min())
    if options.mode == "drop" and (top < max(USABLE_MAX, theta) or bottom > USABLE_MIN):
        cause = f"maximum below {max(USABLE_MAX, theta):g}" if top < max(USABLE_MAX, theta) else "minimum above 0.3"
        return Decision(theta, Refined(None, "dropped", f"prior's {cause}"))
    if top >= theta:
        return Decision(theta, None)
    if options.mode == "adaptive" and top >= ADAPTIVE_LEAST:
        theta = ADAPTIVE_FACTOR * top
        return Decision(theta, None, f"theta_fg lowered to {theta:.3f}")
    return Decision(theta, Refined(stored, note="kept prior: no pixel >= theta_fg"))


def merge(prior: FloatMap, prediction: FloatMap) -> FloatMap:
    """Take at each pixel the value farther from 0.5, the prior on a tie (Eq. 10-11): (H, W) both."""
    return np.where(np.abs(prediction - 0.5) > np.abs(prior - 0.5), prediction, prior).astype(np.float32)


def stretch(merged: FloatMap) -> FloatMap:
    """Min-max normalise a merged map; a constant one (span below 1e-6) is clipped to [0, 1] instead."""
    if float(merged.max() - merged.min()) < FLAT:
        return np.asarray(np.clip(merged, 0, 1), dtype=np.float32)
    return np.asarray(np.clip(minmax(merged, eps=1e-12), 0, 1), dtype=np.float32)


def padded_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size (height, width) that an image has after ``pad``."""
    return size if min(size) >= SMALLEST else (max(size[0], PADDED), max(size[1], PADDED))


def pad(image: Image8, prior: FloatMap) -> tuple[Image8, FloatMap]:
    """Pad an image with a side below 32 pixels to 64: its border repeated, the prior with zeros."""
    return _pad_image(image), _pad_prior(prior)


def _pad_image(image: Image8) -> Image8:
    rows, columns = _missing(image.shape[0], image.shape[1])
    return np.pad(image, ((0, rows), (0, columns), (0, 0)), mode="edge") if rows or columns else image


def _pad_prior(prior: FloatMap) -> FloatMap:
    rows, columns = _missing(prior.shape[0], prior.shape[1])
    return np.pad(prior, ((0, rows), (0, columns))) if rows or columns else prior


def _missing(height: int, width: int) -> tuple[int, int]:
    rows, columns = padded_size((height, width))
    return rows - height, columns - width


@dataclass(frozen=True)
class Features:
    """What a MIRM makes of an image before it sees a prior; serves every prior of the image.

    Attributes
    ----------
    encoded : Encoded
        The network's features, of one image.
    size : (int, int)
        Height and width that the network saw, without padding.
    padded : (int, int)
        The same with it.
    """

    encoded: Encoded
    size: tuple[int, int]
    padded: tuple[int, int]


@dataclass(frozen=True)
class MirmRefiner:
    """MIRM ready to refine: ``refine`` one prior, or ``encode`` images once and ``refine_all`` priors of each.

    ``predict`` gives the network's own map, ``refine`` the merged one. The network's weights must not change any more.
    """

    network: Mirm
    entry: WeightsEntry
    options: MirmOptions
    device: torch.device

    @cached_property
    def fast(self) -> FastMirm:
        """The network's form for inference."""
        return FastMirm(self.network).to(self.device)

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB."""
        decision = decide(prior, self.options)
        if decision.result is not None:
            return decision.result  # the network is not needed
        return self.refine_all(self.features(image), [prior])[0]

    def network_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the height and width that the network sees of an image of ``size``; equal ones share a batch."""
        if self.options.size is not None:
            size = (self.options.size, self.options.size)
        return padded_size(size)

    def features(self, image: Image8) -> Features:
        """Return what all priors of an image (H, W, 3) uint8 RGB share; it costs nearly all of the time."""
        return self.encode([image])[0]

    def encode(self, images: Sequence[Image8]) -> list[Features]:
        """Return the features of images of one network size, in one batch."""
        return self._encode([self._at_network_size(image) for image in images])

    def refine_all(self, features: Features, priors: Sequence[FloatMap]) -> list[Refined]:
        """Refine priors (H, W) in [0, 1] of one image together; each result is what ``refine`` gives."""
        decisions = [decide(prior, self.options) for prior in priors]
        results = [decision.result for decision in decisions]
        small: dict[int, FloatMap] = {}
        for i, (prior, decision) in enumerate(zip(priors, decisions, strict=True)):
            if decision.result is not None:
                continue
            resized = resize(prior, features.size, "lanczos")
            if resized.max() < decision.theta_fg:  # resizing lowered the maximum
                results[i] = Refined(prior, note="kept prior: no pixel >= theta_fg at the network's size")
            else:
                small[i] = resized
        if small:
            predictions = self._predict(features, [(small[i], decisions[i].theta_fg) for i in small])
            for i, prediction in zip(small, predictions, strict=True):
                prior = priors[i]
                merged = merge(prior, resize(prediction, (prior.shape[0], prior.shape[1])))
                results[i] = Refined(stretch(merged), note=decisions[i].note)
        return [result for result in results if result is not None]

    def at_network_size(self, image: Image8, prior: FloatMap) -> tuple[Image8, FloatMap]:
        """Resize both to the option ``size``, where it is given."""
        if self.options.size is None:
            return image, prior
        return self._at_network_size(image), resize(prior, (self.options.size, self.options.size), "lanczos")

    def predict(
        self, image: Image8, prior: FloatMap, theta_fg: float, foreground: npt.NDArray[np.float32] | None = None
    ) -> FloatMap:
        """Return s^ (H, W) in (0, 1) of Eq. 9, of an image at the network's size.

        ``foreground`` (32,) takes the place of the image's own F_fg, such as that of another image: it shows how much
        of a result is the relation to the foreground, and how much the network's own saliency.
        """
        vectors = None if foreground is None else torch.from_numpy(foreground)[None, None].to(self.device)
        return self._predict(self._encode([image])[0], [(prior, theta_fg)], vectors)[0]

    def foreground_vector(self, image: Image8, prior: FloatMap, theta_fg: float) -> npt.NDArray[np.float32]:
        """Return F_fg (32,) of an image under a prior with a pixel of at least ``theta_fg``."""
        with torch.inference_mode():
            vectors = self._vectors(self._encode([image])[0], [(prior, theta_fg)])
            return np.asarray(vectors[0, 0].float().cpu().numpy())

    def _at_network_size(self, image: Image8) -> Image8:
        side = self.options.size
        return image if side is None else resize_image(image, (side, side))

    def _encode(self, images: Sequence[Image8]) -> list[Features]:
        stacked = np.stack([_pad_image(image) for image in images])
        with torch.inference_mode():
            tensor = torch.from_numpy(stacked).to(self.device).permute(0, 3, 1, 2)
            encoded = self.fast.encode(normalise(tensor, self.entry))
        padded = (stacked.shape[1], stacked.shape[2])
        return [
            Features(Encoded(*(part[i : i + 1] for part in encoded)), (image.shape[0], image.shape[1]), padded)
            for i, image in enumerate(images)
        ]

    def _predict(
        self, features: Features, priors: Sequence[tuple[FloatMap, float]], vectors: torch.Tensor | None = None
    ) -> list[FloatMap]:
        """Return s^ of each prior with its theta_fg; all at the network's size."""
        height, width = features.size
        with torch.inference_mode():
            vectors = self._vectors(features, priors) if vectors is None else vectors
            logits = self.fast.decide(features.encoded, vectors, features.padded)
            found = torch.sigmoid(logits.float())[0, :, :height, :width].cpu().numpy()
            return [np.asarray(one, dtype=np.float32) for one in found]

    def _vectors(self, features: Features, priors: Sequence[tuple[FloatMap, float]]) -> torch.Tensor:
        weights = [
            foreground_weights(torch.from_numpy(_pad_prior(prior))[None, None].to(self.device), theta_fg)
            for prior, theta_fg in priors
        ]
        return self.fast.foreground_vectors(features.encoded, torch.cat(weights, dim=1))


def load(options: MirmOptions, weights: Path | None, device: str) -> MirmRefiner:
    """Load a trained MIRM; raises WeightsError for a missing file or one of another network."""
    network, entry = trained_network("mirm", options, NETWORK_OPTIONS, build, weights)
    found = find_device(device)
    network.to(found, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    return MirmRefiner(network, entry, options, found)
