"""``sodlift export`` of deep detectors: the ONNX file's maps are the detector's, for any number of images."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import arn_samples
import numpy as np
import onnxruntime
import pytest
import torch
from a2s_samples import labelled
from deep_samples import manifest, tiny_registry, train
from mirm_samples import ENTRY, NAME, TINY, TinyBackbone, scene
from training_samples import prepared

from sodlift.arrays import Image8
from sodlift.cli.main import main
from sodlift.detectors import DETECTORS
from sodlift.detectors._deep import DeepDetector
from sodlift.detectors.a2s.detect import load as load_a2s
from sodlift.detectors.a2s_labels.detect import A2sLabelsDetector
from sodlift.detectors.a2s_labels.network import build as build_labels
from sodlift.detectors.a2s_labels.options import A2sLabelsOptions
from sodlift.detectors.arn.detect import ArnDetector
from sodlift.inference.export import write_onnx
from sodlift.inference.graphs import GRAPHS
from sodlift.mapset import MapSet
from sodlift.options import build

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with tiny_registry():
        yield prepared(tmp_path, 3, labelled)


def a2s(folder: Path, size: int) -> DeepDetector:
    """A2S after a few steps: of a new one's nearly constant maps, stretching would compare the rounding."""
    loaded = load_a2s(train(folder, "a2s", recipe={"steps": 8}), "cpu")
    return replace(loaded, options=replace(loaded.options, size=size))


def labels(folder: Path, size: int) -> DeepDetector:
    torch.manual_seed(1)
    options = A2sLabelsOptions(NAME, labels="soft", label_size=size)
    return A2sLabelsDetector(build_labels(options, TINY, TinyBackbone()).eval(), ENTRY, options, CPU)


def arn(folder: Path, size: int, **changes: object) -> DeepDetector:
    return ArnDetector(arn_samples.network(**changes).eval(), ENTRY, arn_samples.options(size=size, **changes), CPU)


def images(size: int) -> list[Image8]:
    return [scene(seed, (size, size))[0] for seed in range(3)]


@pytest.mark.parametrize(
    ("make", "size", "changes"),
    [
        (a2s, 64, {}),
        (a2s, 96, {}),
        (labels, 64, {}),
        (labels, 96, {}),
        (arn, 64, {}),
        (arn, 96, {"stretch": True, "attention": (16,)}),
    ],
)
def test_onnxruntime_gives_the_detectors_maps(
    folder: Path, make: Callable[..., DeepDetector], size: int, changes: dict[str, object]
) -> None:
    detector = make(folder, size, **changes)
    given = images(size)
    tensor = torch.from_numpy(np.stack(given) / np.float32(255)).permute(0, 3, 1, 2)
    with torch.no_grad():
        write_onnx(GRAPHS[type(detector)](detector).eval(), (tensor[:2],), folder / "m.onnx")
    session = onnxruntime.InferenceSession(folder / "m.onnx", providers=["CPUExecutionProvider"])
    assert [one.name for one in (*session.get_inputs(), *session.get_outputs())] == ["image", "map"]
    for count in (1, 3):  # neither is the number that was exported
        found = session.run(["map"], {"image": tensor[:count].numpy()})[0]
        assert found.shape == (count, 1, size, size)
        for one, expected in zip(found, detector.predict(given[:count]), strict=True):
            assert np.abs(one[0] - expected).max() < 1e-4
    assert np.ptp(found[0]) > 0.01, "there is something to compare"


@pytest.mark.parametrize("make", [a2s, labels])
def test_a_constant_answer_is_an_empty_map_in_the_file_too(folder: Path, make: Callable[..., DeepDetector]) -> None:
    detector = make(folder, 64)
    for parameter in detector.network.parameters():
        parameter.data.zero_()
    assert not GRAPHS[type(detector)](detector)(torch.rand(1, 3, 64, 64)).any()


def test_the_command_writes_a_detectors_file_at_another_size(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["export", "--model", str(train(folder, "a2s").model), "--onnx", str(folder / "m.onnx")]
    assert main([*call, "--size", "96"]) == 0
    assert "equal to the model within" in capsys.readouterr().out
    (image,) = onnxruntime.InferenceSession(folder / "m.onnx", providers=["CPUExecutionProvider"]).get_inputs()
    assert image.shape[1:] == [3, 96, 96]


def test_labels_by_the_crf_cannot_be_exported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["export", "--model", str(train(folder, "a2s_labels").model), "--onnx", str(folder / "m.onnx")]
    assert main(call) == 2
    said = capsys.readouterr().err
    assert "DenseCRF, which an ONNX file cannot hold" in said and "--set labels=soft" in said
    assert not (folder / "m.onnx").exists()


def test_an_exported_detector_is_a_detector_of_type_onnx(folder: Path) -> None:
    ready = train(folder, "arn")
    assert main(["export", "--model", str(ready.model), "--onnx", str(folder / "arn.onnx")]) == 0
    kind = DETECTORS.get("onnx")
    mapping = {"file": str(folder / "arn.onnx"), "size": [64, 64], "normalisation": {"preset": "unit"}}
    kind.make("mine", build(kind.options, mapping), manifest(folder), folder / "mine")
    DETECTORS.get("arn").make("arn", ready, manifest(folder), folder / "own")
    for entry in manifest(folder).entries:
        mine, own = (MapSet(folder / name).read(entry.stem) for name in ("mine", "own"))
        assert np.abs(mine - own).max() <= 2 / 255
