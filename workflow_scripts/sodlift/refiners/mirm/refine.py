"""Refinement by a trained MIRM: the merge of prior and prediction (Eq. 10-11), and the images that it cannot refine."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sodlift.arrays import FloatMap, Image8, minmax, resize, resize_image
from sodlift.backbones import BACKBONES
from sodlift.backbones._base import WeightsEntry, normalise
from sodlift.errors import WeightsError
from sodlift.refiners._base import Refined
from sodlift.refiners.mirm.loss import foreground_weights
from sodlift.refiners.mirm.network import Encoded, Mirm, build
from sodlift.refiners.mirm.options import USABLE_MAX, USABLE_MIN, MirmOptions
from sodlift.training.device import find_device
from sodlift.training.model_file import ModelFile

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


def pad(image: Image8, prior: FloatMap) -> tuple[Image8, FloatMap]:
    """Pad an image with a side below 32 pixels to 64: its border repeated, the prior with zeros."""
    height, width = prior.shape
    if min(height, width) >= SMALLEST:
        return image, prior
    rows, columns = max(PADDED - height, 0), max(PADDED - width, 0)
    return np.pad(image, ((0, rows), (0, columns), (0, 0)), mode="edge"), np.pad(prior, ((0, rows), (0, columns)))


@dataclass(frozen=True)
class MirmRefiner:
    """MIRM ready to refine. ``predict`` gives the network's own map, ``refine`` the merged one."""

    network: Mirm
    entry: WeightsEntry
    options: MirmOptions
    device: torch.device

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB."""
        decision = decide(prior, self.options)
        if decision.result is not None:
            return decision.result
        small_image, small_prior = self.at_network_size(image, prior)
        if small_prior.max() < decision.theta_fg:  # resizing lowered the maximum
            return Refined(prior, note="kept prior: no pixel >= theta_fg at the network's size")
        prediction = self.predict(small_image, small_prior, decision.theta_fg)
        merged = merge(prior, resize(prediction, (prior.shape[0], prior.shape[1])))
        return Refined(stretch(merged), note=decision.note)

    def at_network_size(self, image: Image8, prior: FloatMap) -> tuple[Image8, FloatMap]:
        """Resize both to the option ``size``, where it is given."""
        if self.options.size is None:
            return image, prior
        size = (self.options.size, self.options.size)
        return resize_image(image, size), resize(prior, size, "lanczos")

    def predict(
        self, image: Image8, prior: FloatMap, theta_fg: float, foreground: npt.NDArray[np.float32] | None = None
    ) -> FloatMap:
        """Return s^ (H, W) in (0, 1) of Eq. 9.

        ``foreground`` (32,) takes the place of the image's own F_fg, such as that of another image: it shows how much
        of a result is the relation to the foreground, and how much the network's own saliency.
        """
        height, width = prior.shape
        image, prior = pad(image, prior)
        with torch.inference_mode():
            encoded = self._encode(image)
            vector = self._vector(encoded, prior, theta_fg)
            if foreground is not None:
                vector = torch.from_numpy(foreground)[None].to(vector)
            logits = self.network.decide(encoded, vector, (prior.shape[0], prior.shape[1]))
            prediction = torch.sigmoid(logits.float())[0, 0, :height, :width]
            return np.asarray(prediction.cpu().numpy(), dtype=np.float32)

    def foreground_vector(self, image: Image8, prior: FloatMap, theta_fg: float) -> npt.NDArray[np.float32]:
        """Return F_fg (32,) of an image under a prior with a pixel of at least ``theta_fg``."""
        image, prior = pad(image, prior)
        with torch.inference_mode():
            vector = self._vector(self._encode(image), prior, theta_fg)
            return np.asarray(vector[0].float().cpu().numpy())

    def _encode(self, image: Image8) -> Encoded:
        tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].to(self.device)
        return self.network.encode(normalise(tensor, self.entry))

    def _vector(self, encoded: Encoded, prior: FloatMap, theta_fg: float) -> torch.Tensor:
        weights = foreground_weights(torch.from_numpy(prior)[None, None].to(self.device), theta_fg)
        return self.network.foreground_vector(encoded, weights)


def load(options: MirmOptions, weights: Path | None, device: str) -> MirmRefiner:
    """Load a trained MIRM; raises WeightsError for a missing file or one of another network."""
    if weights is None:
        raise WeightsError("MIRM needs a trained model file", mend="train it first, or name its file")
    backbone = BACKBONES.get(options.backbone)
    name, entry = backbone.choose(options.weights)
    model = ModelFile.load(weights, refiner="mirm", backbone=options.backbone, weights=name)
    network = build(options, backbone, backbone.build(entry))
    model.fill(network, options, weights)
    found = find_device(device)
    network.to(found, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    return MirmRefiner(network, entry, options, found)
