"""Networks in ONNX files through the workflow: a detector, exported here, run and scored, and a refiner."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from onnx import helper
from torch import nn
from workflow_runs import rules, snakemake

from sodlift.arrays import read_image, to_uint8
from sodlift.datasets.manifest import Manifest
from sodlift.mapset import MapSet

RUN = """\
results: results
data_root: data
registries: {detectors: [mine/detectors.yaml], refiners: [mine/refiners.yaml]}
datasets: [demo-test]
detectors: [tiny]
refiners: [outside, guided_filter]
subset: {demo-test: {limit: 3}}
protocols: [pysod]
"""

ROW = """\
tiny:
  title: Tiny
  type: onnx
  options: {file: weights/tiny.onnx, multiple: 8, activation: sigmoid}
"""

REFINER_ROW = """\
outside:
  title: Outside
  type: onnx
  options: {file: weights/outside.onnx}
"""


class Tiny(nn.Module):
    """Logits of a map, by two convolutions at half the resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.out = nn.Conv2d(3, 8, 3, 2, 1), nn.ConvTranspose2d(8, 1, 4, 2, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.out(torch.relu(self.down(image)))
        return 8 * logits


def save_refiner(file: Path, operator: str) -> None:
    """Write a network that does one thing to the prior and does not look at the image."""
    inputs = [helper.make_tensor_value_info(n, 1, (1, planes, "h", "w")) for n, planes in (("image", 3), ("prior", 1))]
    nodes = [helper.make_node(operator, ["prior"], ["y"])]
    graph = helper.make_graph(nodes, "outside", inputs, [helper.make_tensor_value_info("y", 1, None)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return Tiny().eval()


@pytest.fixture(scope="module")
def results(network: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run over three images of the demo, in a folder that holds the user's files alone."""
    folder = tmp_path_factory.mktemp("run")
    for name, text in {"run.yaml": RUN, "mine/detectors.yaml": ROW, "mine/refiners.yaml": REFINER_ROW}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "data" / "weights").mkdir(parents=True)
    sides = {axis: torch.export.Dim(name, min=2, max=64) * 8 for axis, name in ((2, "h"), (3, "w"))}
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, 64, 96),),
        folder / "data" / "weights" / "tiny.onnx",
        dynamic_shapes=(sides,),
        verbose=False,
    )
    save_refiner(folder / "data" / "weights" / "outside.onnx", "Identity")
    done = snakemake(folder, "evaluate")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "results"


def test_every_image_has_the_networks_map(network: nn.Module, results: Path) -> None:
    manifest = Manifest.load(results / "datasets" / "demo-test" / "manifest.csv")
    maps = MapSet(results / "priors" / "demo-test" / "tiny")
    assert len(manifest.entries) == 3
    for entry in manifest.entries:
        image = read_image(entry.image)
        padded = np.pad(image, ((0, -entry.height % 8), (0, -entry.width % 8), (0, 0)), mode="edge")
        x = (padded / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        with torch.inference_mode():
            logits = network(torch.from_numpy(x.transpose(2, 0, 1)[None]).float())
        expected = torch.sigmoid(logits)[0, 0, : entry.height, : entry.width].numpy()
        written = to_uint8(maps.read(entry.stem)).astype(int)
        assert written.shape == (entry.height, entry.width) and np.ptp(written) > 50
        assert np.abs(written - 255 * expected).max() <= 0.51


def test_its_maps_are_scored(results: Path) -> None:
    scores = pd.read_parquet(results / "evaluation" / "demo-test" / "tiny" / "none" / "per_image.parquet")
    assert scores.stem.nunique() == 3


def test_a_refiners_file_that_changed_makes_its_maps_anew_and_no_others(results: Path) -> None:
    folder = results.parent
    assert rules(snakemake(folder, "refine", "--dry-run")) == set()
    save_refiner(folder / "data" / "weights" / "outside.onnx", "Sqrt")
    done = snakemake(folder, "refine", "--dry-run")
    assert rules(done) == {"refine", "refine_maps"}
    made = done.stdout + done.stderr
    assert "output: results/refined/demo-test/tiny/outside" in made
    assert "output: results/refined/demo-test/tiny/guided_filter" not in made


def test_a_model_that_is_gone_fails_its_job_by_name(results: Path) -> None:
    folder = results.parent
    shutil.rmtree(results / "priors")
    shutil.move(folder / "data" / "weights" / "tiny.onnx", folder / "elsewhere.onnx")
    done = snakemake(folder, "priors")
    assert done.returncode != 0
    assert "ONNX model not found" in done.stderr and "data/weights/tiny.onnx" in done.stderr
    assert not (results / "priors" / "demo-test" / "tiny").exists()
