"""What a backbone is: a feature extractor with named taps, and the weights files that fit it.

A weights file is meaningless without the arithmetic that it was trained with. So each entry names the padding of the
strided convolutions, the epsilon of batch normalisation and the normalisation of the input, and the network is built
for the entry.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from sodlift.fetch.release import Release, ReleaseFile
from sodlift.registry import unknown_name

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Tap:
    """One feature map that a backbone gives: its name in papers, its channels and its stride."""

    name: str
    channels: int
    stride: int


@dataclass(frozen=True)
class WeightsEntry:
    """One weights file and the arithmetic that belongs to it.

    Attributes
    ----------
    title : str
        What the weights are, for tables and logs.
    source : str
        Who made them, under which licence.
    padding : str
        Padding of convolutions with stride 2: ``symmetric`` (PyTorch) or ``same`` (TensorFlow and Keras: the odd pixel
        of padding goes below and to the right).
    bn_eps : float
        Epsilon of batch normalisation.
    mean, std : tuple of float
        Normalisation of RGB in [0, 1]: ``(x - mean) / std``.
    release : Release
        Where the file, its only one, can be had, and its checksum.
    locate : callable, optional
        Gives the file inside an installed package; raises MissingDependencyError.
    nested : str
        Key under which the file holds the state dict; empty where the file is the state dict.
    prefix : str
        What the network's keys begin with in the file; keys without it belong to other parts of the training.
    unused : tuple of str
        Prefixes of keys, below ``prefix``, that belong to the classifier, which the taps do not need.
    folded_bn : bool
        The file's batch normalisation is folded into the convolutions (weight 1, mean 0, variance 1 - eps). Batch
        statistics would destroy the scale of such features, so its normalisation is kept in evaluation mode.
    """

    title: str
    source: str
    padding: str
    bn_eps: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    release: Release = field(default_factory=Release)
    locate: Callable[[], Path] | None = None
    nested: str = ""
    prefix: str = ""
    unused: tuple[str, ...] = ()
    folded_bn: bool = False

    @property
    def file(self) -> ReleaseFile | None:
        """The file of the release; None for weights that only the user has."""
        return next(iter(self.release.files), None)

    @property
    def checksum(self) -> str:
        """The file's checksum with its kind, such as "sha256 b0353104"."""
        digests = self.file.remote("").digests if self.file else {}
        return ", ".join(f"{kind} {digits}" for kind, digits in digests.items()) or "checksum unknown"


@dataclass(frozen=True)
class Backbone:
    """One network whose features refiners and detectors use.

    Attributes
    ----------
    title, source : str
        The name that papers print; authors, venue and year.
    taps : tuple of Tap
        The feature maps that the module returns, shallow to deep. A tap of an (H, W) image and stride s has
        ``ceil(H / s) x ceil(W / s)`` pixels.
    build : callable
        ``build(entry) -> module`` for one of ``weights``, randomly initialised; ``module(x)`` maps (B, 3, H, W) to the
        tuple of taps.
    weights : mapping of str to WeightsEntry
        The weights files that fit; the first one is the default.
    """

    title: str
    source: str
    taps: tuple[Tap, ...]
    build: Callable[[WeightsEntry], nn.Module]
    weights: Mapping[str, WeightsEntry]

    def choose(self, name: str | None) -> tuple[str, WeightsEntry]:
        """Return the weights entry ``name`` (None: the first) with its name; raises UnknownNameError."""
        name = next(iter(self.weights)) if name is None else name
        if name not in self.weights:
            raise unknown_name("weights entry", name, self.weights, where=f"backbone {self.title}")
        return name, self.weights[name]


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's ``SAME`` padding, which depends on the input's size."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride))."""
        pads: list[int] = []
        for axis in (-1, -2):  # functional.pad takes the last axis first
            size, kernel, stride = x.shape[axis], self.kernel_size[axis], self.stride[axis]
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(functional.pad(x, pads))


def convolution(inputs: int, outputs: int, kernel: int, padding: str, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Return a convolution without bias, padded as the weights entry's ``padding`` says."""
    if padding == "same" and stride > 1:
        return SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)


def normalise(images: Tensor, entry: WeightsEntry) -> Tensor:
    """Map images (B, 3, H, W) uint8 RGB to what the weights expect: float32, channels last."""
    shape = (1, 3, 1, 1)
    mean = torch.tensor(entry.mean, device=images.device).view(shape) * 255
    std = torch.tensor(entry.std, device=images.device).view(shape) * 255
    return ((images.float() - mean) / std).contiguous(memory_format=torch.channels_last)
