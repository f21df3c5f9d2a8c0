"""The network of MIRM: its exact form equals the published one, and its foreground vector is what the paper says."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mirm_samples import CHANNELS, TinyBackbone, network, plain_forward
from torch import Tensor, nn
from torch.nn import functional

from sodlift.backbones import BACKBONES
from sodlift.refiners.mirm.loss import foreground_weights, loss
from sodlift.refiners.mirm.network import Mirm, pull_back, resize

SIZES = st.tuples(st.integers(9, 40), st.integers(9, 40))


def inputs(size: tuple[int, int], batch: int = 2, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, 3, *size, generator=generator, dtype=torch.float64)
    prior = torch.rand(batch, 1, *size, generator=generator, dtype=torch.float64)
    return x, foreground_weights(prior, 0.5)


@pytest.mark.parametrize(("name", "parameters"), [("mobilenet_v2", 2_321_728), ("vgg16", 17_255_824)])
def test_number_of_parameters_is_the_published_one(name: str, parameters: int) -> None:
    backbone = BACKBONES.get(name)
    mirm = Mirm(backbone.build(backbone.choose(None)[1]), [tap.channels for tap in backbone.taps])
    assert sum(p.numel() for p in mirm.parameters()) == parameters


@settings(max_examples=15, deadline=None)
@given(SIZES, st.booleans())
def test_exact_form_equals_the_published_form(size: tuple[int, int], training: bool) -> None:
    mirm = network().double().train(training)
    x, weights = inputs(size)
    with torch.no_grad():
        assert torch.allclose(mirm(x, weights), plain_forward(mirm, x, weights), rtol=0, atol=1e-10)


def test_exact_form_equals_the_published_form_with_mobilenet_v2() -> None:
    backbone = BACKBONES.get("mobilenet_v2")
    torch.manual_seed(0)
    mirm = Mirm(backbone.build(backbone.choose(None)[1]), [tap.channels for tap in backbone.taps]).double().eval()
    x, weights = inputs((70, 90))
    with torch.inference_mode():
        assert torch.allclose(mirm(x, weights), plain_forward(mirm, x, weights), rtol=0, atol=1e-10)


def test_gradients_of_both_forms_are_equal() -> None:
    x, weights = inputs((33, 40))
    target = (weights > 0).double()
    gradients = []
    for forward in (Mirm.forward, plain_forward):
        mirm = network().double().train()
        functional.binary_cross_entropy_with_logits(forward(mirm, x, weights), target).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in mirm.parameters() if p.grad is not None]))
    assert len(gradients[0]) == sum(p.numel() for p in network().parameters())
    assert torch.allclose(*gradients, rtol=0, atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(SIZES, SIZES)
def test_pull_back_is_the_adjoint_of_resize(small: tuple[int, int], large: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *small, dtype=torch.float64)
    weights = torch.rand(2, 1, *large, dtype=torch.float64)
    direct = (resize(x, large) * weights).sum(dim=(-2, -1))
    assert torch.allclose((x * pull_back(weights, small)).sum(dim=(-2, -1)), direct, rtol=0, atol=1e-10)


def foreground_gradient(batch: int) -> float:
    """Norm of the gradient that reaches the foreground branch in training."""
    mirm = network().double().train()
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(batch, 3, 32, 32, generator=generator, dtype=torch.float64)
    prior = torch.rand(batch, 1, 32, 32, generator=generator, dtype=torch.float64)
    loss(mirm(x, foreground_weights(prior, 0.9)).double(), prior, 0.8, 0.3).backward()
    return sum(float(p.grad.norm()) for p in mirm.foreground.parameters() if p.grad is not None)


def test_one_image_a_step_trains_no_foreground_vector() -> None:
    assert foreground_gradient(1) < 1e-7
    assert foreground_gradient(2) > 1e-3


def test_permuting_images_permutes_logits_in_evaluation() -> None:
    mirm = network().double().eval()
    x, weights = inputs((24, 32), batch=3)
    order = torch.tensor([2, 0, 1])
    with torch.inference_mode():
        assert torch.allclose(mirm(x[order], weights[order]), mirm(x, weights)[order], rtol=0, atol=1e-12)


def test_one_encoding_serves_every_prior_of_an_image() -> None:
    mirm = network().double().eval()
    x, _ = inputs((24, 32), batch=1)
    with torch.inference_mode():
        encoded = mirm.encode(x)
        for seed in range(3):
            _, weights = inputs((24, 32), batch=1, seed=seed)
            shared = mirm.decide(encoded, mirm.foreground_vector(encoded, weights), (24, 32))
            assert torch.equal(shared, mirm(x, weights))


def test_logits_depend_on_the_foreground_vector() -> None:
    mirm = network().double().eval()
    x, weights = inputs((24, 32))
    with torch.inference_mode():
        assert not torch.allclose(mirm(x, weights), mirm(x, weights.flip(0)))


def test_frozen_norm_keeps_the_backbones_statistics_and_no_others() -> None:
    mirm = network(frozen_norm=True).train()
    before = {k: v.clone() for k, v in mirm.state_dict().items()}
    x, weights = inputs((32, 32))
    mirm(x.float(), weights.float())
    changed = {k.split(".")[0] for k, v in mirm.state_dict().items() if not torch.equal(v, before[k])}
    assert "backbone" not in changed
    assert changed == {"merge", "aspp", "pixel", "foreground", "discriminator"}


def test_frozen_backbone_gets_no_gradient() -> None:
    mirm = network(frozen_backbone=True).train()
    x, weights = inputs((32, 32))
    mirm(x.float(), weights.float()).sum().backward()
    assert all(p.grad is None for p in mirm.backbone.parameters())
    assert all(p.grad is not None for name, p in mirm.named_parameters() if not name.startswith("backbone."))


def test_pretrained_weights_survive_the_heads_initialisation() -> None:
    backbone = TinyBackbone()
    before = [p.clone() for p in backbone.parameters()]
    mirm = Mirm(backbone, CHANNELS)
    assert all(torch.equal(a, b) for a, b in zip(before, mirm.backbone.parameters(), strict=True))
    biases = [m.bias for m in mirm.discriminator.modules() if isinstance(m, nn.Conv2d)]
    assert all(b is not None and not b.any() for b in biases)
