"""Mean-field inference in a fully connected CRF (Krähenbühl and Koltun, NeurIPS 2011).

An update sets Q = softmax(-U + sum_k w_k K~_k Q): Potts compatibility, kernels symmetrically normalised and with each
pixel's own value, from Q = softmax(-U).
"""

from dataclasses import dataclass

import numpy as np

from sodlift.arrays import FloatMap, Image8
from sodlift.crf.kernels import Kernel, appearance, smoothness
from sodlift.crf.lattice import Floats
from sodlift.crf.unary import Energies


@dataclass(frozen=True)
class Pairwise:
    """The two kernels, both with Potts compatibility; standard deviations in pixels and in grey levels of 0..255.

    Attributes
    ----------
    smooth_sxy, smooth_weight : float
        Smoothness kernel: exp(-|dx|^2 / (2 sxy^2)) and its weight.
    bilateral_sxy, bilateral_srgb, bilateral_weight : float
        Appearance kernel: the same of position and colour, and its weight.
    steps : int
        Mean-field updates.
    """

    smooth_sxy: float = 3.0
    smooth_weight: float = 3.0
    bilateral_sxy: float = 60.0
    bilateral_srgb: float = 5.0
    bilateral_weight: float = 5.0
    steps: int = 1


def infer(image: Image8, energies: Energies, pairwise: Pairwise) -> FloatMap:
    """Return the probability of foreground after ``pairwise.steps`` updates.

    Since Q_bg = 1 - Q_fg, the logit of Q_fg becomes U_bg - U_fg + sum_k w_k (2 K~_k Q_fg - K~_k 1): one channel is
    filtered, not two.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    energies : (2, H, W) float32
        Unary energies of background and foreground.
    pairwise : Pairwise
        The kernels.

    Returns
    -------
    (H, W) float32
        In [0, 1].

    Raises
    ------
    ConfigError
        If a kernel's deviations are too small beside the image to be put on a lattice.
    """
    kernels = _kernels(image, pairwise)
    unary = (energies[0] - energies[1]).ravel()
    constant = unary - sum(weight * kernel.of_ones for kernel, weight in kernels)
    foreground = _logistic(unary)
    for _ in range(pairwise.steps):
        logit = constant + sum(2 * weight * (kernel @ foreground) for kernel, weight in kernels)
        foreground = _logistic(logit)
    return foreground.reshape(image.shape[:2])


def infer_labels(image: Image8, energies: Energies, pairwise: Pairwise) -> Floats:
    """Return the probabilities (L, H, W) float32 of any number of labels, from their energies (L, H, W) float32.

    Raises ConfigError as ``infer`` does.
    """
    kernels = _kernels(image, pairwise)
    unary = -energies.reshape(len(energies), -1)
    labels = _softmax(unary)
    for _ in range(pairwise.steps):
        messages = [sum(weight * (kernel @ label) for kernel, weight in kernels) for label in labels]
        labels = _softmax(unary + np.stack(messages))
    return labels.reshape(energies.shape)


def _kernels(image: Image8, pairwise: Pairwise) -> tuple[tuple[Kernel, np.float32], ...]:
    """Return the kernels with their weights."""
    size = (image.shape[0], image.shape[1])
    return (
        (smoothness(size, pairwise.smooth_sxy), np.float32(pairwise.smooth_weight)),
        (appearance(image, pairwise.bilateral_sxy, pairwise.bilateral_srgb), np.float32(pairwise.bilateral_weight)),
    )


def _logistic(logits: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)), of any x without overflow."""
    probabilities: Floats = (np.float32(1) + np.tanh(np.float32(0.5) * logits)) * np.float32(0.5)
    return probabilities


def _softmax(logits: Floats) -> Floats:
    """Return the softmax over the first axis."""
    exponentials = np.exp(logits - logits.max(axis=0))
    softmax: Floats = exponentials / exponentials.sum(axis=0)
    return softmax
