"""Trained models as one graph each, from images (and priors) in [0, 1] to maps in [0, 1]: what is exported."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sodlift.backbones._base import WeightsEntry
from sodlift.detectors.a2s.detect import A2sDetector
from sodlift.detectors.a2s_labels.detect import FLAT as FLAT_LABEL
from sodlift.detectors.a2s_labels.detect import A2sLabelsDetector
from sodlift.detectors.arn.detect import ArnDetector
from sodlift.errors import ConfigError
from sodlift.refiners.lps.network import Lps
from sodlift.refiners.lps.refine import LpsRefiner, iterations
from sodlift.refiners.mirm.loss import foreground_weights
from sodlift.refiners.mirm.refine import FLAT, MirmRefiner


class _Normalised(nn.Module):
    """Images in [0, 1] as the weights expect them."""

    def __init__(self, entry: WeightsEntry) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(entry.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(entry.std).view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        return (image - self.mean) / self.std  # type: ignore[operator]


def _range(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the least and the largest value of each map (B, 1, H, W)."""
    return maps.amin(dim=(-2, -1), keepdim=True), maps.amax(dim=(-2, -1), keepdim=True)


class Graph(nn.Module):
    """A model's network behind the normalisation of its images.

    Parameters
    ----------
    entry : WeightsEntry
        The normalisation.
    network : nn.Module
        Takes normalised images (B, 3, H, W).
    """

    with_prior = False
    """Whether it takes priors (B, 1, H, W) beside the images (B, 3, H, W)."""

    def __init__(self, entry: WeightsEntry, network: nn.Module) -> None:
        super().__init__()
        self.normalised, self.network = _Normalised(entry), network


class MirmGraph(Graph):
    """MIRM from image (B, 3, H, W) RGB and prior (B, 1, H, W), both in [0, 1], to its merged, stretched map.

    An image whose prior has no pixel of at least theta_fg keeps it, as in mode ``keep``.
    """

    with_prior = True

    def __init__(self, refiner: MirmRefiner) -> None:
        super().__init__(refiner.entry, refiner.fast)
        self.theta_fg = refiner.options.theta_fg

    def forward(self, image: Tensor, prior: Tensor) -> Tensor:
        """Return the refined map (B, 1, H, W)."""
        found = torch.sigmoid(self.network(self.normalised(image), foreground_weights(prior, self.theta_fg)))
        merged = torch.where((found - 0.5).abs() > (prior - 0.5).abs(), found, prior)
        low, high = _range(merged)
        stretched = torch.where(high - low < FLAT, merged, (merged - low) / (high - low + 1e-12)).clamp(0, 1)
        return torch.where(prior.amax(dim=(-2, -1), keepdim=True) >= self.theta_fg, stretched, prior)


class LpsGraph(Graph):
    """LPS from image (B, 3, H, W) RGB and prior (B, 1, H, W), both in [0, 1], to the map of its last iteration.

    An image whose prior leaves a region less than a pixel keeps it.
    """

    with_prior = True
    network: Lps

    def __init__(self, refiner: LpsRefiner) -> None:
        super().__init__(refiner.entry, refiner.network)
        self.times = refiner.options.iterations

    def forward(self, image: Tensor, prior: Tensor) -> Tensor:
        """Return the refined map (B, 1, H, W)."""
        *_, last = iterations(self.network, self.network.encode(self.normalised(image)), prior, self.times)
        return last


class A2sGraph(Graph):
    """A2S's second stage from image (B, 3, H, W) RGB in [0, 1] to its stretched map; 0 where that is constant."""

    def __init__(self, detector: A2sDetector | A2sLabelsDetector) -> None:
        super().__init__(detector.entry, detector.network)

    def logits(self, image: Tensor) -> Tensor:
        """Return what the sigmoid is taken of (B, 1, H, W)."""
        return self.network(self.normalised(image))  # type: ignore[no-any-return]

    def forward(self, image: Tensor) -> Tensor:
        """Return the map (B, 1, H, W)."""
        found = torch.sigmoid(self.logits(image))
        low, high = _range(found)
        flat = high - low < FLAT_LABEL
        return torch.where(flat, 0.0, (found - low) / torch.where(flat, 1.0, high - low))


class A2sLabelsGraph(A2sGraph):
    """A2S's first stage from image (B, 3, H, W) RGB in [0, 1] to its soft map.

    Raises
    ------
    ConfigError
        If its maps are labels made by DenseCRF, which is no network.
    """

    def __init__(self, detector: A2sLabelsDetector) -> None:
        made = detector.options.labels
        if made != "soft":
            raise ConfigError(
                f"labels {made!r} are made by DenseCRF, which an ONNX file cannot hold",
                where="labels",
                expected="soft",
                mend="export with --set labels=soft",
            )
        super().__init__(detector)

    def logits(self, image: Tensor) -> Tensor:
        """Return the fused activation (B, 1, H, W)."""
        return self.network(self.normalised(image)).fused  # type: ignore[no-any-return]


class ArnGraph(Graph):
    """ARN from image (B, 3, H, W) RGB in [0, 1] to its map, stretched where the options ask for it."""

    def __init__(self, detector: ArnDetector) -> None:
        super().__init__(detector.entry, detector.network)
        self.stretch = detector.options.stretch

    def forward(self, image: Tensor) -> Tensor:
        """Return the map (B, 1, H, W)."""
        found = torch.sigmoid(self.network(self.normalised(image))[0])
        if not self.stretch:
            return found
        low, high = _range(found)
        return torch.where(high - low <= 1e-12, found, (found - low) / (high - low).clamp_min(1e-12))


GRAPHS: dict[type, Callable[[Any], Graph]] = {
    MirmRefiner: MirmGraph,
    LpsRefiner: LpsGraph,
    A2sDetector: A2sGraph,
    A2sLabelsDetector: A2sLabelsGraph,
    ArnDetector: ArnGraph,
}
"""What is exported of a refiner or detector, by its type."""
