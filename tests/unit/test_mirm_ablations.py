"""MIRM's ablations: the depth of its discriminator, and the order of the pair that it judges."""

from dataclasses import replace
from pathlib import Path

import mirm_samples
import pytest
import torch
from mirm_samples import network, resized
from refining_samples import dataset
from torch import Tensor, nn

from sodlift.backbones import BACKBONES
from sodlift.errors import ConfigError, WeightsError
from sodlift.options import build
from sodlift.refiners.mirm import refine as refine_module
from sodlift.refiners.mirm.loss import foreground_weights
from sodlift.refiners.mirm.network import Mirm, logit_of_mean
from sodlift.refiners.mirm.network import build as build_network
from sodlift.refiners.mirm.options import MirmOptions
from sodlift.refiners.mirm.train import task, train
from sodlift.training import pretrained as pretrained_module
from sodlift.training.job import TrainingJob
from sodlift.training.model_file import ModelFile
from sodlift.training.pretrained import Pretrained
from sodlift.training.task import Batch

HIDDEN = 64 * 64 + 64 + 2 * 64 + 1
"""Parameters of a hidden layer: weights, biases, normalisation, slope."""


@pytest.fixture
def tiny_backbones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained_module, "BACKBONES", mirm_samples.TinyRegistry)
    monkeypatch.setattr("sodlift.training.trained.BACKBONES", mirm_samples.TinyRegistry)


def inputs(batch: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(batch, 3, 24, 32, generator=generator, dtype=torch.float64)
    prior = torch.rand(batch, 1, 24, 32, generator=generator, dtype=torch.float64)
    return x, foreground_weights(prior, 0.5)


def turned_form(mirm: Mirm, x: Tensor, weights: Tensor) -> Tensor:
    """The pair [F_fg, f] of Eq. 8, written out at the prior's size."""
    encoded = mirm.encode(x)
    pixel, size = encoded.pixel, tuple(weights.shape[-2:])
    vector = mirm.foreground_vector(encoded, weights)[..., None, None]
    full = resized(pixel, size)
    head = mirm.discriminator
    return head.last(head.act(head.norm(head.first(torch.cat([vector.expand_as(full), full], dim=1)))))


@pytest.mark.parametrize(("layers", "parameters"), [(2, 2_321_728), (5, 2_321_728 + 3 * HIDDEN)])
@pytest.mark.parametrize("order", ["fixed", "random"])
def test_number_of_parameters_by_depth_and_never_by_order(layers: int, parameters: int, order: str) -> None:
    backbone = BACKBONES.get("mobilenet_v2")
    options = build(MirmOptions, {"discriminator": layers, "pair_order": order})
    mirm = build_network(options, backbone, backbone.build(backbone.choose(None)[1]))
    assert sum(p.numel() for p in mirm.parameters()) == parameters
    assert sum(isinstance(m, nn.Conv2d) for m in mirm.discriminator.modules()) == layers


def test_every_layer_of_a_deep_discriminator_learns() -> None:
    mirm = network(layers=5).double().train()
    mirm(*inputs()).sigmoid().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in mirm.discriminator.between.parameters() if p.dim() == 4)


def test_a_swapped_image_is_judged_by_the_pair_of_the_other_order() -> None:
    mirm = network().double().eval()
    x, weights = inputs()
    with torch.inference_mode():
        mixed = mirm(x, weights, torch.tensor([False, True, False]))
        expected = mirm(x, weights)
        expected[1] = turned_form(mirm, x, weights)[1]
    assert torch.allclose(mixed, expected, rtol=0, atol=1e-12)


def test_refining_takes_the_mean_of_both_orders_maps() -> None:
    mirm = network(both_orders=True).double().eval()
    x, weights = inputs()
    with torch.inference_mode():
        orders = [mirm(x, weights, torch.full((3,), turned)).sigmoid() for turned in (False, True)]
        assert (orders[0] - orders[1]).abs().max() > 1e-3
        assert torch.allclose(mirm(x, weights).sigmoid(), sum(orders) / 2, rtol=0, atol=1e-12)


def test_logit_of_mean_holds_for_logits_beyond_the_reach_of_probabilities() -> None:
    a, b = torch.tensor([0.3, 200.0, -300.0, 50.0]), torch.tensor([-1.7, 200.0, -300.0, -50.0])
    found = logit_of_mean(a, b)
    assert torch.allclose(found[:1].sigmoid(), (a.sigmoid() + b.sigmoid())[:1] / 2)
    assert torch.allclose(found[1:], torch.tensor([200.0, -300.0, 0.0]), atol=1e-5)


class Spy(nn.Module):
    """Notes which images of a batch were turned round."""

    def forward(self, x: Tensor, weights: Tensor, swapped: Tensor | None = None) -> Tensor:
        self.swapped = swapped
        return torch.zeros_like(weights)


def drawn(options: MirmOptions, spy: Spy, seeds: Tensor) -> Tensor | None:
    source = Pretrained(mirm_samples.TINY, "tiny", mirm_samples.ENTRY, mirm_samples.TinyBackbone())
    count = len(seeds)
    images, targets = torch.zeros(count, 3, 4, 4, dtype=torch.uint8), torch.ones(count, 1, 4, 4)
    task(options, source).loss(spy, Batch(images, targets, torch.zeros(count), seeds))
    return spy.swapped


def test_half_of_the_training_pairs_are_turned_round_as_the_step_says() -> None:
    options = MirmOptions(pair_order="random")
    first = drawn(options, Spy(), torch.arange(200))
    assert first is not None
    assert 80 < int(first.sum()) < 120
    assert torch.equal(first[50:60], drawn(options, Spy(), torch.arange(50, 60)))  # whatever the batch's other images
    assert drawn(MirmOptions(), Spy(), torch.arange(200)) is None
    assert drawn(options, Spy().eval(), torch.arange(200)) is None  # held-out images are judged as when refining


@pytest.mark.parametrize(("key", "value"), [("discriminator", 3), ("pair_order", "swapped")])
def test_other_ablations_are_refused(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=key):
        build(MirmOptions, {key: value})


@pytest.mark.usefixtures("tiny_backbones")
def test_ablations_train_and_refine_and_a_model_of_another_depth_is_refused(tmp_path: Path) -> None:
    weights = mirm_samples.save_weights(tmp_path / "tiny.pth")
    recipe = replace(MirmOptions().recipe, batch=2, steps=2)
    changes = {"backbone": mirm_samples.NAME, "weights_file": weights, "train_size": 64, "recipe": recipe}
    options = MirmOptions(**changes, discriminator=5, pair_order="random")
    data = dataset(tmp_path / "data", 4)
    states = []
    for name in "ab":
        job = TrainingJob((data,), tmp_path / f"{name}.pt", tmp_path / f"{name}.ckpt", tmp_path / f"{name}.csv", seed=1)
        train(options, job)
        states.append(ModelFile.load(job.output, refiner="mirm", backbone=mirm_samples.NAME, weights="tiny").state)
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    refined = refine_module.load(options, tmp_path / "a.pt", "cpu").refine(*mirm_samples.scene(7))
    assert refined.saliency is not None
    with pytest.raises(WeightsError, match="trained with discriminator 5, not 2"):
        refine_module.load(replace(options, discriminator=2), tmp_path / "a.pt", "cpu")
