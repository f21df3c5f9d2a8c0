"""The whole of a training: from files to a model file, its report, its figure, and nothing left behind."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from training_samples import job, prepared, same, train

import sodlift
from sodlift.errors import ConfigError, DataError
from sodlift.training.log import read_log
from sodlift.training.recipe import Recipe

RECIPE = Recipe(steps=6, batch=2, head_lr=0.05, backbone_lr=0.01, hflip=True, validation=0.3, validate_every=2)
PLAIN = replace(RECIPE, validation=0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return prepared(tmp_path, 8)


def test_a_training_leaves_model_log_report_and_figure_and_nothing_else(folder: Path) -> None:
    train(folder, RECIPE)
    left = {path.name for path in folder.iterdir()} - {"data", "tiny.pth"}
    assert left == {"m.pt", "m.csv", "m.json", "m.png"}


def test_model_file_tells_how_it_was_trained(folder: Path) -> None:
    model = train(folder, RECIPE)
    assert model["refiner"] == "small"
    assert model["options"]["recipe"] == json.loads(json.dumps(asdict(RECIPE)))
    assert model["weights_origin"].startswith("tiny backbone")
    assert (model["seed"], model["steps"]) == (1, 6)
    assert model["versions"]["sodlift"] == sodlift.__version__
    assert len(model["code"]) == len(model["network_code"]) == 16
    parts = [row[-1] for row in model["images"]]
    assert set(parts) == {"train", "validation"} and len(parts) == 8
    dataset, detector, stem, image, target, _ = model["images"][0]
    assert (dataset, detector, stem, image) == ("scenes", "priors", "00", "digest 0")
    assert len(target) == 64


def test_report_tells_speed_memory_and_machine(folder: Path) -> None:
    train(folder, RECIPE)
    report = json.loads((folder / "m.json").read_text())
    log = read_log(folder / "m.csv")
    assert report["last_loss"] == log["loss"][-1][1]
    assert report["validation"] == pytest.approx(log["validation"][-1][1], abs=1e-6)
    assert [step for step, _ in log["validation"]] == [1, 3, 5]
    assert report["images_per_s"] > 0
    assert report["step_seconds"] == pytest.approx(2 / report["images_per_s"], rel=0.01)
    assert report["recipe"]["steps"] == 6
    assert 50e6 < report["peak_rss_bytes"] < 100e9
    assert report["device"].startswith("cpu")
    assert (report["images"], report["skipped"], report["processes"], report["step"]) == (8, {}, 1, 6)
    assert report["versions"]["torch"] == torch.__version__


def test_same_seed_gives_the_same_bits_and_another_seed_does_not(folder: Path) -> None:
    states = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.rand(3)  # what ran before must not matter
        states.append(train(folder, PLAIN, name, seed=seed)["state"])
    assert same(states[0], states[1])
    assert not same(states[0], states[2])


def test_held_out_images_change_no_weight(folder: Path) -> None:
    """The score is read off other images only: doubling how often it is taken changes nothing."""
    rare = train(folder, replace(RECIPE, validate_every=100), "a")
    assert same(rare["state"], train(folder, RECIPE, "b")["state"])


def test_the_network_of_an_earlier_stage_goes_on_in_a_later_one(folder: Path) -> None:
    one, two = train(folder, PLAIN, "a"), train(folder, PLAIN, "b", stages=2)
    assert not torch.equal(one["state"]["backbone.stages.0.0.weight"], two["state"]["backbone.stages.0.0.weight"])
    log = read_log(folder / "b.csv")
    assert [step for step, _ in log["loss"]] == list(range(12))
    assert log["lr"][0][1] == log["lr"][6][1] == 0.05, "each stage has its schedule"
    assert log["loss"][:6] == read_log(folder / "a.csv")["loss"]


def test_no_image_is_an_error_and_leaves_no_model(folder: Path) -> None:
    with pytest.raises(DataError, match="none of 0 training images is usable: the list is empty"):
        train(folder, PLAIN, sources=())
    assert not (folder / "m.pt").exists()


@pytest.mark.parametrize(("share", "count"), [(1e-9, 0), (0.999999, 8)])
def test_a_held_out_part_that_leaves_nothing_on_one_side_is_refused(folder: Path, share: float, count: int) -> None:
    with pytest.raises(ConfigError, match=rf"of 8 images {count} are held out[\s\S]*recipe\.validation"):
        train(folder, replace(RECIPE, validation=share))


def test_unknown_device_is_an_error_with_its_mend(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"device 'cuda:63' is not available[\s\S]*use `cpu`"):
        train(folder, PLAIN, device="cuda:63")


def test_files_of_a_training_have_the_names_of_its_log_and_its_checkpoint(tmp_path: Path) -> None:
    prepared(tmp_path, 1)
    asked = job(tmp_path)
    names = [path.name for path in (asked.report, asked.curves, asked.running_log, asked.cache)]
    assert names == ["m.json", "m.png", "m.ckpt.csv", "m.ckpt.cache"]
