"""ResNet-50 (He, Zhang, Ren, Sun; CVPR 2016) without its classifier, built by torchvision.

Its strides stand in the 3x3 convolutions ("v1.5"), as in all weights files here.
"""

from functools import partial

import torchvision
from torch import Tensor, nn

from sodlift.backbones._base import IMAGENET_MEAN, IMAGENET_STD, Backbone, Tap, WeightsEntry
from sodlift.backbones._weights import torchvision_release
from sodlift.errors import ConfigError
from sodlift.fetch.release import Release, ReleaseFile

TAPS = (
    Tap("stem", 64, 2),
    Tap("layer1", 256, 4),
    Tap("layer2", 512, 8),
    Tap("layer3", 1024, 16),
    Tap("layer4", 2048, 32),
)
"""The stem before its pooling, and the four stages of Table 1; E1 to E5 of A2S."""


class ResNet50(nn.Module):
    """The stem and the four stages of bottlenecks; returns the taps."""

    def __init__(self, entry: WeightsEntry) -> None:
        super().__init__()
        if entry.padding != "symmetric":
            raise ConfigError(f"ResNet-50 with padding '{entry.padding}'", where=entry.title, expected="symmetric")
        whole = torchvision.models.resnet50(weights=None, norm_layer=partial(nn.BatchNorm2d, eps=entry.bn_eps))
        self.conv1, self.bn1, self.relu, self.maxpool = whole.conv1, whole.bn1, whole.relu, whole.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = whole.layer1, whole.layer2, whole.layer3, whole.layer4

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map (B, 3, H, W), normalised, to taps of 64, 256, 512, 1024, 2048 channels at strides 2, 4, 8, 16, 32."""
        taps = [self.relu(self.bn1(self.conv1(x)))]
        x = self.maxpool(taps[0])
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            taps.append(x)
        return tuple(taps)


_imagenet = partial(WeightsEntry, padding="symmetric", bn_eps=1e-5, mean=IMAGENET_MEAN, std=IMAGENET_STD)
_torchvision = partial(_imagenet, source="torchvision, BSD-3-Clause", unused=("fc.",))

BACKBONE = Backbone(
    title="ResNet-50",
    source="He et al., CVPR 2016",
    taps=TAPS,
    build=ResNet50,
    weights={
        "moco_v2_800ep": _imagenet(
            title="ResNet-50 (MoCo v2, 800 epochs)",
            source="Chen, Fan, Girshick, He, arXiv 2003.04297; CC BY-NC 4.0 by its README",
            release=Release(
                page="https://github.com/facebookresearch/moco",
                files=(
                    ReleaseFile(
                        name="moco_v2_800ep_pretrain.pth.tar",
                        urls=(
                            "https://dl.fbaipublicfiles.com/moco/moco_checkpoints/moco_v2_800ep/"
                            "moco_v2_800ep_pretrain.pth.tar",
                        ),
                        md5="a04e12f8",
                        checksum_source="table of models in the README of the page",
                    ),
                ),
            ),
            nested="state_dict",
            # encoder_k and the queue are the training's; the fc of encoder_q is its projection head
            prefix="module.encoder_q.",
            unused=("fc.",),
        ),
        # 19c8e357, which older papers name, holds the same weights in a tar that cannot be read without running code
        "torchvision_v1": _torchvision(
            title="ResNet-50 (torchvision, IMAGENET1K_V1)",
            release=torchvision_release(
                "resnet50-0676ba61.pth",
                sha256="0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
                size=102530333,
            ),
        ),
        "torchvision_v2": _torchvision(
            title="ResNet-50 (torchvision, IMAGENET1K_V2)", release=torchvision_release("resnet50-11ad3fa6.pth")
        ),
    },
)
