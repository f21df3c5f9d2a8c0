"""``sodlift prior``: what it writes, that it replaces nothing unasked, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodlift.arrays import read_image, to_uint8
from sodlift.cli.main import main
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors import prior as prior_detector
from sodlift.detectors.prior import TRIED, PriorOptions
from sodlift.priors import PRIORS


def image(file: Path, seed: int = 0, size: tuple[int, int] = (24, 32)) -> Path:
    """Write a noisy image with a square in it."""
    values = np.random.default_rng(seed).normal(90, 8, (*size, 3)).clip(0, 255).astype(np.uint8)
    values[8:16, 10 : 18 + seed % 5] = (220, 60, 40)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(file)
    return file


def run(*arguments: object) -> int:
    return main(["prior", "--quiet", "--workers", "1", *map(str, arguments)])


def stored(file: Path) -> np.ndarray:
    with Image.open(file) as handle:
        assert handle.format == "PNG" and handle.mode == "L"
        return np.asarray(handle)


def refused(capsys, *says: str) -> None:
    said = capsys.readouterr().err
    assert said.startswith("sodlift prior: ") and "Traceback" not in said
    for words in says:
        assert words in said


@pytest.fixture
def folder(tmp_path) -> Path:
    for seed, name in enumerate(("a.png", "b.JPG", "c.bmp")):
        image(tmp_path / "in" / name, seed)
    (tmp_path / "in" / "notes.txt").write_text("no image")
    (tmp_path / "in" / ".hidden.png").write_text("no image")
    return tmp_path / "in"


def test_a_folder_gives_one_png_an_image_by_its_stem(folder, tmp_path):
    assert run(folder, "--method", "mb", "-o", tmp_path / "out") == 0
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "c.png"]
    prior = PRIORS.get("mb")
    for name in ("a.png", "b.JPG", "c.bmp"):
        expected = to_uint8(prior.compute(read_image(folder / name), prior.params()))
        assert np.array_equal(stored(tmp_path / "out" / f"{Path(name).stem}.png"), expected)


def test_several_methods_have_a_folder_each_and_files_and_folders_mix(folder, tmp_path):
    more = image(tmp_path / "more.png", 7)
    assert run(folder, more, folder / "a.png", "--method", "mb", "rbd", "-o", tmp_path / "out") == 0
    for method in ("mb", "rbd"):
        assert len(list((tmp_path / "out" / method).iterdir())) == 4


def test_parameters_reach_all_methods_or_the_one_that_is_named(folder, tmp_path):
    one = folder / "a.png"
    assert run(one, "--method", "mb", "-o", tmp_path / "plain") == 0
    assert run(one, "--method", "mb", "mb_plus", "-o", tmp_path / "set", "--set", "mb.gain=2", "midpoint=null") == 0
    prior = PRIORS.get("mb")
    expected = to_uint8(prior.compute(read_image(one), prior.params(gain=2.0)))
    assert np.array_equal(stored(tmp_path / "set" / "mb" / "a.png"), expected)
    assert not np.array_equal(stored(tmp_path / "plain" / "a.png"), expected)


def test_maps_are_the_same_for_one_and_two_workers_and_in_the_workflow(tmp_path, monkeypatch):
    monkeypatch.setattr(prior_detector, "START_SECONDS", 0.0)  # however short the run is
    files = [image(tmp_path / "in" / f"{seed:02d}.png", seed) for seed in range(TRIED + 8)]
    for workers in (1, 2):
        out = tmp_path / str(workers)
        assert main(["prior", str(tmp_path / "in"), "--method", "rbd", "-o", str(out), "--workers", str(workers)]) == 0
    manifest = Manifest("own", tuple(Entry(file.stem, file, None, 24, 32, "") for file in files))
    DETECTORS.get("prior").make("rbd", PriorOptions("rbd"), manifest, tmp_path / "workflow")
    for file in files:
        one, two, of_workflow = ((tmp_path / part / file.name).read_bytes() for part in ("1", "2", "workflow"))
        assert one == two == of_workflow


def test_nothing_is_replaced_unless_asked_for(folder, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.png").write_text("mine")
    assert run(folder, "--method", "mb", "-o", tmp_path / "out") == 2
    refused(capsys, "1 of 3 maps are there already: b.png", "--overwrite")
    assert (tmp_path / "out" / "b.png").read_text() == "mine" and not (tmp_path / "out" / "a.png").exists()
    assert run(folder, "--method", "mb", "-o", tmp_path / "out", "--overwrite") == 0
    assert stored(tmp_path / "out" / "b.png").shape == (24, 32)


def test_an_output_that_is_an_input_is_refused_even_with_overwrite(folder, capsys):
    before = (folder / "a.png").read_bytes()
    assert run(folder, "--method", "mb", "-o", folder, "--overwrite") == 2
    refused(capsys, "would replace an input", "a.png")
    assert (folder / "a.png").read_bytes() == before


def test_two_images_of_one_stem_are_refused(folder, tmp_path, capsys):
    image(folder / "a.tif")
    assert run(folder, "--method", "mb", "-o", tmp_path / "out") == 2
    refused(capsys, "images of one stem", "a.png and", "a.tif")
    assert not (tmp_path / "out").exists()


def test_files_that_are_no_images_are_all_named_before_anything_is_computed(folder, tmp_path, capsys):
    for name in ("bad.png", "worse.jpg"):
        (folder / name).write_text("no image")
    assert run(folder, "--method", "mb", "-o", tmp_path / "out") == 2
    refused(capsys, "2 of 5 files", "bad.png", "worse.jpg")
    assert not (tmp_path / "out").exists()


def test_a_truncated_image_is_one_error_that_names_it(folder, tmp_path, capsys):
    whole = (folder / "c.bmp").read_bytes()
    (folder / "c.bmp").write_bytes(whole[: len(whole) // 2])
    assert run(folder, "--method", "mb", "-o", tmp_path / "out") == 2
    refused(capsys, "cannot decode the file", "c.bmp")
    assert not (tmp_path / "out" / "c.png").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--method", "mbplus"], ("unknown prior 'mbplus'", "did you mean 'mb_plus'")),
        (["--method", "mb", "--set", "gian=3"], ("unknown key 'gian'", "gain")),
        (["--method", "mb", "--set", "gain=much"], ("gain", "a number")),
        (["--method", "mb", "--set", "gain"], ("cannot understand '--set gain'",)),
        (["--method", "mb", "--set", "rbd.frame=0"], ("cannot understand", "among mb")),
    ],
)
def test_wrong_arguments_are_one_message(folder, tmp_path, capsys, arguments, says):
    assert run(folder, *arguments, "-o", tmp_path / "out") == 2
    refused(capsys, *says)


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_path_without_images_is_refused(tmp_path, capsys, name):
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / name, "--method", "mb", "-o", tmp_path / "out") == 2
    refused(capsys, name)
