"""How the labels of A2S's second stage change as it learns: online label rectifying, and what it is compared with."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sodlift.arrays import FloatMap, Image8
from sodlift.detectors.a2s.options import A2sOptions
from sodlift.refiners.densecrf import DenseCrf, DenseCrfOptions
from sodlift.training.task import Batch, Remember


def mixed(label: Tensor, found: Tensor, keep: float) -> Tensor:
    """Return keep G + (1 - keep) S of labels G and maps S in [0, 1], of one shape."""
    return keep * label + (1 - keep) * found


def plain(images: Tensor, maps: Tensor) -> Tensor:
    """Return the predictions as they are."""
    return maps


def cleaned(images: Tensor, maps: Tensor) -> Tensor:
    """Return the predictions (B, 1, H, W) after DenseCRF with the settings of DeepUSPS, whose moving average HMA is.

    ``images`` are (B, 3, H, W) uint8.
    """
    found = [_clean(i, m) for i, m in zip(images.permute(0, 2, 3, 1).cpu().numpy(), maps.cpu().numpy(), strict=True)]
    return torch.from_numpy(np.stack(found)).to(maps)


def _clean(image: Image8, planes: FloatMap) -> FloatMap:
    refined = DenseCrf(DenseCrfOptions.presets()["deepusps"]).refine(np.ascontiguousarray(image), planes[0]).saliency
    assert refined is not None  # no map is refused
    return refined[None]


SOURCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"olr": plain, "hma": cleaned}
"""What is mixed into the labels, of images and predictions, by the option ``rectify``."""


def remember(options: A2sOptions) -> Remember | None:
    """Return how a training with these options changes its labels, None where it does not."""
    if options.rectify == "none":
        return None
    source = SOURCES[options.rectify]

    def rectified(batch: Batch, logits: Tensor, done: float) -> Tensor | None:
        if done < options.rectify_from:
            return None
        return mixed(batch.targets, source(batch.images, torch.sigmoid(logits)), options.keep)

    return rectified
