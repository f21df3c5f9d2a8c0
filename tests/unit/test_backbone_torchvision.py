"""The entries of torchvision's weights say what torchvision says: address, checksum and preprocessing."""

import pytest
from torch.hub import HASH_REGEX
from torchvision.models import MobileNet_V2_Weights, ResNet50_Weights, VGG16_Weights, WeightsEnum

from sodlift.backbones import BACKBONES

THEIRS = {
    ("mobilenet_v2", "torchvision"): MobileNet_V2_Weights.IMAGENET1K_V1,
    ("mobilenet_v2", "torchvision_v2"): MobileNet_V2_Weights.IMAGENET1K_V2,
    ("resnet50", "torchvision_v1"): ResNet50_Weights.IMAGENET1K_V1,
    ("resnet50", "torchvision_v2"): ResNet50_Weights.IMAGENET1K_V2,
    ("vgg16", "torchvision"): VGG16_Weights.IMAGENET1K_V1,
    ("vgg16", "torchvision_features"): VGG16_Weights.IMAGENET1K_FEATURES,
    ("vgg16_dilated", "torchvision"): VGG16_Weights.IMAGENET1K_V1,
    ("vgg16_dilated", "torchvision_features"): VGG16_Weights.IMAGENET1K_FEATURES,
}
OURS = [(name, weights) for name in BACKBONES.names() for weights in BACKBONES.get(name).weights]


@pytest.mark.parametrize(("key", "theirs"), THEIRS.items(), ids=str)
def test_entry_is_what_torchvisions_enum_says(key: tuple[str, str], theirs: WeightsEnum) -> None:
    entry = BACKBONES.get(key[0]).weights[key[1]]
    file = entry.file
    assert file is not None
    assert file.urls == (theirs.url,)
    assert file.name == theirs.url.rsplit("/", 1)[1]
    assert file.sha256.startswith(HASH_REGEX.search(file.name)[1])
    assert file.size is None or round(file.size / 2**20, 3) == theirs.meta["_file_size"]
    preprocessing = theirs.transforms()
    assert list(entry.mean) == pytest.approx(preprocessing.mean, abs=1e-9)
    assert list(entry.std) == pytest.approx(preprocessing.std, abs=1e-9)
    assert entry.padding == "symmetric"
    assert entry.bn_eps == 1e-5
    assert theirs.name in entry.title


def test_every_entry_of_torchvision_is_compared() -> None:
    served = {
        key
        for key in OURS
        if any("download.pytorch.org" in url for url in BACKBONES.get(key[0]).weights[key[1]].file.urls)
    }
    assert served == set(THEIRS)
