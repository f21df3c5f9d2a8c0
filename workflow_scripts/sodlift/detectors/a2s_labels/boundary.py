"""Where features part into object and ground: the decision boundaries of Fig. 9, and the sign of Eq. 5.

Each maps features (B, C, H, W) to the activation theta (B, 1, H, W), whose sign tells the two sides apart. With f_n a
pixel's features, m the mean of the image's, and w a vector of the network's own:

    DB1  sum_c (f_n - w)_c      w: mean feature of the data set
    DB2  f_n . m
    DB3  (f_n - m) . m
    DB4  w . (f_n - m)          w: learned
    DB5  sum_c (f_n - m)_c      the adaptive decision boundary (Eq. 3)

The paper describes DB1 to DB4 in a few words; the formulas are our reading of them.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

MOMENTUM = 0.1
"""Share of a batch's mean in the running mean of DB1."""


def centred(features: Tensor) -> Tensor:
    """Return features (B, C, H, W) less their mean over each image's pixels."""
    return features - _mean(features)


def db1(features: Tensor, vector: Tensor) -> Tensor:
    """Return the sum of the features less the data set's mean feature ``vector`` (C,)."""
    return _sum(features - vector[:, None, None])


def db2(features: Tensor, vector: Tensor) -> Tensor:
    """Return the product of each pixel's features and the image's mean feature; ``vector`` plays no part."""
    return _sum(features * _mean(features))


def db3(features: Tensor, vector: Tensor) -> Tensor:
    """Return the product of each pixel's centred features and the image's mean feature; ``vector`` plays no part."""
    return _sum(centred(features) * _mean(features))


def db4(features: Tensor, vector: Tensor) -> Tensor:
    """Return the sum of the centred features, each channel with its learned weight in ``vector`` (C,)."""
    return _sum(centred(features) * vector[:, None, None])


def db5(features: Tensor, vector: Tensor) -> Tensor:
    """Return the sum of the centred features (Eq. 3), whose mean over the image is 0; ``vector`` plays no part."""
    return _sum(centred(features))


BOUNDARIES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"db1": db1, "db2": db2, "db3": db3, "db4": db4, "db5": db5}
"""Decision boundaries by name: ``boundary(features, vector)``."""


def sign(activation: Tensor) -> Tensor:
    """Return +1 for each image of which at most half of the pixels are positive, else -1 (Eq. 5): (B, 1, 1, 1).

    The smaller side is the object. At an exact tie the positive half is: the authors' code has sign(1/2 - share) there,
    which is 0 and erases the map.
    """
    share = (activation > 0).float().mean(dim=(-3, -2, -1), keepdim=True)
    return torch.where(share <= 0.5, 1.0, -1.0)


class Boundary(nn.Module):
    """A decision boundary with what it knows besides the image, for one map of features.

    Parameters
    ----------
    name : str
        One of ``BOUNDARIES``.
    channels : int
        Number of features.
    """

    def __init__(self, name: str, channels: int) -> None:
        super().__init__()
        self.name = name
        if name == "db4":
            self.weight = nn.Parameter(torch.ones(channels))
        self.mean: Tensor
        if name == "db1":
            self.register_buffer("mean", torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, C, H, W) to the activation (B, 1, H, W), float32 at least."""
        features = features if features.dtype == torch.float64 else features.float()
        return BOUNDARIES[self.name](features, self._vector(features))

    def _vector(self, features: Tensor) -> Tensor:
        """Return what the boundary knows; of DB1 the batch's mean in training, as batch normalisation has it."""
        if self.name == "db4":
            return self.weight
        if self.name != "db1":
            return features.new_zeros(features.shape[1])
        if not self.training:
            return self.mean
        found = features.mean(dim=(0, 2, 3))
        self.mean.lerp_(found.detach(), MOMENTUM)
        return found


def _mean(features: Tensor) -> Tensor:
    return features.mean(dim=(-2, -1), keepdim=True)


def _sum(values: Tensor) -> Tensor:
    return values.sum(dim=1, keepdim=True)
