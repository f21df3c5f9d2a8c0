"""The network of A2S's first stage: its size, what it answers, what is trained; and its loss by hand."""

import math
from dataclasses import replace

import pytest
import torch
from mirm_samples import TINY, TinyBackbone

from sodlift.backbones import BACKBONES
from sodlift.detectors.a2s_labels.boundary import sign
from sodlift.detectors.a2s_labels.loss import WEIGHTS, terms, undecided
from sodlift.detectors.a2s_labels.network import A2sLabels, Squeeze, build
from sodlift.detectors.a2s_labels.options import A2sLabelsOptions
from sodlift.errors import ConfigError
from sodlift.training.task import Batch


def network(training: str = "frozen", norm: str = "frozen", boundary: str = "db5", seed: int = 0) -> A2sLabels:
    torch.manual_seed(seed)
    return A2sLabels(TinyBackbone(), TINY, boundary, training, norm)


def images(count: int = 2, size: int = 64) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(3)) - 0.5


@pytest.mark.parametrize(("backbone", "expected"), [("resnet50", 2_192_384), ("mobilenet_v2", 381_440)])
def test_decoder_has_the_published_number_of_parameters(backbone: str, expected: int) -> None:
    entry = BACKBONES.get(backbone)
    module = entry.build(entry.choose(None)[1])
    built = build(A2sLabelsOptions(backbone=backbone), entry, module)
    sizes = {id(p): p.numel() for p in built.parameters()}
    assert sum(sizes.values()) - sum(p.numel() for p in module.parameters()) == expected


def test_taps_are_chosen_by_stride() -> None:
    turned = replace(TINY, taps=TINY.taps[::-1])
    found = [A2sLabels(TinyBackbone(), entry, "db5", "frozen", "frozen") for entry in (TINY, turned)]
    assert [(n.shallowest, n.deepest) for n in found] == [(0, [1, 2, 3]), (3, [2, 1, 0])]


def test_backbone_without_the_taps_is_an_error_that_names_those_it_has() -> None:
    with pytest.raises(ConfigError, match=r"Tiny has 3 taps: 0 \(stride 2\)[\s\S]*at least 4"):
        A2sLabels(TinyBackbone(), replace(TINY, taps=TINY.taps[:3]), "db5", "frozen", "frozen")


def test_activations_have_the_images_size_and_the_taps_sizes() -> None:
    answer = network()(images())
    assert answer.fused.shape == (2, 1, 64, 64)
    assert [tuple(branch.shape) for branch in answer.branches] == [(2, 1, s, s) for s in (16, 8, 4)]
    assert all(branch.mean(dim=(1, 2, 3)).abs().max() < 1e-3 for branch in answer.branches)


def test_fused_activation_is_signed_before_it_is_resized() -> None:
    built, x = network().eval(), images(1)
    plain: list[torch.Tensor] = []
    built.boundaries[-1].register_forward_hook(lambda module, given, found: plain.append(found))
    answer = built(x)
    signed = plain[0] * sign(plain[0])
    expected = torch.nn.functional.interpolate(signed, (64, 64), mode="bilinear", align_corners=False)
    assert torch.equal(answer.fused, expected)
    assert (signed > 0).float().mean() <= 0.5


def test_gate_sees_the_mean_of_each_channel_after_normalisation() -> None:
    torch.manual_seed(0)
    block, x = Squeeze(5), torch.rand(2, 5, 6, 6)
    y = torch.relu(block.norm(block.conv(x)))
    gate = torch.sigmoid(y.mean(dim=(2, 3)) @ block.gate.weight[:, :, 0, 0].T + block.gate.bias)
    assert torch.allclose(block(x), y * gate[:, :, None, None], atol=1e-6)


@pytest.mark.parametrize("training", ["frozen", "tuned"])
def test_gradients_reach_the_decoder_and_a_tuned_encoder(training: str) -> None:
    built = network(training).train()
    answer = built(images())
    terms((answer.fused, *answer.branches), WEIGHTS, 0.1, 0.0, batch(2)).backward()
    decoder = [p for name, p in built.named_parameters() if not name.startswith("backbone.")]
    assert all(p.grad is not None and torch.isfinite(p.grad).all() and p.grad.any() for p in decoder)
    assert all((p.grad is not None) == (training == "tuned") for p in built.backbone.parameters())


@pytest.mark.parametrize(("norm", "drifts"), [("batch", True), ("frozen", False)])
def test_averages_of_a_frozen_encoder_drift_where_it_runs_by_batch(norm: str, drifts: bool) -> None:
    built = network("frozen", norm).train()
    statistics = {k: v.clone() for k, v in built.backbone.state_dict().items() if "running" in k}
    built(images())
    after = built.backbone.state_dict()
    assert all(torch.equal(after[key], before) != drifts for key, before in statistics.items())


# The loss.


def batch(count: int, first: int = 0) -> Batch:
    empty = torch.zeros(count, 3, 2, 2, dtype=torch.uint8)
    return Batch(empty, torch.zeros(count, 0, 2, 2), torch.zeros(count), torch.arange(first, first + count))


def test_loss_of_a_pixel_by_hand() -> None:
    logit = math.log(3)  # sigmoid 3/4
    found = undecided(torch.tensor([0.0, logit, -logit]), 0.2)
    assert found.tolist() == pytest.approx([1, 1 - 1 / 16 - 0.05, 1 - 1 / 16 - 0.05])


def test_loss_weighs_the_means_of_the_maps() -> None:
    logit = math.log(3)
    maps = tuple(torch.full((2, 1, side, side), value) for side, value in ((4, logit), (2, 0.0), (1, logit), (3, 0.0)))
    one = 1 - 1 / 16 - 0.1 / 4
    assert terms(maps, WEIGHTS, 0.1, 0.0, batch(2)).item() == pytest.approx(2 * (one + 0.1 + 0.3 * one + 0.5))
    assert WEIGHTS == (1.0, 0.1, 0.3, 0.5)


def test_dropped_pixels_are_drawn_for_each_pixel_of_each_map() -> None:
    maps = (torch.arange(8.0).view(2, 1, 2, 2), torch.arange(2.0).view(2, 1, 1, 1) + 3)
    given, expected = batch(2), 0.0
    noise = given.noise(5)
    for image in range(2):
        values = undecided(maps[0][image].flatten(), 0.1)
        kept = noise[image, :4] >= 0.5
        expected += (values[kept].mean() if kept.any() else torch.zeros(())).item()
        expected += 0.3 * (undecided(maps[1][image, 0, 0, 0], 0.1) * (noise[image, 4] >= 0.5)).item()
    assert terms(maps, (1.0, 0.3), 0.1, 0.5, given).item() == pytest.approx(expected, rel=1e-6)


def test_half_of_the_pixels_take_part() -> None:
    x = torch.full((1, 1, 100, 100), 0.4, requires_grad=True)
    terms((x,), (1.0,), 0.1, 0.5, batch(1)).backward()
    assert (x.grad != 0).float().mean().item() == pytest.approx(0.5, abs=0.02)


def test_losses_of_the_parts_of_a_batch_add_up_to_the_whole() -> None:
    maps = (torch.randn(4, 1, 6, 6, generator=torch.Generator().manual_seed(5)),)
    whole = terms(maps, (1.0,), 0.1, 0.5, batch(4))
    parts = [terms((maps[0][i : i + 2],), (1.0,), 0.1, 0.5, batch(2, i)) for i in (0, 2)]
    assert whole.item() == pytest.approx(sum(part.item() for part in parts), rel=1e-6)
