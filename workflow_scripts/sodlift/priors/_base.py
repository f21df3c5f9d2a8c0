"""What a prior is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sodlift.arrays import FloatMap, Image8
from sodlift.datasets.manifest import Manifest
from sodlift.errors import DataError


class Model(Protocol):
    """What a training gives."""

    def save(self, path: str | Path) -> None:
        """Write the model, whole or not at all; the same model gives the same bytes."""


@dataclass(frozen=True)
class Learning:
    """How a method learns; its parameters then have a field ``model``, the file to use.

    Attributes
    ----------
    params : type
        Frozen dataclass of the training's parameters.
    train : callable
        ``train(manifests, params, training, seed, workers)`` takes images with masks, the method's parameters and the
        training's, and gives the model: the same, bit for bit, whatever the number of workers. Raises DataError or
        MissingDependencyError.
    seen : callable
        ``seen(params)`` returns the SHA-256 of every image that the model was trained on; raises WeightsError.
    """

    params: type
    train: Callable[[Sequence[Manifest], Any, Any, int, int], Model]
    seen: Callable[[Any], frozenset[str]]


@dataclass(frozen=True)
class Prior:
    """One traditional saliency method.

    Attributes
    ----------
    title : str
        The name that papers print, such as "MB+".
    source : str
        Authors, venue and year of the method.
    params : type
        Frozen dataclass of the method's parameters; its defaults are the reference's.
    saliency : callable
        ``saliency(image, params) -> map``: (H, W, 3) uint8 RGB to (H, W) float32 in [0, 1]; called by ``compute``.
    stages : callable
        ``stages(image, params)`` returns the maps that the method passes through, by name and in order, each (H, W) and
        stretched for display; the last one is the map. Called by ``steps``.
    learning : Learning, optional
        How it is trained, where it is.
    """

    title: str
    source: str
    params: type
    saliency: Callable[[Image8, Any], FloatMap]
    stages: Callable[[Image8, Any], Mapping[str, FloatMap]]
    learning: Learning | None = None

    def compute(self, image: Image8, params: Any) -> FloatMap:
        """Return the map of an image: (H, W, 3) uint8 RGB to (H, W) float32 in [0, 1].

        Raises
        ------
        DataError
            If the array is no such image.
        """
        return self.saliency(self._checked(image), params)

    def steps(self, image: Image8, params: Any) -> Mapping[str, FloatMap]:
        """Return the maps that lead to that of ``compute``, which is the last; raises DataError as it does."""
        return self.stages(self._checked(image), params)

    def _checked(self, image: Image8) -> Image8:
        """Return the image; OpenCV would take some other arrays too, and make a wrong map of them."""
        array = isinstance(image, np.ndarray)
        if not array or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise DataError(
                f"array of shape {image.shape} and type {image.dtype}" if array else f"a {type(image).__name__}",
                where=f"the image given to {self.title}",
                expected="(height, width, 3) uint8, RGB, of one pixel at least",
                mend="read it with sodlift.arrays.read_image, or convert it; sodlift does not guess its range",
            )
        return image
