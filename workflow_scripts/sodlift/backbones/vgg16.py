"""VGG16 (Simonyan and Zisserman, ICLR 2015), its convolutions only; torchvision's names, pooling with ceil mode."""

from torch import Tensor, nn

from sodlift.backbones._base import IMAGENET_MEAN, IMAGENET_STD, Backbone, Tap, WeightsEntry
from sodlift.backbones._weights import torchvision_release

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
}
"""Files that fit every form of the network."""

BACKBONE = Backbone(
    title="VGG16",
    source="Simonyan and Zisserman, ICLR 2015",
    taps=tuple(map(Tap, BLOCKS[1:], CHANNELS[1:], STRIDES[1:])),
    build=Vgg16,
    weights=WEIGHTS,
)
