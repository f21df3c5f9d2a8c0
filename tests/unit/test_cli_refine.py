"""``sodlift refine`` and ``sodlift.refine``: the workflow's maps from folders, nothing replaced, one clear error."""

from pathlib import Path

import mirm_samples
import numpy as np
import pytest
import torch
from mirm_samples import ENTRY, FORM, NAME, model_file, scene
from PIL import Image

import sodlift
from sodlift.arrays import read_map, to_uint8
from sodlift.cli.main import main
from sodlift.errors import ConfigError, DataError, MapError, WeightsError
from sodlift.refiners import REFINERS
from sodlift.refiners.densecrf import DenseCrfOptions
from sodlift.refiners.mirm.options import MirmOptions
from sodlift.refiners.mirm.refine import MirmRefiner
from sodlift.training.model_file import ModelFile


@pytest.fixture(autouse=True)
def tiny_backbones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sodlift.training.trained.BACKBONES", mirm_samples.TinyRegistry)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    model_file().save(tmp_path / "m.pt")
    return tmp_path / "m.pt"


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Three images of two sizes with two folders of priors: PNG of the image's size, and smaller JPEG."""
    for name in ("images", "first", "second"):
        (tmp_path / name).mkdir()
    for seed in range(3):
        image, prior = scene(seed, (48, 64) if seed else (64, 48))
        Image.fromarray(image).save(tmp_path / "images" / f"p{seed}.png")
        Image.fromarray(to_uint8(prior)).save(tmp_path / "first" / f"p{seed}.png")
        small = Image.fromarray(to_uint8(prior)).resize((prior.shape[1] // 2, prior.shape[0] // 2))
        small.save(tmp_path / "second" / f"p{seed}.jpg", quality=95)
    return tmp_path


def run(folders: Path, *arguments: object) -> int:
    fixed = ["--images", folders / "images", "-o", folders / "out", "--quiet", "--device", "cpu"]
    return main(["refine", *map(str, [*fixed, *arguments])])


def refiner(**options: object) -> MirmRefiner:
    return MirmRefiner(mirm_samples.network().eval(), ENTRY, MirmOptions(NAME, **options), torch.device("cpu"))


def expected(folders: Path, stem: str, **options: object) -> np.ndarray:
    image = np.asarray(Image.open(folders / "images" / f"{stem}.png"))
    return refiner(**options).refine(image, read_map(folders / "first" / f"{stem}.png")).saliency


def test_each_image_gives_one_map_of_its_size_by_its_stem(folders: Path, model: Path) -> None:
    assert run(folders, "--model", model, "--priors", folders / "first") == 0
    assert sorted(file.name for file in (folders / "out").iterdir()) == ["p0.png", "p1.png", "p2.png"]
    for stem in ("p0", "p1", "p2"):
        assert np.abs(read_map(folders / "out" / f"{stem}.png") - expected(folders, stem)).max() <= 1 / 255


def test_several_folders_of_priors_give_a_folder_each(folders: Path, model: Path) -> None:
    assert run(folders, "--model", model, "--priors", folders / "first", folders / "second") == 0
    assert np.abs(read_map(folders / "out" / "first" / "p1.png") - expected(folders, "p1")).max() <= 1 / 255
    assert read_map(folders / "out" / "second" / "p0.png").shape == (64, 48)


def test_set_changes_an_option_of_the_model(folders: Path, model: Path) -> None:
    assert run(folders, "--model", model, "--priors", folders / "first", "--set", "theta_fg=0.5") == 0
    found = read_map(folders / "out" / "p1.png")
    assert np.abs(found - expected(folders, "p1", theta_fg=0.5)).max() <= 1 / 255
    assert np.abs(found - expected(folders, "p1")).max() > 1 / 255


def test_a_refiner_without_a_model_takes_its_options(folders: Path) -> None:
    priors = ("--priors", folders / "first")
    assert run(folders, "--refiner", "densecrf", *priors, "--set", "preset=a2s", "pairwise.steps=2") == 0
    image = np.asarray(Image.open(folders / "images" / "p1.png"))
    pairwise = {**vars(DenseCrfOptions.presets()["a2s"].pairwise), "steps": 2}
    options = DenseCrfOptions.presets()["a2s"]
    options = type(options)(options.unary, type(options.pairwise)(**pairwise), options.output, options.median)
    found = REFINERS.get("densecrf").load(options, None, "cpu").refine(image, read_map(folders / "first" / "p1.png"))
    assert np.array_equal(read_map(folders / "out" / "p1.png"), found.saliency)


def test_help_names_the_refiners_that_need_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["refine", "--help"])
    untrained = [name for name in REFINERS.names() if REFINERS.get(name).learns_from is None]
    assert f"needs no model; one of: {', '.join(untrained)}" in " ".join(capsys.readouterr().out.split())


def test_nothing_is_replaced_unasked(folders: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folders / "out").mkdir()
    (folders / "out" / "p2.png").write_text("mine")
    arguments = ("--model", model, "--priors", folders / "first")
    assert run(folders, *arguments) == 2
    assert "1 of 3 maps are there already: p2.png" in capsys.readouterr().err
    assert [file.name for file in (folders / "out").iterdir()] == ["p2.png"]
    assert run(folders, *arguments, "--overwrite") == 0
    assert read_map(folders / "out" / "p2.png").shape == (48, 64)


def test_an_input_is_never_replaced(folders: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["--model", model, "--priors", folders / "first", "-o", folders / "first", "--overwrite"]
    assert run(folders, *call) == 2
    assert "would replace an input" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--refiner", "mirm"], "name its model file by --model"),
        (["--refiner", "dense"], "did you mean 'densecrf'"),
        (["--model", "none.pt"], "none.pt"),
        (["--model", "m.pt", "--set", "theta=0.5"], "did you mean 'theta_fg'"),
        (["--model", "m.pt", "--set", "theta_fg=2"], "from 0 to 1"),
        (["--model", "m.pt", "--set", "theta_fg"], "NAME=VALUE"),
    ],
)
def test_mistakes_are_one_clear_message(
    folders: Path, model: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    given = [str(folders / text) if text.endswith(".pt") else text for text in arguments]
    assert run(folders, *given, "--priors", folders / "first") == 2
    said = capsys.readouterr().err
    assert said.startswith("sodlift refine: ") and words in said and "Traceback" not in said
    assert not (folders / "out").exists()


def test_missing_maps_are_named(folders: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folders / "first" / "p1.png").unlink()
    assert run(folders, "--model", model, "--priors", folders / "first") == 2
    assert "1 of 3 images have no map: p1" in capsys.readouterr().err


def test_python_refines_one_image(folders: Path, model: Path) -> None:
    image, prior = scene(1)
    whole = refiner().refine(image, prior).saliency
    assert np.array_equal(sodlift.refine(image, prior, model), whole)
    loaded = sodlift.load(model, "cpu")
    assert np.array_equal(sodlift.refine(image, prior, loaded), whole)
    eighth = sodlift.refine(image, to_uint8(prior), loaded)
    assert np.abs(eighth - whole).mean() < 0.01
    assert sodlift.refine(image, prior[::2, ::2], loaded).shape == prior.shape


def test_python_refuses_what_is_no_image_or_no_prior(model: Path) -> None:
    image, prior = scene(1)
    loaded = sodlift.load(model, "cpu")
    with pytest.raises(DataError, match="uint8"):
        sodlift.refine(image / 255, prior, loaded)
    for wrong in (prior * 3, prior[None], prior * np.nan):
        with pytest.raises(MapError, match=r"\[0, 1\]"):
            sodlift.refine(image, wrong, loaded)
    with pytest.raises(MapError, match="does not fit"):
        sodlift.refine(image, prior.T, loaded)
    with pytest.raises(MapError, match="drops this prior"):
        sodlift.refine(image, prior * np.float32(0.5), model, mode="drop")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="not a model file of this version"):
        sodlift.load(tmp_path / "w.pt")


def test_the_model_knows_its_weights_entry_and_not_where_it_was_trained(tmp_path: Path) -> None:
    options = {"backbone": NAME, "weights_file": "gone/far.pth", "recipe": {"steps": 3}, **FORM}
    model_file(options=options).save(tmp_path / "m.pt")
    loaded = sodlift.load(tmp_path / "m.pt", "cpu")
    assert (loaded.options.weights, loaded.options.weights_file) == ("tiny", None)
    with pytest.raises(ConfigError, match="unknown key"):
        sodlift.load(tmp_path / "m.pt", "cpu", {"nonsense": 1})
    assert ModelFile.load(tmp_path / "m.pt", refiner="mirm", backbone=NAME, weights="tiny").seed == 1
