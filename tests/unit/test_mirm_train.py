"""Training of MIRM on small scenes, with a tiny backbone."""

from dataclasses import replace
from pathlib import Path

import mirm_samples
import numpy as np
import pytest
import torch
from refining_samples import dataset, weak

import sodlift
from sodlift.arrays import FloatMap
from sodlift.backbones._base import normalise
from sodlift.errors import ConfigError, DataError, WeightsError
from sodlift.refiners.mirm import refine as refine_module
from sodlift.refiners.mirm.loss import foreground_weights
from sodlift.refiners.mirm.loss import loss as mirm_loss
from sodlift.refiners.mirm.network import Mirm
from sodlift.refiners.mirm.options import MirmOptions
from sodlift.refiners.mirm.train import inverted, refuse, train
from sodlift.training import pretrained as pretrained_module
from sodlift.training.data import decode, items_of
from sodlift.training.feed import indices
from sodlift.training.job import TrainingJob
from sodlift.training.model_file import ModelFile
from sodlift.training.task import Batch

pytestmark = pytest.mark.usefixtures("tiny_backbones")


@pytest.fixture
def tiny_backbones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained_module, "BACKBONES", mirm_samples.TinyRegistry)
    monkeypatch.setattr("sodlift.training.trained.BACKBONES", mirm_samples.TinyRegistry)


def options(folder: Path, recipe: dict[str, object] | None = None, **changes: object) -> MirmOptions:
    weights = folder / "tiny.pth"
    if not weights.exists():
        mirm_samples.save_weights(weights)
    short = replace(MirmOptions().recipe, **{"batch": 2, "steps": 3, **(recipe or {})})
    return MirmOptions(
        **{"backbone": mirm_samples.NAME, "weights_file": weights, "train_size": 64, "recipe": short, **changes}
    )


def job(folder: Path, name: str = "m", make: object = mirm_samples.scene) -> TrainingJob:
    data = dataset(folder / f"data_{name}", 4, make)
    return TrainingJob((data,), folder / f"{name}.pt", folder / f"{name}.ckpt", folder / f"{name}.csv", seed=1)


def load(path: Path) -> ModelFile:
    return ModelFile.load(path, refiner="mirm", backbone=mirm_samples.NAME, weights="tiny")


def test_model_file_tells_how_it_was_trained(tmp_path: Path) -> None:
    chosen, asked = options(tmp_path), job(tmp_path)
    train(chosen, asked)
    model = load(asked.output)
    assert (model.refiner, model.seed, model.steps) == ("mirm", 1, 3)
    assert model.options["recipe"]["batch"] == 2
    assert model.options["weights_file"] == str(chosen.weights_file)
    assert model.weights_origin.startswith("tiny backbone")
    assert [row[:4] + row[5:] for row in model.images] == [
        ["scenes", "priors", f"0{i}", f"digest {i}", "train"] for i in range(4)
    ]
    assert model.versions["sodlift"] == sodlift.__version__
    assert len(asked.log.read_text().splitlines()) == 4


def test_the_engine_trains_the_very_weights_that_the_plain_loop_does(tmp_path: Path) -> None:
    """Three steps written out: SGD on the mean loss of the labelled pixels, poly schedule, a tenth for the backbone."""
    chosen, asked = options(tmp_path, {"hflip": False}), job(tmp_path)
    train(chosen, asked)
    torch.manual_seed(asked.seed)
    backbone = mirm_samples.TinyBackbone()
    backbone.load_state_dict(torch.load(tmp_path / "tiny.pth", weights_only=True))
    network = Mirm(backbone, mirm_samples.CHANNELS, frozen_norm=True).train()
    network.to(memory_format=torch.channels_last)
    head = [p for name, p in network.named_parameters() if not name.startswith("backbone.")]
    groups = [{"params": list(network.backbone.parameters())}, {"params": head}]
    sgd = torch.optim.SGD(groups, lr=1, momentum=0.9, weight_decay=5e-3)
    planes = [decode(item, 64, "priors").planes for item in items_of(asked, "priors")]
    for step in range(3):
        sgd.param_groups[0]["lr"], sgd.param_groups[1]["lr"] = (r * (1 - step / 3) ** 0.9 for r in (5e-4, 5e-3))
        batch = torch.from_numpy(np.stack([planes[i] for i in indices(step, 2, 4, asked.seed)]))
        prior = batch[:, 3:].float() / 255
        logits = network(normalise(batch[:, :3], mirm_samples.ENTRY), foreground_weights(prior, 0.9))
        sgd.zero_grad()
        mirm_loss(logits, prior, 0.8, 0.3).backward()
        sgd.step()
    state = load(asked.output).state
    assert all(torch.allclose(state[key], weights, atol=1e-6) for key, weights in network.state_dict().items())


def test_same_seed_gives_the_same_bits_and_another_seed_does_not(tmp_path: Path) -> None:
    first, second = job(tmp_path, "a"), job(tmp_path, "b")
    third = replace(job(tmp_path, "c"), seed=2)
    states = []
    for task in (first, second, third):
        torch.rand(3)  # what ran before must not matter
        train(options(tmp_path), task)
        states.append(load(task.output).state)
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])
    assert not all(torch.equal(states[0][k], states[2][k]) for k in states[0])


def test_trained_refiner_separates_object_from_ground(tmp_path: Path) -> None:
    task = job(tmp_path)
    train(options(tmp_path, {"steps": 20, "head_lr": 0.05, "backbone_lr": 0.01}), task)
    refiner = refine_module.load(options(tmp_path), task.output, "cpu")
    image, prior = mirm_samples.scene(9)
    prediction = refiner.predict(image, prior, 0.9)
    assert prediction[prior >= 0.8].mean() > prediction[prior <= 0.3].mean() + 0.3


@pytest.mark.parametrize(("training", "moves"), [("tuned", True), ("frozen", False)])
def test_backbone_is_trained_or_left_alone(tmp_path: Path, training: str, moves: bool) -> None:
    task = job(tmp_path)
    train(options(tmp_path, backbone_training=training), task)
    before = torch.load(tmp_path / "tiny.pth", weights_only=True)
    after = load(task.output).state
    weights = [k for k in before if k.endswith("0.weight")]
    assert all(torch.equal(before[k], after[f"backbone.{k}"]) != moves for k in weights)
    statistics = [k for k in before if "running" in k]
    assert all(torch.equal(before[k], after[f"backbone.{k}"]) for k in statistics)


def test_paper_preset_trains_at_the_images_own_size(tmp_path: Path) -> None:
    task = job(tmp_path)
    paper = replace(
        MirmOptions.presets()["paper"], backbone=mirm_samples.NAME, weights_file=options(tmp_path).weights_file
    )
    train(replace(paper, recipe=replace(paper.recipe, steps=2)), task)
    assert task.output.is_file()


def test_inverted_priors_change_the_training(tmp_path: Path) -> None:
    plain, inverted = job(tmp_path, "a"), job(tmp_path, "b")
    train(options(tmp_path), plain)
    train(options(tmp_path, invert=1.0), inverted)
    states = [load(task.output).state for task in (plain, inverted)]
    assert not torch.equal(states[0]["discriminator.last.weight"], states[1]["discriminator.last.weight"])


def test_inversion_is_the_8_bit_complement_of_as_many_priors_as_asked_for() -> None:
    levels = torch.arange(256, dtype=torch.uint8).float().reshape(1, 1, 16, 16) / 255
    batch = Batch(torch.zeros(4, 3, 16, 16), levels.expand(4, -1, -1, -1), torch.tensor([0.1, 0.4, 0.5, 0.9]), None)
    found = inverted(batch, 0.5)
    complement = torch.arange(255, -1, -1).to(torch.uint8).float().reshape(16, 16) / 255
    assert torch.equal(found[:2, 0], complement.expand(2, -1, -1))
    assert torch.equal(found[2:], batch.targets[2:])
    assert torch.equal(inverted(batch, 0.0), batch.targets)


def unit(*values: float) -> FloatMap:
    return np.array([values], np.float32)


@pytest.mark.parametrize(
    ("stored", "resized", "reason"),
    [
        (unit(0, 1), unit(0, 1), ""),
        (unit(0.3, 0.9), unit(0.3, 0.9), ""),
        (unit(0, 0.89), unit(0, 1), "prior without certain foreground"),
        (unit(0, 1), unit(0, 0.89), "prior without certain foreground"),
        (unit(0.31, 1), unit(0, 1), "prior without background"),
        (unit(0, 1), unit(0.31, 1), "prior without background"),
    ],
)
def test_samples_without_foreground_or_background_are_refused(stored: FloatMap, resized: FloatMap, reason: str) -> None:
    assert refuse(stored, resized, MirmOptions()) == reason


def test_skipped_images_are_counted_in_the_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = job(tmp_path, make=lambda seed: (weak if seed == 1 else mirm_samples.scene)(seed))
    train(options(tmp_path), task)
    assert "3 training images; 1 skipped: prior without certain foreground" in capsys.readouterr().err


def test_no_usable_image_is_an_error_and_leaves_no_model(tmp_path: Path) -> None:
    task = job(tmp_path, make=weak)
    with pytest.raises(DataError, match="4 x prior without certain foreground"):
        train(options(tmp_path), task)
    assert not task.output.exists()


def test_folded_normalisation_is_not_trained_by_batch_statistics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded = replace(mirm_samples.TINY, weights={"tiny": replace(mirm_samples.ENTRY, folded_bn=True)})
    monkeypatch.setattr(mirm_samples, "TINY", folded)
    with pytest.raises(ConfigError, match=r"folded[\s\S]*backbone_norm"):
        train(options(tmp_path, backbone_norm="batch"), job(tmp_path))


def test_weights_of_another_network_stop_the_training_before_it_begins(tmp_path: Path) -> None:
    torch.save({"features.0.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    task = job(tmp_path)
    with pytest.raises(WeightsError, match=r"other\.pth"):
        train(options(tmp_path, weights_file=tmp_path / "other.pth"), task)
    assert not task.log.exists()
