"""``sodlift train``: folders become a training; a killed one goes on; nothing replaced, one clear error."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mirm_samples import scene
from PIL import Image

from sodlift.arrays import to_uint8
from sodlift.cli.main import main
from sodlift.detectors import DETECTORS
from sodlift.errors import ConfigError
from sodlift.refiners import REFINERS
from sodlift.registry import Registry
from sodlift.training.job import TrainingJob

SMALL = ("recipe.steps=2", "recipe.batch=2", "train_size=64")


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("images", "priors", "masks"):
        (tmp_path / name).mkdir()
    for seed in range(3):
        image, prior = scene(seed)
        Image.fromarray(image).save(tmp_path / "images" / f"p{seed}.png")
        Image.fromarray(to_uint8(prior)).save(tmp_path / "priors" / f"p{seed}.png")
        Image.fromarray(np.where(prior > 0.5, 255, 0).astype(np.uint8)).save(tmp_path / "masks" / f"p{seed}.png")
    torch.manual_seed(0)
    return tmp_path


def run(folders: Path, name: str, *arguments: object) -> int:
    noun = "--refiner" if name in REFINERS or name not in DETECTORS else "--detector"
    fixed = [noun, name, "--images", folders / "images", "--backbone", "mobilenet_v2", "--workers", 1]
    return main(["train", *map(str, [*fixed, "--device", "cpu", "-o", folders / "m.pt", *arguments])])


class Caught:
    """Stands in for the training of a refiner or detector and keeps what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.options: Any = None
        self.job: TrainingJob | None = None
        registry: Registry[Any] = REFINERS if name in REFINERS else DETECTORS
        place = f"{registry.module(name)}.{registry.attribute}"
        monkeypatch.setattr(place, replace(registry.get(name), train=self))

    def __call__(self, options: Any, job: TrainingJob) -> None:
        self.options, self.job = options, job


def test_folders_of_priors_become_a_job(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caught = Caught(monkeypatch, "mirm")
    weights = folders / "w.pth"
    assert run(folders, "mirm", "--priors", folders / "priors", "--weights", weights, "--seed", 7, "--set", *SMALL) == 0
    options, job = caught.options, caught.job
    assert (options.backbone, options.weights_file, options.train_size) == ("mobilenet_v2", weights, 64)
    assert (options.recipe.steps, options.recipe.batch, options.recipe.hflip) == (2, 2, True)
    assert (job.output, job.seed, job.threads) == (folders / "m.pt", 7, 1)
    assert job.checkpoint.parent == job.log.parent == folders
    ((manifest, maps),) = job.sources
    assert (manifest.dataset, manifest.stems) == ("images", ("p0", "p1", "p2"))
    assert maps.path("p1") == folders / "priors" / "p1.png"
    assert all(entry.mask is None and entry.image_sha256 for entry in manifest.entries)


def test_folders_of_masks_become_a_job(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caught = Caught(monkeypatch, "lps")
    assert run(folders, "lps", "--masks", folders / "masks", "--set", "preset=paper", "--entry", "torchvision") == 0
    ((manifest, maps),) = caught.job.sources
    assert maps is None
    assert [entry.mask for entry in manifest.entries] == [folders / "masks" / f"p{i}.png" for i in range(3)]
    assert (caught.options.pretrain_steps, caught.options.weights) == (0, "torchvision")


@pytest.mark.parametrize(
    ("detector", "target"), [("arn", "masks"), ("a2s", "priors"), ("a2s_labels", None)], ids=["masks", "maps", "images"]
)
def test_a_deep_detector_is_trained_from_what_it_learns_from(
    folders: Path, monkeypatch: pytest.MonkeyPatch, detector: str, target: str | None
) -> None:
    caught = Caught(monkeypatch, detector)
    given = () if target is None else (f"--{target}", folders / target)
    assert run(folders, detector, *given, "--set", "recipe.steps=2", "size=96") == 0
    assert (caught.options.backbone, caught.options.recipe.steps, caught.options.size) == ("mobilenet_v2", 2, 96)
    ((manifest, maps),) = caught.job.sources
    assert manifest.stems == ("p0", "p1", "p2")
    assert all((entry.mask is not None) == (target == "masks") for entry in manifest.entries)
    assert (maps is not None) == (target == "priors")


def test_folder_names_are_no_patterns(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caught = Caught(monkeypatch, "lps")
    odd = (folders / "masks").rename(folders / "masks [1]*")
    assert run(folders, "lps", "--masks", odd) == 0
    assert caught.job.sources[0][0].entries[0].mask == odd / "p0.png"


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("mirm", ["--masks", "masks"], "learns from priors: name them by --priors"),
        ("lps", ["--priors", "priors"], "learns from masks: name them by --masks"),
        ("densecrf", ["--masks", "masks"], "learns nothing"),
        ("mirm", [], "learns from priors"),
        ("a2s", ["--masks", "masks"], "detector 'a2s' learns from priors"),
        ("a2s_labels", ["--masks", "masks"], "learns from images alone: name neither"),
        ("prior", ["--masks", "masks", "--set", "method=drfi"], "detector 'prior' is no network"),
        ("mirn", ["--priors", "priors"], "did you mean 'mirm'"),
        ("mirm", ["--priors", "priors", "--set", "recipe.step=3"], "did you mean 'steps'"),
        ("mirm", ["--priors", "none"], "none"),
        ("lps", ["--masks", "priors", "--images", "masks2"], "masks2"),
    ],
)
def test_mistakes_are_one_clear_message(
    folders: Path, capsys: pytest.CaptureFixture[str], name: str, arguments: list[str], words: str
) -> None:
    names = {"masks", "priors", "none", "masks2"}
    assert run(folders, name, *(folders / text if text in names else text for text in arguments)) == 2
    said = capsys.readouterr().err
    assert said.startswith("sodlift train: ") and words in said and "Traceback" not in said
    assert not (folders / "m.pt").exists()


def test_a_model_that_is_there_is_not_replaced_unasked(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    caught = Caught(monkeypatch, "mirm")
    (folders / "m.csv").write_text("mine")
    assert run(folders, "mirm", "--priors", folders / "priors") == 2
    assert "there already: m.csv" in capsys.readouterr().err and caught.job is None
    assert run(folders, "mirm", "--priors", folders / "priors", "--overwrite") == 0


def test_a_killed_training_goes_on_from_its_checkpoint(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mirm_samples

    monkeypatch.setattr("sodlift.training.pretrained.BACKBONES", mirm_samples.TinyRegistry)
    weights = mirm_samples.save_weights(folders / "w.pth")
    arguments = ("mirm", "--priors", folders / "priors", "--weights", weights, "--set", *SMALL[1:])
    steps, short = "recipe.steps=4", "recipe.checkpoint_seconds=0"
    assert run(folders, *arguments, steps, short) == 0
    whole = torch.load(folders / "m.pt", weights_only=True)["state"]

    def killed(*_: object) -> None:
        raise ConfigError("as if the process had ended here")

    monkeypatch.setattr("sodlift.training.train.ModelFile.save", killed)
    assert run(folders, *arguments, steps, short, "--overwrite") == 2
    assert (folders / "m.pt.checkpoint").is_file()
    monkeypatch.undo()
    monkeypatch.setattr("sodlift.training.pretrained.BACKBONES", mirm_samples.TinyRegistry)
    assert run(folders, *arguments, steps, short, "--overwrite") == 0
    again = torch.load(folders / "m.pt", weights_only=True)["state"]
    assert all(torch.equal(value, again[name]) for name, value in whole.items())
    assert not (folders / "m.pt.checkpoint").exists()
