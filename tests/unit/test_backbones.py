"""Backbones: their networks, padding and normalisation, and the choice of weights."""

from dataclasses import replace

import pytest
import torch
import torchvision
from backbone_samples import ENTRY, tiny
from torch.nn import functional

from sodlift.backbones import BACKBONES
from sodlift.backbones._base import SameConv2d, normalise
from sodlift.backbones._state import fit_state
from sodlift.errors import ConfigError, UnknownNameError


@pytest.mark.parametrize(
    ("size", "kernel", "before", "after"), [(8, 3, 0, 1), (7, 3, 1, 1), (8, 5, 1, 2), (7, 5, 2, 2)]
)
def test_same_padding_puts_the_odd_pixel_after(size: int, kernel: int, before: int, after: int) -> None:
    conv = SameConv2d(1, 1, kernel, stride=2, bias=False)
    x = torch.randn(1, 1, size, size)
    expected = functional.conv2d(functional.pad(x, (before, after, before, after)), conv.weight, stride=2)
    assert torch.equal(conv(x), expected)
    assert conv(x).shape[-1] == -(-size // 2)


def test_same_and_symmetric_padding_differ_on_even_sizes() -> None:
    entry = BACKBONES.get("mobilenet_v2").weights["keras_bnfolded"]
    torch.manual_seed(0)
    same = BACKBONES.get("mobilenet_v2").build(entry).eval()
    symmetric = BACKBONES.get("mobilenet_v2").build(replace(entry, padding="symmetric")).eval()
    symmetric.load_state_dict(same.state_dict())
    x = torch.randn(1, 3, 64, 64)
    assert not torch.allclose(same(x)[0], symmetric(x)[0])


def test_normalise_maps_the_mean_colour_to_zero() -> None:
    images = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    assert torch.allclose(normalise(images, ENTRY), torch.full((1, 3, 2, 2), 2.0))
    assert normalise(images, ENTRY).is_contiguous(memory_format=torch.channels_last)


def test_keras_weights_get_their_images_from_minus_one_to_one() -> None:
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    entry = BACKBONES.get("mobilenet_v2").weights["keras_bnfolded"]
    assert torch.allclose(normalise(images, entry), images / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize(("name", "count"), [("mobilenet_v2", 1_811_712), ("resnet50", 25_557_032 - 2_049_000)])
def test_network_has_the_published_number_of_parameters_without_its_classifier(name: str, count: int) -> None:
    backbone = BACKBONES.get(name)
    assert sum(p.numel() for p in backbone.build(backbone.choose(None)[1]).parameters()) == count


def test_mobilenet_v2_has_torchvisions_keys_and_function() -> None:
    theirs = torchvision.models.mobilenet_v2(weights=None).eval()
    backbone = BACKBONES.get("mobilenet_v2")
    entry = backbone.weights["torchvision"]
    ours = backbone.build(entry).eval()
    fit_state(ours, theirs.state_dict(), "torchvision", unused=entry.unused)
    x = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        assert torch.equal(ours(x)[-1], theirs.features[:18](x))


def test_vgg16_has_torchvisions_keys_and_function() -> None:
    theirs = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["D"]).eval()
    backbone = BACKBONES.get("vgg16")
    entry = backbone.weights["torchvision"]
    ours = backbone.build(entry).eval()
    fit_state(ours, {f"features.{k}": v for k, v in theirs.state_dict().items()}, "torchvision", unused=entry.unused)
    x = torch.randn(1, 3, 32, 32)  # a power of two, where ceil mode plays no part
    with torch.inference_mode():
        assert torch.equal(ours(x)[-1], theirs[:30](x))


def test_resnet50_has_torchvisions_keys_and_function_and_taps_the_stem_before_its_pooling() -> None:
    theirs = torchvision.models.resnet50(weights=None).eval()
    backbone = BACKBONES.get("resnet50")
    entry = backbone.weights["torchvision_v1"]
    ours = backbone.build(entry).eval()
    report = fit_state(ours, theirs.state_dict(), "torchvision", unused=entry.unused)
    assert report.unused == ("fc.weight", "fc.bias")
    x = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        stem = theirs.relu(theirs.bn1(theirs.conv1(x)))
        taps = ours(x)
        assert torch.equal(taps[0], stem)
        deep = theirs.layer4(theirs.layer3(theirs.layer2(theirs.layer1(theirs.maxpool(stem)))))
        assert torch.equal(taps[-1], deep)


def test_resnet50_refuses_a_padding_that_it_cannot_have() -> None:
    backbone = BACKBONES.get("resnet50")
    with pytest.raises(ConfigError, match=r"padding 'same'[\s\S]*symmetric"):
        backbone.build(replace(backbone.choose(None)[1], padding="same"))


@pytest.mark.parametrize(
    ("backbone", "default"),
    [("mobilenet_v2", "torchvision"), ("vgg16", "torchvision"), ("resnet50", "moco_v2_800ep")],
)
def test_first_weights_entry_is_the_default(backbone: str, default: str) -> None:
    assert tiny().choose(None) == ("a", ENTRY)
    assert tiny().choose("b")[1].title == "other"
    assert BACKBONES.get(backbone).choose(None)[0] == default


def test_unknown_weights_entry_is_named_with_its_backbone() -> None:
    with pytest.raises(UnknownNameError, match=r"weights entry 'kears_bnfolded'[\s\S]*did you mean 'keras_bnfolded'"):
        BACKBONES.get("mobilenet_v2").choose("kears_bnfolded")
