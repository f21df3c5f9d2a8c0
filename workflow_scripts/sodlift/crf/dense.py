"""Mean-field inference in a fully connected CRF with two labels (Krähenbühl and Koltun, NeurIPS 2011)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sodlift.arrays import FloatMap, Image8
from sodlift.crf.unary import Energies
from sodlift.errors import MissingDependencyError


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


def backend() -> Any:
    """Return the module ``pydensecrf.densecrf``; raises MissingDependencyError where it is not installed."""
    try:
        from pydensecrf import densecrf  # noqa: PLC0415 - an optional package
    except ImportError as cause:
        raise MissingDependencyError(
            "DenseCRF needs the package pydensecrf2, which is not installed", mend="pip install 'sodlift[crf]'"
        ) from cause
    return densecrf


def infer(image: Image8, energies: Energies, pairwise: Pairwise) -> FloatMap:
    """Return the probability of foreground after ``pairwise.steps`` updates.

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
    MissingDependencyError
        If pydensecrf is not installed.
    """
    densecrf = backend()
    height, width = image.shape[:2]
    model = densecrf.DenseCRF2D(width, height, 2)
    model.setUnaryEnergy(np.ascontiguousarray(energies.reshape(2, -1), dtype=np.float32))
    model.addPairwiseGaussian(sxy=pairwise.smooth_sxy, compat=pairwise.smooth_weight)
    model.addPairwiseBilateral(
        sxy=pairwise.bilateral_sxy,
        srgb=pairwise.bilateral_srgb,
        rgbim=np.require(image, requirements=["C", "W"]),
        compat=pairwise.bilateral_weight,
    )
    probabilities = np.asarray(model.inference(pairwise.steps), dtype=np.float32)
    return np.asarray(probabilities[1].reshape(height, width).clip(0, 1))
