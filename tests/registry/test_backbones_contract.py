"""Every registered backbone keeps the contract of ``sodlift.backbones._base.Backbone``."""

import pytest
import torch

from sodlift.backbones import BACKBONES

ALL = [(name, weights) for name in BACKBONES.names() for weights in BACKBONES.get(name).weights]


def test_the_published_backbones_are_registered() -> None:
    assert {"mobilenet_v2", "efficientnet_lite0", "resnet50", "vgg16"} <= set(BACKBONES.names())


@pytest.mark.parametrize(("name", "weights"), ALL)
@pytest.mark.parametrize("size", [(64, 64), (61, 70)])
def test_taps_have_the_channels_and_sizes_they_claim(name: str, weights: str, size: tuple[int, int]) -> None:
    backbone = BACKBONES.get(name)
    module = backbone.build(backbone.weights[weights]).eval()
    with torch.inference_mode():
        taps = module(torch.randn(2, 3, *size))
    assert [tuple(t.shape) for t in taps] == [
        (2, tap.channels, -(-size[0] // tap.stride), -(-size[1] // tap.stride)) for tap in backbone.taps
    ]


@pytest.mark.parametrize(("name", "weights"), ALL)
def test_a_weights_entry_names_its_arithmetic_and_its_source(name: str, weights: str) -> None:
    entry = BACKBONES.get(name).weights[weights]
    assert entry.padding in {"same", "symmetric"}
    assert 0 < entry.bn_eps < 0.01
    assert all(0 <= m <= 1 for m in entry.mean)
    assert all(0 < s <= 1 for s in entry.std)
    assert entry.title
    assert entry.source


@pytest.mark.parametrize(("name", "weights"), ALL)
def test_a_weights_entry_is_one_file_with_a_checksum(name: str, weights: str) -> None:
    entry = BACKBONES.get(name).weights[weights]
    (file,) = entry.release.files
    assert file.sha256 or file.md5
    assert (file.sha256 or file.md5) in entry.checksum
    assert not file.take
    assert file.urls or entry.release.note, "a file without address says how it comes"


def test_two_files_of_weights_have_two_names() -> None:
    found = [BACKBONES.get(name).weights[weights].file for name, weights in ALL]
    assert all(a == b for a in found for b in found if a.name == b.name)


@pytest.mark.parametrize("name", BACKBONES.names())
def test_taps_go_from_shallow_to_deep_and_begin_at_half_the_images_size_or_all_of_it(name: str) -> None:
    strides = [tap.stride for tap in BACKBONES.get(name).taps]
    assert strides[0] == (1 if name == "vgg16_dilated" else 2)
    assert strides == sorted(strides)
