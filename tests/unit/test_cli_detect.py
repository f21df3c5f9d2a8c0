"""``sodlift detect`` and ``sodlift.detect``: the workflow's maps from a folder, nothing replaced, one clear error."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import mirm_samples
import numpy as np
import pytest
import torch
from a2s_samples import labelled
from deep_samples import NAMES, manifest, tiny_registry, train
from PIL import Image
from training_samples import prepared

import sodlift
from sodlift.cli.main import main
from sodlift.detectors import DETECTORS
from sodlift.errors import ConfigError, DataError, MapError, WeightsError


@pytest.fixture(scope="module", autouse=True)
def tiny_backbones() -> Iterator[None]:
    with tiny_registry():
        yield


@pytest.fixture(scope="module")
def trained(tiny_backbones: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of each type and the maps that the workflow makes by it."""
    folder = prepared(tmp_path_factory.mktemp("trained"), 3, labelled)
    for name in NAMES:
        DETECTORS.get(name).make(name, train(folder, name), manifest(folder), folder / name)
    mirm_samples.model_file().save(folder / "mirm.pt")
    return folder


@pytest.fixture
def images(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained / "data" / "images", tmp_path / "images"))


def run(images: Path, model: Path, *arguments: object) -> int:
    given = ["--model", model, "--images", images, "-o", images.parent / "out", "--device", "cpu", "--workers", "1"]
    return main(["detect", *map(str, [*given, *arguments])])


@pytest.mark.parametrize("name", NAMES)
def test_each_image_gives_the_workflows_map_by_its_stem(trained: Path, images: Path, name: str) -> None:
    assert run(images, trained / f"{name}.pt") == 0
    found = sorted((images.parent / "out").iterdir())
    assert [file.name for file in found] == ["00.png", "01.png", "02.png"]
    assert all(file.read_bytes() == (trained / name / file.name).read_bytes() for file in found)


def test_set_changes_an_option_of_the_model(trained: Path, images: Path) -> None:
    assert run(images, trained / "a2s_labels.pt", "--set", "labels=soft") == 0
    assert len(np.unique(Image.open(images.parent / "out" / "00.png"))) > 2


def test_progress_and_counts_are_shown_unless_quiet(
    trained: Path, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(images, trained / "arn.pt")
    said = capsys.readouterr()
    assert "ArnDetector images" in said.err and said.err.endswith("3 maps\n") and not said.out, said.err
    run(images, trained / "arn.pt", "--overwrite", "--quiet")
    assert capsys.readouterr().err == ""


def test_constant_maps_are_written_and_counted(trained: Path, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = torch.load(trained / "a2s.pt", weights_only=True)
    for part in ("weight", "bias"):
        content["state"][f"local.join.{part}"].zero_()
    torch.save(content, images.parent / "silent.pt")
    assert run(images, images.parent / "silent.pt") == 0
    assert "3 maps; 3 constant" in capsys.readouterr().err
    assert not np.asarray(Image.open(images.parent / "out" / "00.png")).any()


def test_nothing_is_replaced_unasked(trained: Path, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = images.parent / "out"
    out.mkdir()
    (out / "01.png").write_text("mine")
    assert run(images, trained / "arn.pt") == 2
    assert "1 of 3 maps are there already: 01.png" in capsys.readouterr().err
    assert [file.read_text() for file in out.iterdir()] == ["mine"]
    assert run(images, trained / "arn.pt", "--overwrite") == 0
    assert (out / "01.png").read_bytes() == (trained / "arn" / "01.png").read_bytes()


def test_an_input_is_never_replaced(trained: Path, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {file.name: file.read_bytes() for file in images.iterdir()}
    assert run(images, trained / "arn.pt", "-o", images, "--overwrite") == 2
    assert "would replace an input" in capsys.readouterr().err
    assert before == {file.name: file.read_bytes() for file in images.iterdir()}


def test_what_is_no_image_is_named_before_anything_is_made(
    trained: Path, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (images / "02.png").write_bytes(b"no image")
    assert run(images, trained / "arn.pt") == 2
    assert "02.png" in capsys.readouterr().err
    assert not (images.parent / "out").exists()


def test_an_image_that_is_cut_off_is_named_and_the_maps_before_it_are_whole(
    trained: Path, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (images / "02.png").read_bytes()
    (images / "02.png").write_bytes(whole[: len(whole) // 2])
    assert run(images, trained / "arn.pt", "--quiet") == 2
    said = capsys.readouterr().err
    assert said.startswith("sodlift detect: ") and "02.png" in said and "Traceback" not in said
    for file in (images.parent / "out").iterdir():
        assert file.read_bytes() == (trained / "arn" / file.name).read_bytes()


@pytest.mark.parametrize(
    ("model", "arguments", "words"),
    [
        ("none.pt", [], "none.pt"),
        ("mirm.pt", [], "model file of the refiner 'mirm'"),
        ("arn.pt", ["--set", "widht=16"], "did you mean 'width'"),
        ("arn.pt", ["--set", "width=32"], "trained with width 16, not 32"),
        ("arn.pt", ["--set", "width=17"], "a multiple of 16"),
        ("arn.pt", ["--device", "cuda:99"], "device 'cuda:99' is not available"),
    ],
)
def test_mistakes_are_one_clear_message(
    trained: Path, images: Path, capsys: pytest.CaptureFixture[str], model: str, arguments: list[str], words: str
) -> None:
    assert run(images, trained / model, *arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("sodlift detect: ") and words in said and "Traceback" not in said
    assert not (images.parent / "out").exists()


def test_a_detectors_model_refines_nothing(trained: Path, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--model", trained / "arn.pt", "--images", images, "--priors", trained / "arn", "-o", images / "out"]
    assert main(["refine", *map(str, given)]) == 2
    assert "model file of the detector 'arn'" in capsys.readouterr().err


# from Python


@pytest.mark.parametrize("name", NAMES)
def test_python_detects_in_one_image(trained: Path, name: str) -> None:
    image = labelled(1)[0]
    found = sodlift.detect(image, sodlift.load(trained / f"{name}.pt", "cpu"))
    assert (found.shape, found.dtype) == ((48, 64), np.float32)
    written = np.asarray(Image.open(trained / name / "01.png")) / 255
    assert np.abs(found - written).max() <= 0.5 / 255 + 1e-6
    assert np.array_equal(sodlift.detect(image, trained / f"{name}.pt"), found)


def test_python_takes_settings_with_a_file(trained: Path) -> None:
    image, model = labelled(1)[0], trained / "a2s_labels.pt"
    assert len(np.unique(sodlift.detect(image, model, labels="soft"))) > len(np.unique(sodlift.detect(image, model)))
    with pytest.raises(ConfigError, match="unknown key"):
        sodlift.detect(image, model, label="soft")


def test_python_refuses_what_is_no_image_no_detector_or_no_map(trained: Path) -> None:
    image = labelled(1)[0]
    with pytest.raises(DataError, match="uint8"):
        sodlift.detect(image / 255, trained / "arn.pt")
    with pytest.raises(WeightsError, match="refiner 'mirm'"):
        sodlift.detect(image, trained / "mirm.pt")
    with pytest.raises(WeightsError, match="detector 'arn'"):
        sodlift.refine(image, image[..., 0], trained / "arn.pt")
    detector = sodlift.load(trained / "arn.pt", "cpu")
    torch.nn.init.constant_(detector.network.predict.bias, np.nan)
    with pytest.raises(MapError, match="no map"):
        sodlift.detect(image, detector)
