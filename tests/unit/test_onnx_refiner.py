"""Networks in ONNX files as refiners: what they are fed, what is made of their output, and what is refused."""

from pathlib import Path

import mirm_samples
import numpy as np
import pytest
from onnx_samples import UNIT, save, smooth

from sodlift.arrays import FloatMap, resize, resize_image
from sodlift.cli.main import main
from sodlift.errors import ConfigError, MapError, MissingDependencyError, SodliftError, UnknownNameError, WeightsError
from sodlift.options import build
from sodlift.refiners import REFINERS
from sodlift.refiners._base import Refiner
from sodlift.refiners.onnx import OnnxRefinerOptions

KIND = REFINERS.get("onnx")
GREY = ("Conv", ["image", "mean"], ["grey"])
TIMES = [GREY, ("Mul", ["grey", "prior"], ["y"])]
"""The nodes that multiply the image's mean channel by the prior."""
SHAPES = {"image": (1, 3, "h", "w"), "prior": (1, 1, "h", "w")}


def written(path: Path, *nodes, inputs=SHAPES, **saving) -> Path:
    """Write a model of nodes on an image and a prior; return its file."""
    return save(path / "m.onnx", *(nodes or TIMES), inputs=inputs, **saving)


def loaded(file: Path, **given: object) -> Refiner:
    return KIND.load(build(OnnxRefinerOptions, {"file": file, "normalisation": UNIT, **given}), None, "cpu")


def prior_of(height: int, width: int) -> FloatMap:
    return (smooth(height, width, seed=9)[..., 0] / np.float32(255)).astype(np.float32)


def mean(image) -> np.ndarray:
    return image.astype(np.float32).mean(2) / 255


@pytest.mark.parametrize("size", [(12, 17), (1, 7), (2, 9)])
def test_image_and_prior_reach_the_inputs_of_their_names(tmp_path: Path, size: tuple[int, int]) -> None:
    image, prior = smooth(*size), prior_of(*size)
    wide = max(size[0], 2), max(size[1], 2)
    found = loaded(written(tmp_path), **({"size": list(wide)} if wide != size else {})).refine(image, prior)
    assert found.status == "ok" and found.saliency.dtype == np.float32 and found.saliency.shape == size
    assert np.allclose(found.saliency, mean(image) * prior, atol=1e-6)


def test_the_order_and_the_names_of_the_inputs_are_no_matter(tmp_path: Path) -> None:
    inputs = {"seg": SHAPES["prior"], "im": SHAPES["image"]}
    nodes = [("Conv", ["im", "mean"], ["grey"]), ("Mul", ["grey", "seg"], ["y"])]
    image, prior = smooth(12, 17), prior_of(12, 17)
    found = loaded(written(tmp_path, *nodes, inputs=inputs), image="im", prior="seg").refine(image, prior)
    assert np.allclose(found.saliency, mean(image) * prior, atol=1e-6)


def test_both_are_resized_for_a_network_of_one_size_and_the_map_back(tmp_path: Path) -> None:
    inputs = {"image": (1, 3, 8, 16), "prior": (1, 1, 8, 16)}
    image, prior = smooth(24, 48), prior_of(24, 48)
    found = loaded(written(tmp_path, inputs=inputs), size=[8, 16]).refine(image, prior).saliency
    small = mean(resize_image(image, (8, 16))) * resize(prior, (8, 16), "lanczos")
    assert np.allclose(found, resize(small, (24, 48)), atol=1e-6)


def test_both_are_padded_to_a_multiple_and_the_map_cut(tmp_path: Path) -> None:
    inputs = {"image": (1, 3, 16, 24), "prior": (1, 1, 16, 24)}
    image, prior = smooth(13, 17), prior_of(13, 17)
    with pytest.raises(ConfigError, match=r"write `size: \[16, 24\]`"):
        loaded(written(tmp_path, inputs=inputs), multiple=8)
    found = loaded(written(tmp_path), multiple=8).refine(image, prior).saliency
    assert np.allclose(found, mean(image) * prior, atol=1e-6)


def test_a_prior_takes_the_range_that_is_asked_for(tmp_path: Path) -> None:
    centred = [("Abs", ["prior"], ["y"])]
    image, prior = smooth(12, 17), prior_of(12, 17)
    found = loaded(written(tmp_path, GREY, *centred), prior_range=[-1, 1]).refine(image, prior).saliency
    assert np.allclose(found, np.abs(2 * prior - 1), atol=1e-6)


def test_logits_are_activated(tmp_path: Path) -> None:
    image, prior = smooth(12, 17), prior_of(12, 17)
    found = loaded(written(tmp_path), activation="sigmoid").refine(image, prior).saliency
    assert np.allclose(found, 1 / (1 + np.exp(-mean(image) * prior)), atol=1e-6)


def test_what_is_given_may_be_read_only_and_is_not_written_to(tmp_path: Path) -> None:
    image, prior = smooth(12, 17), prior_of(12, 17)
    copies = image.copy(), prior.copy()
    image.setflags(write=False)
    prior.setflags(write=False)
    loaded(written(tmp_path)).refine(image, prior)
    assert np.array_equal(image, copies[0]) and np.array_equal(prior, copies[1])


# refused


@pytest.mark.parametrize(
    ("inputs", "given", "error", "said"),
    [
        ({"image": SHAPES["image"]}, {}, WeightsError, "1 inputs: image"),
        ({**SHAPES, "hint": (1,)}, {}, WeightsError, "expected: 2: an image and a prior"),
        ({"image": SHAPES["image"], "priors": SHAPES["prior"]}, {}, UnknownNameError, "did you mean 'priors'"),
        ({"image": SHAPES["image"], "prior": (1, 3, "h", "w")}, {}, WeightsError, "(1, 1, height, width)"),
        ({"image": SHAPES["image"], "prior": (1, "h", "w")}, {}, WeightsError, "input 'prior' of the ONNX model"),
        ({"image": (1, "h", "w", 3), "prior": SHAPES["prior"]}, {}, WeightsError, "(1, 3, height, width)"),
        (SHAPES, {"image": "prior", "prior": "image"}, WeightsError, "input 'prior' of the ONNX model"),
        ({"image": SHAPES["image"], "prior": (1, 1, 8, 8)}, {}, ConfigError, "write `size: [8, 8]`"),
        (SHAPES, {"output": "z"}, UnknownNameError, "unknown output 'z'"),
    ],
)
def test_a_model_that_does_not_take_an_image_and_a_prior_is_refused(tmp_path, inputs, given, error, said) -> None:
    file = written(tmp_path, ("Identity", [next(iter(inputs))], ["y"]), inputs=inputs)
    with pytest.raises(SodliftError) as caught:
        loaded(file, **given)
    assert type(caught.value) is error and said in str(caught.value) and str(file) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"not found(.|\n)*m\.onnx"):
        loaded(tmp_path / "m.onnx")


def test_maps_are_made_anew_when_the_file_is_another(tmp_path: Path) -> None:
    chosen = build(OnnxRefinerOptions, {"file": tmp_path / "m.onnx"})
    seen = [KIND.fingerprint(chosen)]  # of no file
    for nodes in (TIMES, [("Sigmoid", ["prior"], ["y"])]):
        file = written(tmp_path, *nodes)
        seen.append(KIND.fingerprint(chosen))
        file.touch()
        assert KIND.fingerprint(chosen) == seen[-1]
    assert len(set(seen)) == 3


def test_a_missing_onnxruntime_is_said_with_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match=r"sodlift\[onnx\]"):
        loaded(written(tmp_path))


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (("Neg", ["prior"], ["y"]), "spans -"),
        (("Identity", ["image"], ["y"]), "output of the ONNX model is (1, 3, 12, 17)"),
        (("Log", ["zeros"], ["y"]), "NaN or infinity"),
    ],
)
def test_an_output_that_is_no_map_is_refused_naming_the_file(tmp_path: Path, node: tuple, said: str) -> None:
    file = written(tmp_path, ("Mul", ["prior", "zero"], ["zeros"]), node)
    with pytest.raises(MapError) as caught:
        loaded(file).refine(smooth(12, 17), np.maximum(prior_of(12, 17), np.float32(0.1)))
    assert said in str(caught.value) and "m.onnx" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"image": "prior"}, "prior"),
        ({"prior_range": [1, 1]}, "prior_range"),
        ({"prior_range": [0, float("inf")]}, "prior_range"),
        ({"size": [0, 4]}, "size"),
    ],
)
def test_senseless_options_are_refused_naming_the_key(given: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"refiner\.{key}"):
        build(OnnxRefinerOptions, {"file": "m.onnx", **given}, "refiner")


# our own exports


def test_an_exported_mirm_refines_as_its_model_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sodlift.training.trained.BACKBONES", mirm_samples.TinyRegistry)
    mirm_samples.model_file().save(tmp_path / "m.pt")
    assert main(["export", "--model", str(tmp_path / "m.pt"), "--onnx", str(tmp_path / "m.onnx"), "--size", "64"]) == 0
    refiner, model = loaded(tmp_path / "m.onnx", size=[64, 64]), loaded_model(tmp_path / "m.pt")
    image, prior = mirm_samples.scene(0, (64, 64))
    expected = model.refine(image, prior).saliency
    assert np.ptp(expected) > 0.5
    assert np.abs(refiner.refine(image, prior).saliency - expected).max() < 1e-4
    empty = np.zeros_like(prior)
    assert np.array_equal(refiner.refine(image, empty).saliency, empty)


def loaded_model(file: Path) -> Refiner:
    from sodlift.inference.model import load_model

    return load_model(file, "cpu")
