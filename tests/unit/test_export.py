"""``sodlift export``: the ONNX file's maps are the model's, for MIRM and LPS, for any number of images."""

from pathlib import Path

import lps_samples
import mirm_samples
import numpy as np
import onnxruntime
import pytest
import torch
from mirm_samples import model_file, scene
from torch import Tensor

from sodlift.arrays import FloatMap, Image8
from sodlift.cli.main import main
from sodlift.errors import ConfigError
from sodlift.inference import export as module
from sodlift.inference.export import export_onnx, write_onnx
from sodlift.inference.graphs import GRAPHS
from sodlift.refiners.mirm.options import MirmOptions
from sodlift.refiners.mirm.refine import MirmRefiner

SIZE = (64, 64)


def mirm(**network: object) -> MirmRefiner:
    loaded = mirm_samples.network(**network).eval()
    return MirmRefiner(loaded, mirm_samples.ENTRY, MirmOptions(mirm_samples.NAME), torch.device("cpu"))


def scenes() -> list[tuple[Image8, FloatMap]]:
    """Three scenes; the last one's prior is too weak for either refiner."""
    image, prior = scene(2, SIZE)
    return [scene(0, SIZE), scene(1, SIZE), (image, np.zeros_like(prior))]


def tensors(given: list[tuple[Image8, FloatMap]]) -> tuple[Tensor, Tensor]:
    images = np.stack([image for image, _ in given])
    priors = np.stack([prior for _, prior in given])
    return torch.from_numpy(images / np.float32(255)).permute(0, 3, 1, 2), torch.from_numpy(priors)[:, None]


@pytest.mark.parametrize(
    "refiner",
    [
        mirm(),
        mirm(layers=5),
        mirm(both_orders=True),
        lps_samples.refiner(),
        lps_samples.refiner(embedding="fc", iterations=3),
    ],
    ids=["mirm", "mirm five layers", "mirm both orders", "lps", "lps fc, three iterations"],
)
def test_onnxruntime_gives_the_refiners_maps(refiner: object, tmp_path: Path) -> None:
    graph = GRAPHS[type(refiner)](refiner).eval()
    image, prior = tensors(scenes())
    with torch.no_grad():
        write_onnx(graph, (image[:2], prior[:2]), tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    for count in (1, 3):  # neither is the number that was exported
        found = session.run(["map"], {"image": image[:count].numpy(), "prior": prior[:count].numpy()})[0]
        assert found.shape == (count, 1, *SIZE)
        for one, (photo, given) in zip(found, scenes(), strict=False):
            assert np.abs(one[0] - refiner.refine(photo, given).saliency).max() < 1e-4


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sodlift.training.trained.BACKBONES", mirm_samples.TinyRegistry)
    model_file().save(tmp_path / "m.pt")
    return tmp_path / "m.pt"


def test_the_command_writes_one_file_and_replaces_none(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = model.parent / "m.onnx"
    call = ["export", "--model", str(model), "--onnx", str(file), "--size", "64"]
    assert main(call) == 0
    assert "equal to the model within" in capsys.readouterr().out
    assert sorted(path.name for path in model.parent.iterdir()) == ["m.onnx", "m.pt"]
    assert main(call) == 2
    assert "there already" in capsys.readouterr().err
    assert main([*call, "--overwrite", "--set", "theta_fg=0.7"]) == 0


@pytest.mark.parametrize("size", [32, 100])
def test_a_size_that_strides_do_not_divide_is_refused(model: Path, size: int) -> None:
    with pytest.raises(ConfigError, match="multiple of 32"):
        export_onnx(model, model.parent / "m.onnx", size)


def test_a_file_whose_maps_are_not_the_models_is_not_kept(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOLERANCE", 1e-12)
    with pytest.raises(ConfigError, match="differs from the model's"):
        export_onnx(model, model.parent / "m.onnx", 64)
    assert not (model.parent / "m.onnx").exists()
