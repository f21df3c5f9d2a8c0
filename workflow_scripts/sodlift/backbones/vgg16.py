"""VGG16 (Simonyan and Zisserman, ICLR 2015), its convolutions only; torchvision's names, pooling with ceil mode."""

from torch import Tensor, nn

from sodlift.backbones._base import IMAGENET_MEAN, IMAGENET_STD, Backbone, Tap, WeightsEntry
from sodlift.backbones._weights import torchvision_release

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Table 1, column D: output channels of the convolutions between pools."""

TAPS = (Tap("conv2_2", 128, 2), Tap("conv3_3", 256, 4), Tap("conv4_3", 512, 8), Tap("conv5_3", 512, 16))


class Vgg16(nn.Module):
    """The thirteen convolutions, each with ReLU, and the four pools between them; returns the taps."""

    def __init__(self, entry: WeightsEntry) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self._ends: list[int] = []
        inputs = 3
        for widths in WIDTHS:
            if layers:
                layers.append(nn.MaxPool2d(2, ceil_mode=True))
            for outputs in widths:
                layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
                inputs = outputs
            self._ends.append(len(layers) - 1)
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map (B, 3, H, W), normalised, to taps of 128, 256, 512 and 512 channels at strides 2, 4, 8 and 16."""
        ends = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self._ends:
                ends.append(x)
        return tuple(ends[1:])


BACKBONE = Backbone(
    title="VGG16",
    source="Simonyan and Zisserman, ICLR 2015",
    taps=TAPS,
    build=Vgg16,
    weights={
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
    },
)
