"""Training of LPS on small scenes, with a tiny backbone, and loading what it wrote."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lps_samples import options as small
from mirm_samples import NAME, TINY, TinyBackbone, TinyRegistry, save_weights, scene
from PIL import Image

from sodlift.arrays import FloatMap
from sodlift.backbones import BACKBONES
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.errors import DataError, WeightsError
from sodlift.refiners.lps import refine as refine_module
from sodlift.refiners.lps import train as train_module
from sodlift.refiners.lps.network import Lps
from sodlift.refiners.lps.options import LpsOptions
from sodlift.refiners.lps.train import cross_entropy, flipped, prior_of, refuse, tasks, train, with_stray_regions
from sodlift.training import pretrained as pretrained_module
from sodlift.training.job import TrainingJob
from sodlift.training.model_file import ModelFile
from sodlift.training.pretrained import Pretrained
from sodlift.training.recipe import Recipe
from sodlift.training.task import Batch, Loss

RECIPE = Recipe(optimiser="adam", head_lr=1e-2, backbone_lr=1e-3, schedule="constant", steps=3, batch=2)


@pytest.fixture(autouse=True)
def tiny_backbones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained_module, "BACKBONES", TinyRegistry)
    monkeypatch.setattr("sodlift.training.trained.BACKBONES", TinyRegistry)


def options(folder: Path, **changes: object) -> LpsOptions:
    weights = folder / "tiny.pth"
    if not weights.exists():
        save_weights(weights)
    recipe = {key: changes.pop(key) for key in ("steps", "batch", "checkpoint_seconds") if key in changes}
    return small(weights_file=weights, recipe=replace(RECIPE, **recipe), **changes)


def job(folder: Path, name: str = "m", least: float = 0.5, seed: int = 1) -> TrainingJob:
    """Four scenes whose masks are where the prior reaches ``least``."""
    data = folder / f"data_{name}"
    data.mkdir()
    entries = []
    for index in range(4):
        image, prior = scene(index)
        paths = [data / f"{index}_{part}.png" for part in ("image", "mask")]
        for path, pixels in zip(paths, (image, (255 * (prior >= least)).astype(np.uint8)), strict=True):
            Image.fromarray(pixels).save(path)
        entries.append(Entry(f"{index}", *paths, *prior.shape, f"image {index}", f"mask {index}"))
    sources = ((Manifest("scenes", tuple(entries)), None),)
    return TrainingJob(sources, folder / f"{name}.pt", folder / f"{name}.ckpt", folder / f"{name}.csv", seed)


def trained(folder: Path, name: str = "m", seed: int = 1, **changes: object) -> ModelFile:
    task = job(folder, name, seed=seed)
    train(options(folder, **changes), task)
    return ModelFile.load(task.output, refiner="lps", backbone=NAME, weights="tiny")


def test_same_seed_gives_the_same_bits_and_another_seed_does_not(tmp_path: Path) -> None:
    states = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.rand(3)  # what ran before must not matter
        states.append(trained(tmp_path, name, seed).state)
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])
    assert not all(torch.equal(states[0][k], states[2][k]) for k in states[0])


def test_trained_refiner_finds_the_half_of_an_object_that_its_prior_misses(tmp_path: Path) -> None:
    trained(tmp_path, steps=40)
    refiner = refine_module.load(options(tmp_path), tmp_path / "m.pt", "cpu")
    image, prior = scene(9)
    left = np.arange(prior.shape[1]) < np.nonzero(prior >= 0.5)[1].mean()
    refined = refiner.refine(image, prior * left).saliency
    missed, ground = (prior >= 0.8) & ~left, prior <= 0.1
    assert refined[missed].mean() > refined[ground].mean() + 0.3


@pytest.mark.parametrize("embedding", ["conv", "fc"])
def test_loaded_model_refines_as_the_trained_network(tmp_path: Path, embedding: str) -> None:
    model = trained(tmp_path, embedding=embedding)
    chosen = options(tmp_path, embedding=embedding)
    refiner = refine_module.load(chosen, tmp_path / "m.pt", "cpu")
    assert not refiner.network.training
    lps = Lps(TinyBackbone(), TINY.taps, chosen).eval()
    lps.load_state_dict(model.state)
    own = refine_module.LpsRefiner(lps, refiner.entry, chosen, torch.device("cpu"))
    assert np.allclose(refiner.refine(*scene(0)).saliency, own.refine(*scene(0)).saliency, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"embedding": "fc"}, "embedding 'conv', not 'fc'"),
        ({"taps": ("0", "1")}, "taps None, not \\['0', '1'\\]"),
        ({"width": 5}, "width 4, not 5"),
        ({"dimension": 13}, "dimension 12, not 13"),
        ({"grid": 2}, "grid 1, not 2"),
    ],
)
def test_model_of_another_network_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    trained(tmp_path)
    with pytest.raises(WeightsError, match=rf"{message}[\s\S]*m\.pt"):
        refine_module.load(options(tmp_path, **changes), tmp_path / "m.pt", "cpu")


def test_missing_model_file_is_an_error_with_its_mend(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="train the model"):
        refine_module.load(options(tmp_path), tmp_path / "none.pt", "cpu")
    with pytest.raises(WeightsError, match="trained model file"):
        refine_module.load(options(tmp_path), None, "cpu")


@pytest.mark.parametrize(("training", "moves"), [("tuned", True), ("frozen", False)])
def test_backbone_is_trained_or_left_alone(tmp_path: Path, training: str, moves: bool) -> None:
    after = trained(tmp_path, backbone_training=training).state
    before = torch.load(tmp_path / "tiny.pth", weights_only=True)
    weights = [k for k in before if k.endswith("0.weight")]
    assert all(torch.equal(before[k], after[f"backbone.{k}"]) != moves for k in weights)
    assert all(torch.equal(before[k], after[f"backbone.{k}"]) for k in before if "running" in k)


def test_pretraining_moves_the_backbone_that_lps_then_starts_from(tmp_path: Path) -> None:
    plain, pretrained = (trained(tmp_path, f"m{steps}", pretrain_steps=steps, pretrain_batch=4) for steps in (0, 2))
    assert plain.state.keys() == pretrained.state.keys()
    assert not torch.equal(plain.state["backbone.stages.0.0.weight"], pretrained.state["backbone.stages.0.0.weight"])
    assert len((tmp_path / "m2.csv").read_text().splitlines()) == 1 + 2 + 3


def test_pretraining_has_a_task_of_its_own_that_shares_the_backbone(tmp_path: Path) -> None:
    module = TinyBackbone()
    chosen = options(tmp_path, pretrain_steps=7, pretrain_batch=5)
    earlier, later = tasks(chosen, Pretrained(TINY, "tiny", TINY.weights["tiny"], module))
    assert earlier.network.backbone is later.network.backbone is module
    assert (earlier.recipe.steps, earlier.recipe.batch) == (7, 5)
    assert later.recipe is chosen.recipe
    assert [(group.name, group.lr) for group in later.groups] == [("backbone", 1e-3), ("head", 1e-2)]


@pytest.mark.parametrize("killed_at", [2, 5])
def test_training_killed_in_either_stage_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    chosen = options(tmp_path, pretrain_steps=3, pretrain_batch=2, checkpoint_seconds=0.0)
    whole, killed = job(tmp_path, "a"), job(tmp_path, "b")
    train(chosen, whole)
    calls = iter(range(killed_at))

    def dying(logits: torch.Tensor, masks: torch.Tensor) -> Loss:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return cross_entropy(logits, masks)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train_module, "cross_entropy", dying)
        train(chosen, killed)
    assert not killed.output.exists()
    train(chosen, killed)
    states = [torch.load(task.output, weights_only=True)["state"] for task in (whole, killed)]
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])


def batch_of(masks: torch.Tensor, *seeds: int) -> Batch:
    images = torch.zeros(len(masks), 3, *masks.shape[-2:], dtype=torch.uint8)
    return Batch(images, masks, torch.zeros(len(masks)), torch.tensor(seeds))


def test_flips_are_each_images_own_and_one_pixel_in_twenty() -> None:
    masks = torch.zeros(2, 1, 200, 200)
    masks[:, :, :80] = 1
    changed = flipped(masks, batch_of(masks, 1, 2).noise(1, 200, 200), 0.05) != masks
    assert changed.float().mean().item() == pytest.approx(0.05, abs=0.003)
    assert changed[:, :, :80].float().mean().item() == pytest.approx(0.05, abs=0.005)
    assert not torch.equal(changed[0], changed[1])
    assert torch.equal(flipped(masks, batch_of(masks, 1, 2).noise(1, 200, 200), 0.0), masks)


def test_stray_regions_are_other_masks_added_and_cut_out_by_a_share() -> None:
    masks, others = torch.zeros(1, 1, 4, 6), torch.zeros(1, 2, 4, 6)
    masks[..., :4], others[:, 0, :, 3:], others[:, 1, :2] = 1, 1, 1
    priors = with_stray_regions(masks, others, torch.tensor([[1.0, 0.5]]), 0.8)
    expected = masks.clone()
    expected[..., 4:] = 0.8  # where the first other mask lies outside the mask
    expected[..., :2, :4] -= 0.8 * 0.5  # where the second lies inside
    assert torch.allclose(priors, expected)
    assert torch.equal(with_stray_regions(masks, others, torch.ones(1, 2), 0.0), masks)


def test_a_prior_with_stray_regions_is_each_images_own_and_pixels_flip_on_top(tmp_path: Path) -> None:
    masks = (torch.arange(64) < 20).float().expand(2, 1, 64, 64).contiguous()
    others = (torch.arange(64)[:, None] < 30).float().expand(2, 2, 64, 64)
    batch, one = batch_of(masks, 3, 4)._replace(others=others), batch_of(masks[1:], 4)._replace(others=others[1:])
    plain = prior_of(batch, options(tmp_path, flip=0.0, stray=0.5))
    assert not torch.equal(plain[0], plain[1])
    assert torch.equal(plain[1:], prior_of(one, options(tmp_path, flip=0.0, stray=0.5)))
    both = prior_of(batch, options(tmp_path, flip=0.05, stray=0.5))
    assert (both != plain).float().mean().item() == pytest.approx(0.05, abs=0.01)


def test_other_masks_are_asked_for_only_where_they_stray(tmp_path: Path) -> None:
    source = Pretrained(TINY, "tiny", TINY.weights["tiny"], TinyBackbone())
    assert [tasks(options(tmp_path, stray=share), source)[-1].others for share in (0.0, 0.5)] == [0, 2]


def test_network_sees_the_flipped_mask_and_is_asked_for_the_true_one(tmp_path: Path) -> None:
    seen = []

    class Recorder(torch.nn.Module):
        def forward(self, x: torch.Tensor, priors: torch.Tensor) -> torch.Tensor:
            seen.append(priors)
            return 10 * priors - 5

    chosen = options(tmp_path, flip=0.3)
    (task,) = tasks(chosen, Pretrained(TINY, "tiny", TINY.weights["tiny"], TinyBackbone()))
    masks = (torch.arange(64) < 20).float().expand(2, 1, 64, 64)
    batch = batch_of(masks, 3, 4)
    loss = task.loss(Recorder(), batch)
    assert torch.equal(seen[0], flipped(masks, batch.noise(1, 64, 64), 0.3))
    expected = torch.nn.functional.binary_cross_entropy_with_logits(10 * seen[0] - 5, masks)
    assert torch.allclose(loss.total / loss.weight, expected)
    assert loss.positives == masks.sum()


def test_loss_is_taken_in_float32() -> None:
    logits = torch.full((1, 1, 2, 2), 3.0, dtype=torch.bfloat16)
    assert cross_entropy(logits, torch.ones(1, 1, 2, 2)).total.dtype == torch.float32


def unit(*values: float) -> FloatMap:
    return np.array([values], np.float32)


@pytest.mark.parametrize(
    ("mask", "reason"),
    [(unit(0, 1), ""), (unit(0, 0), "mask without object"), (unit(1, 1), "mask without background")],
)
def test_masks_of_one_region_are_refused(mask: FloatMap, reason: str) -> None:
    assert refuse(mask, mask) == reason


def test_no_usable_image_is_an_error_and_leaves_no_model(tmp_path: Path) -> None:
    task = job(tmp_path, least=2)
    with pytest.raises(DataError, match="4 x mask without object"):
        train(options(tmp_path), task)
    assert not task.output.exists()


def test_every_backbone_carries_lps() -> None:
    for name in BACKBONES.names():
        backbone = BACKBONES.get(name)
        for grid in (1, 4):
            lps = Lps(backbone.build(backbone.choose(None)[1]), backbone.taps, small(backbone=name, grid=grid)).eval()
            with torch.inference_mode():
                assert lps(torch.randn(1, 3, 64, 96), torch.rand(1, 1, 64, 96)).shape == (1, 1, 64, 96)
