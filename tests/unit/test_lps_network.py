"""The network of LPS: its exact form equals the published one, and compares as the paper says."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lps_samples import inputs, network, options, plain_forward
from mirm_samples import TINY, TinyBackbone
from torch import nn
from torch.nn import functional

from sodlift.backbones import BACKBONES
from sodlift.errors import UnknownNameError
from sodlift.refiners.lps.network import STARTS, Lps, Subpixel, average, build
from sodlift.refiners.lps.options import LpsOptions

SIZES = st.tuples(st.sampled_from([16, 32, 48]), st.sampled_from([16, 32, 48]))
BOTH = pytest.mark.parametrize("embedding", ["conv", "fc"])


@pytest.mark.parametrize(("embedding", "parameters"), [("conv", 16_400_640), ("fc", 16_401_152)])
def test_number_of_parameters_is_the_published_one(embedding: str, parameters: int) -> None:
    backbone = BACKBONES.get("vgg16_dilated")
    lps = build(LpsOptions(embedding=embedding), backbone, backbone.build(backbone.choose(None)[1]))
    assert sum(p.numel() for p in lps.parameters()) == parameters


@BOTH
@settings(max_examples=15, deadline=None)
@given(size=SIZES, training=st.booleans(), grid=st.sampled_from([1, 2, 4]))
def test_exact_form_equals_the_published_form(embedding: str, size: tuple[int, int], training: bool, grid: int) -> None:
    lps = network(embedding=embedding, grid=grid).double().train(training)
    x, prior = inputs(size)
    with torch.no_grad():
        assert torch.allclose(lps(x, prior), plain_forward(lps, x, prior), rtol=0, atol=1e-10)


@BOTH
def test_exact_form_equals_the_published_form_in_float32(embedding: str) -> None:
    lps = network(embedding=embedding, width=64, dimension=512).eval()
    for subpixel in lps.subpixels:
        nn.init.constant_(subpixel.norm.weight, 30)  # as far apart as a trained network has them
    x, prior = (tensor.float() for tensor in inputs((64, 96)))
    with torch.inference_mode():
        published = plain_forward(lps, x, prior)
        assert published.abs().max() > 0.5
        assert torch.allclose(lps(x, prior), published, rtol=0, atol=1e-4)


@BOTH
def test_exact_form_stands_features_far_from_zero_in_float32(embedding: str) -> None:
    lps = network(embedding=embedding, width=16).eval()
    for subpixel in lps.subpixels:
        nn.init.constant_(subpixel.norm.bias, 100)
    x, prior = inputs((64, 96))
    with torch.inference_mode():
        single = lps(x.float(), prior.float())
        assert torch.allclose(single.double(), plain_forward(lps.double(), x, prior), rtol=0, atol=1e-3)


@BOTH
def test_gradients_of_both_forms_are_equal(embedding: str) -> None:
    x, prior = inputs()
    gradients = []
    for forward in (Lps.forward, plain_forward):
        lps = network(embedding=embedding).double().train()
        functional.binary_cross_entropy_with_logits(forward(lps, x, prior), (prior > 0.3).double()).backward()
        gradients.append({name: p.grad for name, p in lps.named_parameters() if p.grad is not None})
    exact, published = gradients
    assert exact.keys() | {"embedding.pixel.bias"} == published.keys() | {"embedding.pixel.bias"}
    for name, gradient in exact.items():
        assert torch.allclose(gradient, published[name], rtol=0, atol=1e-10), name


def test_logits_do_not_depend_on_a_constant_added_to_all_embeddings() -> None:
    lps = network().double().eval()
    x, prior = inputs()
    with torch.no_grad():
        before = plain_forward(lps, x, prior)
        lps.embedding.pixel.bias += torch.randn_like(lps.embedding.pixel.bias)
        assert torch.allclose(plain_forward(lps, x, prior), before, rtol=0, atol=1e-10)
        assert torch.allclose(lps(x, prior), before, rtol=0, atol=1e-10)


@BOTH
def test_swapping_the_regions_negates_the_logit(embedding: str) -> None:
    lps = network(embedding=embedding).double().eval()
    x, prior = inputs()
    with torch.inference_mode():
        assert torch.allclose(lps(x, 1 - prior), -lps(x, prior), rtol=0, atol=1e-12)


@BOTH
def test_a_batch_gives_what_its_images_give_alone(embedding: str) -> None:
    lps = network(embedding=embedding).double().eval()
    x, prior = inputs(batch=3)
    prior[1] *= 0.01  # masses differ much, so that a mass of the whole batch would show
    with torch.inference_mode():
        together = lps(x, prior)
        alone = torch.cat([lps(x[i : i + 1], prior[i : i + 1]) for i in range(3)])
        assert torch.allclose(together, alone, rtol=0, atol=1e-12)


@BOTH
def test_one_encoding_serves_every_prior_of_an_image(embedding: str) -> None:
    lps = network(embedding=embedding, grid=2).double().eval()
    x, priors = inputs(priors=5)
    with torch.inference_mode():
        together = lps.decide(lps.encode(x), priors)
        for i in range(5):
            single = lps(x, priors[:, i : i + 1])
            assert torch.allclose(together[:, i : i + 1], single, rtol=0, atol=1e-12)


def test_logits_follow_the_prior() -> None:
    lps = network().double().eval()
    x, prior = inputs()
    with torch.inference_mode():
        assert not torch.allclose(lps(x, prior), lps(x, prior.flip(-1)), atol=1e-3)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_prior_without_a_region_gives_finite_logits_and_gradients(value: float) -> None:
    lps = network().train()
    x, prior = (tensor.float() for tensor in inputs())
    logits = lps(x, torch.full_like(prior, value))
    logits.sum().backward()
    assert torch.isfinite(logits).all()
    assert all(torch.isfinite(p.grad).all() for p in lps.parameters() if p.grad is not None)


def test_distances_are_float32_under_autocast() -> None:
    lps = network().eval()
    x, prior = (tensor.float() for tensor in inputs())
    with torch.inference_mode():
        with torch.autocast("cpu", torch.bfloat16):
            encoded = lps.encode(x)
            logits = lps.decide(encoded, prior)
        assert {tensor.dtype for tensor in (*encoded, logits)} == {torch.float32}
        assert torch.equal(lps.decide(encoded, prior), logits)
        assert not torch.equal(lps.encode(x).features, encoded.features)


@pytest.mark.parametrize(
    ("grid", "averaged", "enlarged"), [(1, [1] * 4, [2, 4, 4, 4]), (4, [2, 1, 1, 1], [1, 1, 2, 4])]
)
def test_taps_are_averaged_or_shuffled_to_the_grid_by_their_stride(
    grid: int, averaged: list[int], enlarged: list[int]
) -> None:
    lps = network(grid=grid)
    assert [up.averaged for up in lps.subpixels] == averaged
    assert [up.enlarged for up in lps.subpixels] == enlarged
    x, prior = inputs((64, 32))
    encoded = lps.double().encode(x)
    assert encoded.features.shape == (2, 16, 64 // grid, 32 // grid)
    assert lps.decide(encoded, prior).shape == prior.shape


def test_averaging_before_the_convolution_equals_averaging_after_it() -> None:
    subpixel = Subpixel(TINY.taps[0], 4, 4, "channels").double().eval()
    tap = torch.randn(1, 3, 10, 8, dtype=torch.float64)
    after = average(subpixel.norm(subpixel.conv(tap)), 2)
    assert torch.allclose(subpixel(tap, (5, 4)), after, rtol=0, atol=1e-12)


def test_cells_cut_by_the_border_are_averaged_over_what_is_left() -> None:
    row = torch.tensor([1.0, 3.0, 5.0]).view(1, 1, 1, 3)
    assert average(row, 2).flatten().tolist() == [2.0, 5.0]


def test_published_start_makes_all_channels_of_a_tap_alike_and_ours_does_not() -> None:
    weight = torch.randn(4 * 4, 3, 1, 1)
    assert torch.equal(STARTS["copies"](weight, 4), weight[:1].expand(16, 3, 1, 1))
    shuffled = functional.pixel_shuffle(functional.conv2d(torch.randn(1, 3, 5, 5), STARTS["channels"](weight, 4)), 2)
    cells = functional.interpolate(functional.avg_pool2d(shuffled, 2), scale_factor=2)
    assert torch.allclose(shuffled, cells, atol=1e-6)
    assert not torch.allclose(shuffled[:, 0], shuffled[:, 1])


def test_taps_may_be_limited() -> None:
    lps = network(taps=("1", "3"))
    assert lps.used == [1, 3]
    assert lps.embedding.pixel.in_channels == 2 * 2 * 4


def test_unknown_tap_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"tap 'conv9'[\s\S]*taps"):
        Lps(TinyBackbone(), TINY.taps, options(taps=("conv9",)))


def test_frozen_norm_keeps_the_backbones_statistics_and_no_others() -> None:
    lps = network().train()
    before = {k: v.clone() for k, v in lps.state_dict().items()}
    x, prior = (tensor.float() for tensor in inputs())
    lps(x, prior)
    assert {k.split(".")[0] for k, v in lps.state_dict().items() if not torch.equal(v, before[k])} == {"subpixels"}


def test_frozen_backbone_gets_no_gradient() -> None:
    lps = network(backbone_training="frozen").train()
    x, prior = (tensor.float() for tensor in inputs())
    lps(x, prior).sum().backward()
    assert all(p.grad is None for p in lps.backbone.parameters())
    assert all(p.grad is not None for p in lps.subpixels.parameters())
