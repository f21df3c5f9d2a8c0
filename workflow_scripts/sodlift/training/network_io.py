"""What a network takes and what its output means: pixels normalised, outputs activated."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import expit

from sodlift.arrays import FloatMap, Image8
from sodlift.errors import ConfigError

DIVISORS: dict[int | str, Callable[[Image8], float]] = {
    255: lambda image: 255.0,
    "image_max": lambda image: max(float(image.max()), 1.0),
    1: lambda image: 1.0,
}
"""What pixels are divided by: a constant, or the largest value of the resized image (1 where that is black)."""


@dataclass(frozen=True)
class Normalisation:
    """What is done to the pixels: ``(x / divide_by - mean) / std``.

    Attributes
    ----------
    divide_by : 255, "image_max" or 1
        What the pixels, 0 to 255, are divided by: ``image_max`` is the largest value of the resized image.
    channels : "rgb" or "bgr"
        Their order.
    mean, std : three numbers
        Of the divided values, in the order of ``channels``.

    Raises
    ------
    ConfigError
        If a number is not finite or a ``std`` is not positive.
    """

    divide_by: Literal[255, "image_max", 1] = 255
    channels: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, self.mean)):
            raise ConfigError(f"mean is {list(self.mean)}", where="mean", expected="finite numbers")
        if not all(0 < value < math.inf for value in self.std):
            raise ConfigError(f"std is {list(self.std)}", where="std", expected="positive numbers")

    @classmethod
    def presets(cls) -> dict[str, "Normalisation"]:
        """Return what networks are commonly trained with.

        ``imagenet`` (torchvision's, the default), ``image_max`` (U2-Net's: the same after division by the image's
        maximum), ``unit`` ([0, 1]), ``centred`` ([-1, 1]) and ``caffe`` (BGR less the mean of ImageNet).
        """
        zero, half, one = (0.0,) * 3, (0.5,) * 3, (1.0,) * 3
        return {
            "imagenet": cls(),
            "image_max": cls(divide_by="image_max"),
            "unit": cls(mean=zero, std=one),
            "centred": cls(mean=half, std=half),
            "caffe": cls(divide_by=1, channels="bgr", mean=(104.00699, 116.66877, 122.67892), std=one),
        }

    def apply(self, image: Image8) -> FloatMap:
        """Return the network's input of an image (h, w, 3): (1, 3, h, w) float32."""
        ordered = image if self.channels == "rgb" else image[..., ::-1]
        divided = ordered / np.float32(DIVISORS[self.divide_by](image))
        normalised = (divided - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None])


class Activation(NamedTuple):
    """How a map is made of the output's planes.

    Attributes
    ----------
    planes : int
        Their number.
    apply : callable
        Maps (planes, h, w) to (h, w), float32.
    """

    planes: int
    apply: Callable[[FloatMap], FloatMap]


ACTIVATIONS = {
    "none": Activation(1, lambda planes: planes[0]),
    "sigmoid": Activation(1, lambda planes: expit(planes[0])),
    # the second of two classes: exp(b) / (exp(a) + exp(b)) = sigmoid(b - a), which cannot overflow
    "softmax": Activation(2, lambda planes: expit(planes[1] - planes[0])),
}
"""What makes a map of an output: ``none`` where it is one already, or logits of one or of two classes."""
