"""The same inference by pydensecrf, the package that papers on saliency use."""

import numpy as np

from sodlift.arrays import FloatMap, Image8
from sodlift.crf.dense import Pairwise
from sodlift.crf.unary import Energies
from sodlift.errors import MissingDependencyError


def infer(image: Image8, energies: Energies, pairwise: Pairwise) -> FloatMap:
    """Return what ``sodlift.crf.dense.infer`` does.

    Raises
    ------
    MissingDependencyError
        If pydensecrf is not installed.
    """
    try:
        from pydensecrf import densecrf  # noqa: PLC0415 - an optional package
    except ImportError as cause:
        raise MissingDependencyError(
            "the backend 'pydensecrf' of DenseCRF needs the package pydensecrf2, which is not installed",
            mend="pip install 'sodlift[crf]', or leave `backend` out: maps differ by less than 1e-6 on average",
        ) from cause
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
