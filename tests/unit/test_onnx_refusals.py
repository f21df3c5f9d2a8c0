"""Networks in ONNX files that are refused: before the first image, or at the image that shows what is wrong."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from onnx_samples import GREY, MEAN, found, grey, images, options, save, smooth
from PIL import Image

from sodlift.detectors import DETECTORS
from sodlift.detectors._base import Machine
from sodlift.detectors.onnx import OnnxOptions, load
from sodlift.errors import ConfigError, MapError, MissingDependencyError, SodliftError, WeightsError
from sodlift.mapset import new_mapset
from sodlift.options import build

# refused before the first image


def refused(file, error, **given):
    """Return the message with which the model is refused, and hold it to name the file."""
    with pytest.raises(SodliftError) as caught:
        load(options(file, **given))
    assert type(caught.value) is error and str(file) in str(caught.value)
    return str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    assert "not found" in refused(tmp_path / "m.onnx", WeightsError)


def test_maps_are_made_anew_when_the_file_is_another(tmp_path):
    chosen, fingerprint = options(tmp_path / "m.onnx"), DETECTORS.get("onnx").fingerprint
    seen = [fingerprint(chosen, "toy")]  # of no file
    for nodes in ([GREY], [MEAN, ("Sigmoid", ["m"], ["y"])]):
        save(tmp_path / "m.onnx", *nodes)
        seen.append(fingerprint(chosen, "toy"))
        assert fingerprint(chosen, "another") == seen[-1]
    assert len(set(seen)) == 3


@pytest.mark.parametrize(
    "content", [b"", b"<html>not found</html>", b"version https://git-lfs.github.com/spec/v1\n", None]
)
def test_a_file_that_is_no_whole_model_is_to_be_fetched_again(tmp_path, capfd, content):
    file = save(tmp_path / "m.onnx")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert "fetch it again" in refused(file, WeightsError)
    assert capfd.readouterr().err == ""  # onnxruntime would print it a second time


def test_missing_external_data_is_named_with_where_it_belongs(tmp_path):
    file = save(tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    assert load(options(file))
    (tmp_path / "m.data").unlink()
    message = refused(file, WeightsError)
    assert "m.data" in message and "beside the model" in message


def test_an_operator_that_onnxruntime_does_not_know_is_named(tmp_path):
    message = refused(save(tmp_path / "m.onnx", ("Deformed", ["x"], ["y"])), WeightsError)
    assert "Deformed" in message and "export the model anew" in message


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        ({"inputs": ["x", "hint"]}, "2 inputs: x, hint"),
        ({"shape": (3, "h", "w")}, "input 'x' of the ONNX model is (3, h, w)"),
        ({"shape": (1, 1, "h", "w")}, "(1, 1, h, w)"),
        ({"shape": (1, 8, 8, 3)}, "(1, 8, 8, 3)"),
        ({"shape": (1, "h", "w", 3)}, "(1, h, w, 3)"),
        ({"shape": (8, 3, "h", "w")}, "(8, 3, h, w)"),
        ({"kind": np.float64}, "tensor(double)"),
    ],
)
def test_a_model_whose_input_is_no_colour_image_is_refused(tmp_path, saved, said):
    node = ("Identity", ["x"], ["y"])
    assert said in refused(save(tmp_path / "m.onnx", node, **saved), WeightsError)


@pytest.mark.parametrize("shape", [("n", 3, "h", "w"), ("n", "c", 8, 8), (1, 3, "h", 8)])
def test_numbers_that_the_model_leaves_open_are_no_matter(tmp_path, shape):
    image = grey(8, 8)
    chosen = options(save(tmp_path / "m.onnx", shape=shape), size=[8, 8])
    assert np.abs(found(chosen, image) - image[..., 0] / 255).max() < 1e-6


def test_a_size_that_is_fixed_in_part_is_said_in_part(tmp_path):
    assert "write `size: [height, 32]`" in refused(save(tmp_path / "m.onnx", shape=(1, 3, "h", 32)), ConfigError)


@pytest.mark.parametrize("given", [{}, {"size": [32, 24]}])
def test_a_fixed_size_that_is_not_the_options_is_said_with_what_to_write(tmp_path, given):
    message = refused(save(tmp_path / "m.onnx", shape=(1, 3, 24, 32)), ConfigError, **given)
    assert "write `size: [24, 32]`" in message and "(1, 3, 24, 32)" in message


@pytest.mark.parametrize(
    ("output", "said"), [("d9", "did you mean 'd0'"), (2, "has 2 outputs"), (-3, "0 to 1, or one of: d0, side")]
)
def test_an_unknown_output_is_said_with_those_there_are(tmp_path, output, said):
    nodes = [("Conv", ["x", "mean"], ["d0"]), ("Sigmoid", ["d0"], ["side"])]
    file = save(tmp_path / "m.onnx", *nodes, outputs=["d0", "side"])
    with pytest.raises(ConfigError, match=said):
        load(options(file, output=output))


def test_an_output_of_whole_numbers_is_refused(tmp_path):
    file = save(tmp_path / "m.onnx", ("ArgMax", ["x"], ["y"], {"axis": 1}), gives=np.int64)
    assert "output 'y' of the ONNX model is a tensor(int64)" in refused(file, WeightsError)


def test_a_pinned_file_is_taken_and_another_refused(tmp_path):
    file = save(tmp_path / "m.onnx")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert load(options(file, sha256=digest.upper()))
    assert digest in refused(file, WeightsError, sha256="0" * 64)


def test_a_missing_onnxruntime_is_said_with_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match=r"sodlift\[onnx\]"):
        load(options(save(tmp_path / "m.onnx")))


def test_the_type_is_loaded_without_onnxruntime_or_torch():
    looked = "import sys; from sodlift.detectors import DETECTORS; DETECTORS.get('onnx'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", looked], capture_output=True, text=True, check=True).stdout.split()
    assert "sodlift.detectors.onnx" in loaded and not {"onnxruntime", "torch", "onnx"} & set(loaded)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"size": [0, 320]}, "size is"),
        ({"size": 320}, "a list of 2"),
        ({"multiple": 0}, "1 or more"),
        ({"size": [32, 32], "multiple": 32}, "leave one of them out"),
        ({"activation": "sigmoidd"}, "did you mean 'sigmoid'"),
        ({"sha256": "abc"}, "64 hexadecimal digits"),
        ({"normalisation": {"std": [1, 0, 1]}}, r"normalisation\.std"),
        ({"normalisation": {"mean": [1, float("inf"), 1]}}, r"normalisation\.mean"),
        ({"normalisation": {"preset": "imagenet_max"}}, "did you mean 'image"),
        ({"normalisation": {"divide_by": 256}}, "one of: 255, image_max, 1"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(given, said):
    with pytest.raises(ConfigError, match=said):
        build(OnnxOptions, {"file": "m.onnx", **given})


# refused at an image


@pytest.mark.parametrize(
    ("nodes", "given", "said"),
    [
        ([("Conv", ["x", "two"], ["y"])], {}, "output of the ONNX model is (1, 2, 12, 17)"),
        ([GREY], {"activation": "softmax"}, "expected: (1, 2, height, width)"),
        ([("Transpose", ["x"], ["y"], {"perm": [0, 2, 3, 1]})], {}, "(1, 12, 17, 3)"),
        ([MEAN, ("Transpose", ["m"], ["y"])], {}, "(17, 12, 1, 1)"),
        ([MEAN, ("Transpose", ["m"], ["y"], {"perm": [0, 1, 3, 2]})], {}, "(1, 1, 17, 12)"),
        ([MEAN, ("GlobalMaxPool", ["m"], ["y"])], {}, "(1, 1, 1, 1)"),
        ([MEAN, ("Flatten", ["m"], ["y"])], {}, "(1, 204)"),
        ([("ReduceSum", ["x"], ["y"], {"keepdims": 0})], {}, "is ()"),
        ([MEAN, ("Div", ["m", "zero"], ["y"])], {}, "NaN or infinity"),
        ([("Mul", ["x", "zero"], ["m"]), ("Div", ["m", "zero"], ["y"])], {}, "(1, 3, 12, 17)"),
        ([MEAN, ("Div", ["m", "zero"], ["y"])], {"activation": "sigmoid"}, "NaN or infinity"),
        ([MEAN, ("Mul", ["m", "three"], ["y"])], {}, "`activation: sigmoid`"),
        ([MEAN, ("Neg", ["m"], ["y"])], {}, "spans -"),
    ],
)
def test_an_output_that_is_no_map_is_refused(tmp_path, nodes, given, said):
    with pytest.raises(MapError) as caught:
        found(options(save(tmp_path / "m.onnx", *nodes), **given), np.maximum(smooth(12, 17), 1))
    assert said in str(caught.value)


def test_a_size_that_the_network_cannot_take_is_said_with_the_options_that_mend_it(tmp_path, capfd):
    half = [
        MEAN,
        ("AveragePool", ["m"], ["half"], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Constant", [], ["factors"], {"value_floats": [1.0, 1.0, 2.0, 2.0]}),
        ("Resize", ["half", "", "factors"], ["twice"]),
        ("Add", ["m", "twice"], ["sum"]),
        ("Sigmoid", ["sum"], ["y"]),
    ]
    file = save(tmp_path / "m.onnx", *half)
    with pytest.raises(MapError, match="`multiple`: 32 for most networks"):
        found(options(file), smooth(33, 47))
    assert capfd.readouterr().err == ""
    assert found(options(file, multiple=2), smooth(33, 47)).shape == (33, 47)


def test_the_first_image_that_fails_is_named_and_nothing_is_left(tmp_path):
    manifest = images(tmp_path / "images", [(12, 17)] * 6)
    for stem in ("03", "04"):  # black: 0 / 0
        Image.new("RGB", (17, 12)).save(tmp_path / "images" / f"{stem}.png")
    chosen = options(save(tmp_path / "m.onnx", MEAN, ("Div", ["m", "m"], ["y"])))
    with pytest.raises(MapError) as caught, new_mapset(tmp_path / "out") as writer:
        DETECTORS.get("onnx").run(chosen, manifest, writer, Machine(3))
    assert "03.png" in str(caught.value) and "m.onnx" in str(caught.value)
    assert not (tmp_path / "out").exists()
