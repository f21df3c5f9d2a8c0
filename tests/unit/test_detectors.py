"""Detectors: priors computed here, and maps found in a folder."""

import numpy as np
import pytest
from PIL import Image

from sodlift.arrays import read_image, read_map, to_uint8
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors._base import Machine
from sodlift.detectors.maps import MapsOptions
from sodlift.errors import ConfigError, MapError
from sodlift.mapset import MapSet
from sodlift.options import build
from sodlift.priors import PRIORS


def images(folder, stems, size=(24, 32)):
    """Write a small image for each stem and return their manifest."""
    rng, entries = np.random.default_rng(0), []
    folder.mkdir()
    for stem in stems:
        pixels = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC)
        picture.save(folder / f"{stem}.png")
        entries.append(Entry(stem, folder / f"{stem}.png", None, *size, ""))
    return Manifest("toy", tuple(entries))


def run(kind, options, manifest, target, workers=1):
    detector = DETECTORS.get(kind)
    detector.make("mine", build(detector.options, options), manifest, target, Machine(workers))
    return MapSet(target)


@pytest.fixture
def manifest(tmp_path):
    return images(tmp_path / "images", ["a", "b"])


@pytest.fixture
def maps(tmp_path):
    """Return a function that saves an array as a map file of that name."""
    folder = tmp_path / "found" / "toy"
    folder.mkdir(parents=True)

    def save(name, values):
        if name.endswith("npy"):
            np.save(folder / name, values)
        else:
            Image.fromarray(values).save(folder / name)

    return save


def ramp(shape=(24, 32), dtype=np.uint8, full=255):
    return (np.linspace(0, 1, shape[0] * shape[1]).reshape(shape) * full).astype(dtype)


# priors


def test_a_prior_detector_writes_the_priors_maps(tmp_path, manifest):
    found = run("prior", {"method": "mb_plus", "params": {"smoothing": 30.0}}, manifest, tmp_path / "out")
    prior = PRIORS.get("mb_plus")
    for entry in manifest.entries:
        expected = prior.compute(read_image(entry.image), prior.params(smoothing=30.0))
        assert np.array_equal(to_uint8(found.read(entry.stem)), to_uint8(expected))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "mbplus"}, "did you mean 'mb_plus'"),
        ({"method": "rbd", "params": {"compactnes": 10}}, "compactness"),
        ({"method": "rbd", "params": {"border": "wide"}}, "border"),
        ({"method": "rbd", "training": {"trees": 3}}, "'rbd' has nothing to train"),
        ({"method": "drfi", "training": {"tree": 3}}, "did you mean 'trees'"),
        ({}, "method"),
    ],
)
def test_a_misspelt_method_or_parameter_is_named(options, said):
    with pytest.raises(ConfigError, match=said):
        build(DETECTORS.get("prior").options, options)


# folders of maps


def test_maps_are_found_by_stem_and_suffix_whatever_the_case_of_their_extension(tmp_path, manifest, maps):
    maps("a_DSS.PNG", ramp())
    maps("b_DSS.png", ramp())
    maps("b_DSS_edge.png", ramp())
    found = run("maps", {"folder": tmp_path / "found" / "{dataset}", "suffixes": ["_DSS"]}, manifest, tmp_path / "out")
    assert np.array_equal(read_map(found.path("a")), read_map(found.path("b")))
    assert [record.note for record in found.records.values()] == ["", ""]


@pytest.mark.parametrize(
    ("name", "values", "tolerance"),
    [
        ("a.jpg", ramp(), 4 / 255),
        ("a.png", ramp(dtype=np.uint16, full=65535), 1 / 255),
        ("a.png", np.repeat(ramp()[..., None], 3, axis=2), 1 / 255),
        ("a.png", np.dstack([ramp(), ramp(), ramp(), np.full((24, 32), 255, np.uint8)]), 1 / 255),
        ("a.bmp", ramp(), 1 / 255),
        ("a.tif", ramp(dtype=np.float32, full=1), 1 / 255),
        ("a.npy", ramp(dtype=np.float64, full=1), 1 / 255),
    ],
)
def test_maps_are_taken_from_every_format(tmp_path, maps, name, values, tolerance):
    manifest = images(tmp_path / "images", ["a"])
    maps(name, values)
    found = run("maps", {"folder": tmp_path / "found" / "toy"}, manifest, tmp_path / "out")
    assert np.abs(found.read("a") - ramp(dtype=np.float64, full=1)).max() <= tolerance


def test_every_missing_map_is_named_with_the_file_expected(tmp_path, maps):
    manifest = images(tmp_path / "images", [f"im{i:02d}" for i in range(14)])
    maps("im03.png", ramp())
    with pytest.raises(MapError) as caught:
        run("maps", {"folder": tmp_path / "found" / "toy", "suffixes": ["_X"]}, manifest, tmp_path / "out")
    text = str(caught.value)
    assert "missing (14)" in text and "im00" in text and "im09" in text and "_X.png" in text
    assert not (tmp_path / "out").exists()


def test_two_files_for_one_image_are_an_error(tmp_path, manifest, maps):
    for name in ("a.png", "a.jpg", "b.png"):
        maps(name, ramp())
    with pytest.raises(MapError, match=r"a\.jpg or a\.png"):
        run("maps", {"folder": tmp_path / "found" / "toy"}, manifest, tmp_path / "out")


def test_a_scaled_map_keeps_its_size_and_the_record_says_so(tmp_path, manifest, maps):
    maps("a.png", ramp((12, 16)))
    maps("b.png", ramp())
    found = run("maps", {"folder": tmp_path / "found" / "toy"}, manifest, tmp_path / "out")
    assert found.read("a").shape == (12, 16) and "16x12" in found.records["a"].note
    assert found.read("b").shape == (24, 32) and found.records["b"].note == ""


@pytest.mark.parametrize("shape", [(32, 24), (24, 24), (24, 36)])
def test_a_turned_or_squeezed_map_is_refused_unless_allowed(tmp_path, maps, shape):
    manifest = images(tmp_path / "images", ["a"])
    maps("a.png", ramp(shape))
    options = {"folder": tmp_path / "found" / "toy"}
    with pytest.raises(MapError, match=r"another aspect ratio|transposed"):
        run("maps", options, manifest, tmp_path / "refused")
    found = run("maps", {**options, "allow_aspect": True}, manifest, tmp_path / "out")
    assert found.read("a").shape == (24, 32) and "stretched" in found.records["a"].note


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1.5, -0.1])
def test_a_map_of_values_outside_the_unit_interval_is_refused(tmp_path, maps, bad):
    manifest = images(tmp_path / "images", ["a"])
    values = ramp(dtype=np.float32, full=1)
    values[3, 4] = bad
    maps("a.npy", values)
    with pytest.raises(MapError, match=r"a\.npy"):
        run("maps", {"folder": tmp_path / "found" / "toy"}, manifest, tmp_path / "out")


def test_a_missing_folder_is_named(tmp_path, manifest):
    with pytest.raises(MapError, match="nowhere"):
        run("maps", {"folder": tmp_path / "nowhere"}, manifest, tmp_path / "out")


def test_the_defaults_expect_the_stem_alone():
    assert MapsOptions(folder="x").suffixes == ("",)
