"""MIRM fitted to each image: what it learns from, what cancels in it, and what it leaves alone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import mirm_samples
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sodlift.arrays import FloatMap
from sodlift.errors import ConfigError, WeightsError
from sodlift.options import build
from sodlift.refiners import REFINERS
from sodlift.refiners._base import Refined
from sodlift.refiners.mirm.loss import foreground_weights, loss
from sodlift.refiners.mirm.network import Mirm
from sodlift.refiners.mirm.refine import merge, stretch
from sodlift.refiners.mirm_image.fit import fit
from sodlift.refiners.mirm_image.options import MirmImageOptions
from sodlift.refiners.mirm_image.refine import MirmImageRefiner
from sodlift.training import pretrained as pretrained_module
from sodlift.training.errors import TrainingError
from sodlift.training.task import groups_of

MODES = [("tuned", "batch"), ("tuned", "frozen"), ("frozen", "frozen")]


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pretrained_module, "BACKBONES", mirm_samples.TinyRegistry)
    return mirm_samples.save_weights(tmp_path / "tiny.pth")


def options(weights: Path, **changes: object) -> MirmImageOptions:
    return MirmImageOptions(**{"backbone": mirm_samples.NAME, "weights_file": weights, **changes})


def load(weights: Path, **changes: object) -> MirmImageRefiner:
    found = REFINERS.get("mirm_image").load(options(weights, **changes), None, "cpu")
    assert isinstance(found, MirmImageRefiner)
    return found


def published(start: Mirm, image: Tensor, prior: Tensor, weights: Tensor, chosen: MirmImageOptions) -> Tensor:
    """MIRM's own forward pass with a foreground vector, trained on one image by SGD written out."""
    recipe = chosen.recipe
    rates = {"backbone": recipe.backbone_lr, "head": recipe.head_lr}
    speed: dict[str, Tensor] = {}
    named = [(name, p) for name, p in start.train().named_parameters() if p.requires_grad]
    for step in range(recipe.steps):
        value = loss(start(image, weights).double(), prior, chosen.theta_afg, chosen.theta_abg)
        gradients = torch.autograd.grad(value, [p for _, p in named], materialize_grads=True)
        for (name, parameter), gradient in zip(named, gradients, strict=True):
            rate = rates["backbone" if name.startswith("backbone.") else "head"] * recipe.factor(step)
            pull = gradient + recipe.weight_decay * parameter.detach()
            speed[name] = recipe.momentum * speed.get(name, torch.zeros_like(pull)) + pull
            parameter.data -= rate * speed[name]
    with torch.no_grad():
        return start(image, weights)


@pytest.mark.parametrize(("training", "norm"), MODES)
@pytest.mark.parametrize("schedule", ["constant", "poly"])
def test_the_fit_without_a_foreground_is_the_published_training_whatever_the_foreground(
    tmp_path: Path, training: str, norm: str, schedule: str
) -> None:
    """F_fg cancels: MIRM with the prior's foreground, and with any other, ends with the logits of MIRM without one."""
    recipe = replace(MirmImageOptions().recipe, schedule=schedule, steps=3, head_lr=0.02, backbone_lr=0.002)
    chosen = options(tmp_path, recipe=recipe, backbone_training=training, backbone_norm=norm)
    flags = {"frozen_norm": norm == "frozen", "frozen_backbone": training == "frozen"}
    pixels, levels = mirm_samples.scene(3, (32, 40))
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].double() / 255 - 0.5
    prior = torch.from_numpy(levels)[None, None].double()
    start = mirm_samples.network(**flags).double()
    found = fit(start, image, prior, chosen)
    assert (found - fit(start, image, prior, replace(chosen, recipe=replace(recipe, steps=2)))).abs().max() > 1e-3
    for weights in (foreground_weights(prior, 0.9), foreground_weights(1 - prior, 0.5)):
        expected = published(mirm_samples.network(**flags).double(), image, prior, weights, chosen)
        assert torch.allclose(found, expected, rtol=0, atol=1e-9)


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("training", "norm"), MODES)
def test_the_fit_takes_the_priors_side_and_decides_what_it_leaves_open(weights: Path, training: str, norm: str) -> None:
    image, prior = mirm_samples.scene(5)
    recipe = replace(MirmImageOptions().recipe, head_lr=0.05, backbone_lr=0.005, steps=20)
    refiner = load(weights, backbone_training=training, backbone_norm=norm, recipe=recipe)
    prediction = refiner.predict(image, prior)
    assert prediction[prior >= 0.8].mean() > prediction[prior <= 0.3].mean() + 0.5
    refined = refiner.refine(image, prior)
    assert np.array_equal(refined.saliency, stretch(merge(prior, prediction)))
    assert refined.note == ""


def test_no_image_sees_what_another_left(weights: Path) -> None:
    refiner = load(weights)
    before = {key: value.clone() for key, value in refiner.start.state_dict().items()}
    first = refiner.refine(*mirm_samples.scene(1)).saliency
    refiner.refine(*mirm_samples.scene(2))
    torch.rand(5)
    again = refiner.refine(*mirm_samples.scene(1)).saliency
    assert np.array_equal(first, again)
    assert all(torch.equal(value, before[key]) for key, value in refiner.start.state_dict().items())


def test_the_head_starts_as_the_seed_says_and_touches_no_other_random_numbers(weights: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    one = load(weights)
    assert torch.equal(torch.rand(1), expected)
    two, other = load(weights), load(weights, seed=220)
    assert torch.equal(one.start.merge.mix.conv.weight, two.start.merge.mix.conv.weight)
    assert not torch.equal(one.start.merge.mix.conv.weight, other.start.merge.mix.conv.weight)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("training", "norm"), MODES)
def test_several_images_at_once_equal_one_at_a_time_on_any_number_of_threads(
    weights: Path, training: str, norm: str
) -> None:
    recipe = replace(MirmImageOptions().recipe, steps=4)
    refiner = load(weights, backbone_training=training, backbone_norm=norm, recipe=recipe)
    scenes = [mirm_samples.scene(seed, size) for seed, size in enumerate([(36, 40), (36, 40), (34, 32)])]
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append([cast(Refined, made).saliency for made in refiner.refine_many(*zip(*scenes, strict=True))])
        assert torch.get_num_threads() == threads
        found.append([refiner.refine(*scene).saliency for scene in scenes])
    for others in found[1:]:
        assert all(np.array_equal(mine, other) for mine, other in zip(found[0], others, strict=True))
    assert refiner.refine_many([], []) == []


class Counting(nn.Module):
    """A backbone that counts how often it is run."""

    runs = 0

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        Counting.runs += 1
        return self.inner(x)


@pytest.mark.parametrize(("training", "runs"), [("frozen", 1), ("tuned", 5)])
def test_a_frozen_backbone_runs_once_an_image(weights: Path, training: str, runs: int) -> None:
    refiner = load(weights, backbone_training=training, recipe=replace(MirmImageOptions().recipe, steps=4))
    refiner.start.backbone = Counting(refiner.start.backbone)
    Counting.runs = 0
    refiner.refine(*mirm_samples.scene(1))
    assert Counting.runs == runs
    assert {group.name for group in groups_of(refiner.start, refiner.options.recipe)} == (
        {"head"} if training == "frozen" else {"backbone", "head"}
    )


def test_a_size_is_the_networks_and_not_the_maps(weights: Path) -> None:
    image, prior = mirm_samples.scene(1, (70, 90))
    refined = load(weights, size=64).refine(image, prior)
    assert refined.saliency is not None
    assert refined.saliency.shape == (70, 90)
    assert not np.array_equal(refined.saliency, load(weights).refine(image, prior).saliency)


def flat(*levels: float) -> FloatMap:
    return np.resize(np.array(levels, np.float32), (48, 64))


@pytest.mark.parametrize(
    ("prior", "note"),
    [
        (flat(0.0), "kept prior: no pixel >= theta_afg"),
        (flat(0.0, 0.79), "kept prior: no pixel >= theta_afg"),
        (flat(0.31, 1.0), "kept prior: no pixel <= theta_abg"),
        (flat(1.0), "kept prior: no pixel <= theta_abg"),
    ],
)
def test_a_prior_without_both_labels_is_kept_and_noted(weights: Path, prior: FloatMap, note: str) -> None:
    image, _ = mirm_samples.scene(1)
    refined = load(weights).refine(image, prior)
    assert np.array_equal(refined.saliency, prior)
    assert (refined.status, refined.note) == ("ok", note)


def test_labels_that_resizing_takes_away_keep_the_prior(weights: Path) -> None:
    image, _ = mirm_samples.scene(1, (300, 300))
    prior = np.zeros((300, 300), np.float32)
    prior[150, 150] = 1
    refined = load(weights, size=64).refine(image, prior)
    assert np.array_equal(refined.saliency, prior)
    assert refined.note == "kept prior: no pixel >= theta_afg"


def test_images_smaller_than_the_deepest_taps_pixel_are_refined(weights: Path) -> None:
    image, prior = mirm_samples.scene(2, (20, 24))
    refined = load(weights).refine(image, prior)
    assert refined.saliency is not None
    assert refined.saliency.shape == (20, 24)


def test_a_fit_that_runs_away_is_an_error_and_no_map(weights: Path) -> None:
    refiner = load(weights, recipe=replace(MirmImageOptions().recipe, head_lr=1e30, backbone_lr=1e30))
    with pytest.raises(TrainingError, match="loss is"):
        refiner.refine(*mirm_samples.scene(1))


def test_missing_weights_and_folded_normalisation_are_refused(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="not found"):
        load(weights.with_name("none.pth"))
    folded = replace(mirm_samples.TINY, weights={"tiny": replace(mirm_samples.ENTRY, folded_bn=True)})
    monkeypatch.setattr(mirm_samples, "TINY", folded)
    with pytest.raises(ConfigError, match="backbone_norm"):
        load(weights)
    assert load(weights, backbone_norm="frozen").start.frozen_norm


def test_presets_are_the_published_mode_and_the_one_that_leaves_the_backbone_alone() -> None:
    default, frozen = build(MirmImageOptions, {}), build(MirmImageOptions, {"preset": "frozen"})
    assert (default.recipe.steps, default.recipe.head_lr, default.recipe.backbone_lr) == (10, 0.2, 0.02)
    assert (default.recipe.momentum, default.recipe.weight_decay, default.recipe.schedule) == (0.9, 5e-3, "constant")
    assert frozen == replace(default, backbone_training="frozen")
    assert REFINERS.get("mirm_image").learns_from is None


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        ({"theta_fg": 0.9}, "theta_fg"),
        ({"theta_abg": 0.8}, "theta_abg"),
        ({"theta_afg": 1.2}, "theta_afg"),
        ({"size": 32}, "size"),
        ({"seed": -1}, "seed"),
        ({"recipe": {"batch": 2}}, "recipe.batch"),
        ({"recipe": {"hflip": True}}, "recipe.hflip"),
        ({"recipe": {"validation": 0.1}}, "recipe.validation"),
        ({"recipe": {"precision": "bfloat16"}}, "recipe.precision"),
        ({"backbone": "mobilenet"}, "backbone"),
    ],
)
def test_senseless_options_are_refused_naming_the_key(mapping: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=key.replace(".", r"\.")):
        build(MirmImageOptions, mapping)
