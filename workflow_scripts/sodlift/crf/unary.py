"""Unary energies of a binary dense CRF, read off a saliency map: one row each for background and foreground."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Energies = npt.NDArray[np.float32]
Saliency = npt.NDArray[np.float32]

DSS_EPSILON, DSS_TAU = 1e-8, 1.05
LOG_CLIP = 1e-5
HARD_CONFIDENCE = 0.7


def _stack(background: npt.NDArray[np.float64], foreground: npt.NDArray[np.float64]) -> Energies:
    return np.stack([background, foreground]).astype(np.float32)


def dss(saliency: Saliency) -> Energies:
    """Return -log(p + 1e-8) / (1.05 logistic(p)) of p = 1 - s and p = s, as DSS does (Hou et al., CVPR 2017).

    Maps (H, W) to (2, H, W).
    """

    def energy(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(-np.log(p + DSS_EPSILON) * (1 + np.exp(-p)) / DSS_TAU)

    s = saliency.astype(np.float64)
    return _stack(energy(1 - s), energy(s))


def log(saliency: Saliency) -> Energies:
    """Return -log p of p = 1 - s and p = s, clipped at 1e-5 so that it stays finite: (H, W) to (2, H, W)."""
    s = saliency.astype(np.float64)
    return _stack(-np.log(np.clip(1 - s, LOG_CLIP, 1)), -np.log(np.clip(s, LOG_CLIP, 1)))


def hard(saliency: Saliency) -> Energies:
    """Return the energies of the labels s >= 0.5, held with confidence 0.7: (H, W) to (2, H, W)."""
    sure, unsure = -np.log(HARD_CONFIDENCE), -np.log(1 - HARD_CONFIDENCE)
    foreground = saliency >= 0.5
    return _stack(np.where(foreground, unsure, sure), np.where(foreground, sure, unsure))


UNARIES: dict[str, Callable[[Saliency], Energies]] = {"dss": dss, "log": log, "hard": hard}
"""Unary energies by name."""
