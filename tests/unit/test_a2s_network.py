"""The network of A2S's second stage: its size, its modules in plain form, backbones of five and four taps."""

from dataclasses import replace

import pytest
import torch
from mirm_samples import TINY, TinyBackbone
from torch.nn import functional

from sodlift.backbones import BACKBONES
from sodlift.detectors.a2s.network import A2s, Attention, build
from sodlift.detectors.a2s.options import A2sOptions
from sodlift.errors import ConfigError

CLASSIFIER = 2048 * 1000 + 1000
"""ResNet-50's, which the published numbers count and nothing uses."""


def network(modulation: bool = True, norm: str = "frozen") -> A2s:
    torch.manual_seed(0)
    return A2s(TinyBackbone(), TINY, modulation=modulation, training="tuned", norm=norm)


@pytest.mark.parametrize(("modulation", "expected"), [(True, 28_397_864), (False, 28_250_152)])
def test_number_of_parameters_is_the_published_one(modulation: bool, expected: int) -> None:
    backbone = BACKBONES.get("resnet50")
    built = build(
        A2sOptions(backbone="resnet50", modulation=modulation), backbone, backbone.build(backbone.choose(None)[1])
    )
    assert sum(p.numel() for p in built.parameters()) + CLASSIFIER == expected


@pytest.mark.parametrize(("backbone", "used"), [("resnet50", [0, 1, 2, 3, 4]), ("mobilenet_v2", [0, 1, 2, 3])])
def test_logits_have_the_images_size(backbone: str, used: list[int]) -> None:
    entry = BACKBONES.get(backbone)
    built = build(A2sOptions(backbone=backbone), entry, entry.build(entry.choose(None)[1])).eval()
    assert built.used == used
    with torch.no_grad():
        assert built(torch.zeros(1, 3, 64, 96)).shape == (1, 1, 64, 96)


def test_backbone_without_the_taps_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"Tiny has 3 taps[\s\S]*at least 4"):
        A2s(TinyBackbone(), replace(TINY, taps=TINY.taps[:3]), training="tuned", norm="frozen")


def up(x: torch.Tensor, size: torch.Size) -> torch.Tensor:
    return functional.interpolate(x, tuple(size), mode="bilinear", align_corners=False)


@pytest.mark.parametrize("modulation", [True, False])
def test_attention_is_its_plain_form(modulation: bool) -> None:
    torch.manual_seed(1)
    module = Attention(modulation=modulation)
    a, b, g = (torch.rand(2, 64, s, s) for s in (8, 4, 2))
    conv, norm, _ = module.guide
    guide = up(torch.relu(functional.group_norm(conv(g), 32, norm.weight, norm.bias)), a.shape[-2:])
    b_up = up(b, a.shape[-2:])
    if modulation:
        of_a, of_b = module.gates
        parts = [a * torch.sigmoid(of_a(a - guide)), b_up * torch.sigmoid(of_b(b_up - guide)), guide]
    else:
        parts = [a, b_up, guide]
    assert torch.allclose(module(a, b, g), module.join(torch.cat(parts, dim=1)), atol=1e-5)


def test_map_is_the_product_of_region_and_detail_summed_over_channels() -> None:
    built, x = network().eval(), torch.rand(2, 3, 64, 64) - 0.5
    with torch.no_grad():
        features = [adapt(tap) for adapt, tap in zip(built.adapters, built.backbone(x), strict=True)]
        wide = built.widen(features[3])
        narrow = built.narrow(up(wide, torch.Size([8, 8])))
        local = built.local(features[0], features[1], up(narrow, torch.Size([16, 16])))
        region = built.region(features[1], features[2], features[3])
        expected = up((local * up(region, local.shape[-2:])).sum(1, keepdim=True), x.shape[-2:])
        assert torch.allclose(built(x), expected, atol=1e-5)


@pytest.mark.parametrize("modulation", [True, False])
def test_gradients_reach_every_parameter(modulation: bool) -> None:
    built = network(modulation).train()
    built(torch.rand(2, 3, 64, 64) - 0.5).square().mean().backward()
    missing = [name for name, p in built.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert not missing
    assert all(p.grad is not None and p.grad.any() for n, p in built.named_parameters() if n.endswith("join.weight"))


@pytest.mark.parametrize(("norm", "mode"), [("batch", True), ("frozen", False)])
def test_normalisation_of_the_encoder_is_in_the_mode_asked_for(norm: str, mode: bool) -> None:
    built = network(norm=norm).train()
    assert {m.training for m in built.backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)} == {mode}
