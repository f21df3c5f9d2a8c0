"""MobileNetV2 (Sandler, Howard, Zhu, Zhmoginov, Chen; CVPR 2018), width 1.0, without its classifier.

Modules carry torchvision's names, so that its checkpoints and those in its layout load as they are.
"""

from torch import Tensor, nn

from sodlift.backbones._base import IMAGENET_MEAN, IMAGENET_STD, Backbone, Tap, WeightsEntry, convolution
from sodlift.backbones._weights import torchvision_release
from sodlift.fetch.release import Release, ReleaseFile

SETTINGS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Table 2 of the paper: expansion t, channels c, repetitions n, stride s."""

STEM = 32
TAPS = (Tap("0", 32, 2), Tap("3", 24, 4), Tap("13", 96, 16), Tap("17", 320, 32))


def _unit(
    inputs: int, outputs: int, entry: WeightsEntry, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Module:
    return nn.Sequential(
        convolution(inputs, outputs, kernel, entry.padding, stride=stride, groups=groups),
        nn.BatchNorm2d(outputs, eps=entry.bn_eps),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter by depthwise 3x3, project by a linear 1x1; the sum where shapes allow (Fig. 3b)."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, entry: WeightsEntry) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.adds = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            *([_unit(inputs, hidden, entry)] if expansion != 1 else []),
            _unit(hidden, hidden, entry, kernel=3, stride=stride, groups=hidden),
            convolution(hidden, outputs, 1, entry.padding),
            nn.BatchNorm2d(outputs, eps=entry.bn_eps),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', H / stride, W / stride)."""
        y: Tensor = self.conv(x)
        return x + y if self.adds else y


class MobileNetV2(nn.Module):
    """The stem and the 17 blocks; returns the taps."""

    def __init__(self, entry: WeightsEntry) -> None:
        super().__init__()
        blocks: list[nn.Module] = [_unit(3, STEM, entry, kernel=3, stride=2)]
        inputs = STEM
        for expansion, outputs, repetitions, stride in SETTINGS:
            for repetition in range(repetitions):
                blocks.append(InvertedResidual(inputs, outputs, expansion, stride if repetition == 0 else 1, entry))
                inputs = outputs
        self.features = nn.Sequential(*blocks)
        self._taps = {int(tap.name) for tap in TAPS}

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map (B, 3, H, W), normalised, to taps of 32, 24, 96 and 320 channels at strides 2, 4, 16 and 32."""
        taps = []
        for index, block in enumerate(self.features):
            x = block(x)
            if index in self._taps:
                taps.append(x)
        return tuple(taps)


BACKBONE = Backbone(
    title="MobileNetV2",
    source="Sandler et al., CVPR 2018",
    taps=TAPS,
    build=MobileNetV2,
    weights={
        "torchvision": WeightsEntry(
            title="MobileNetV2 1.0 (torchvision, IMAGENET1K_V1)",
            source="torchvision, BSD-3-Clause",
            padding="symmetric",
            bn_eps=1e-5,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            release=torchvision_release(
                "mobilenet_v2-b0353104.pth", sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
            ),
            unused=("features.18.", "classifier."),
        ),
        "torchvision_v2": WeightsEntry(
            title="MobileNetV2 1.0 (torchvision, IMAGENET1K_V2)",
            source="torchvision, BSD-3-Clause",
            padding="symmetric",
            bn_eps=1e-5,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            release=torchvision_release("mobilenet_v2-7ebf99e0.pth", size=14258573),
            unused=("features.18.", "classifier."),
        ),
        "keras_bnfolded": WeightsEntry(
            title="MobileNetV2 1.0 (Keras, batch normalisation folded)",
            source="Keras Applications by way of an int8 model, Apache-2.0",
            padding="same",
            bn_eps=1e-3,
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            release=Release(
                note="published nowhere in this form",
                files=(
                    ReleaseFile(
                        name="mobilenetv2_imagenet_backbone_bnfolded.pth",
                        size=9108187,
                        sha256="d3d9de3e7dc88ca91406aa2f9c60835e5cb9cc9de0300a59863981678e2d9e7b",
                        checksum_source="the copy that this library's tests load; there is no public record",
                    ),
                ),
            ),
            unused=("features.18.",),
            folded_bn=True,
        ),
    },
)
