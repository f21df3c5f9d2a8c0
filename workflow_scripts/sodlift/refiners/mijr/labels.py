"""The bi-level pseudo ground truth of a base map (Sec. IV-A, Eq. 5), and what superpixels have of it."""

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8, Mask
from sodlift.refiners.densecrf import DenseCrf, DenseCrfOptions
from sodlift.superpixels.regions import Labels, means

Floats = npt.NDArray[np.float32]


def pseudo_truth(image: Image8, base: FloatMap) -> tuple[Mask, Mask]:
    """Return where a base map is certain of foreground and where of background, each (H, W) bool.

    Foreground is what an aggressive and a conservative dense CRF agree on, background what neither takes (Eq. 5). Their
    weights are ours: 10 for appearance, 3 for smoothness, 10 updates (docs/refiners/mijr.md).

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    base : (H, W) float32 in [0, 1]
        Its base map.
    """
    presets = DenseCrfOptions.presets()
    aggressive, conservative = (
        np.asarray(DenseCrf(presets[f"mijr_{name}"]).refine(image, base).saliency) > 0
        for name in ("aggressive", "conservative")
    )
    return aggressive & conservative, ~(aggressive | conservative)


def shares(labels: Labels, count: int, *masks: Mask) -> Floats:
    """Return the share of each superpixel (n, masks) in [0, 1] that lies in each of some masks (H, W)."""
    return means(labels, count, np.stack(masks, axis=2).astype(np.float32)).astype(np.float32)


def agreement(certain: tuple[Mask, Mask], mask: Mask) -> Mask:
    """Return where a pseudo ground truth is certain and right, (H, W) bool: what it leaves open is not right."""
    foreground, background = certain
    return (foreground & mask) | (background & ~mask)
