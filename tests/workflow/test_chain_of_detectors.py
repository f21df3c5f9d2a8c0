"""Deep detectors through the workflow: one learns from masks, one from maps of one that learns from images alone."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from workflow_runs import configured, rules

from sodlift.backbones._state import read_state
from sodlift.datasets.manifest import Manifest

SMALL: dict[str, Any] = {"backbone": "efficientnet_lite0", "size": 96, "recipe": {"batch": 2, "steps": 2}}
DETECTORS: dict[str, Any] = {
    "masks": {
        "title": "From masks",
        "type": "arn",
        "options": {**SMALL, "preset": "paper", "width": 16, "strides": [2, 4, 16], "attention": []},
        "train": {"datasets": ["demo-train"]},
    },
    "labels": {
        "title": "Labels",
        "type": "a2s_labels",
        "options": {**SMALL, "preset": "default", "label_size": 96},
        "train": {"datasets": ["demo-train"]},
    },
    "second": {
        "title": "From labels",
        "type": "a2s",
        "options": {**SMALL, "preset": "default"},
        "train": {"datasets": ["demo-train"], "detectors": ["labels"]},
    },
}
RUN: dict[str, Any] = {
    "results": "results",
    "registries": {"detectors": ["detectors.yaml"]},
    "datasets": ["demo-test"],
    "detectors": ["masks", "second"],
    "subset": {"demo-train": {"limit": 6}, "demo-test": {"limit": 3}},
    "seeds": [5],
    "device": "cpu",
    "threads": 1,
    "protocols": ["pysod"],
    "tables": ["refiners"],
}


def would_run(folder: Path, **change: Any) -> set[str]:
    return rules(configured(folder, {**RUN, **change}, "--dry-run", "--quiet", "host")) - {"all"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "detectors.yaml").write_text(yaml.safe_dump(DETECTORS))
    done = configured(folder, RUN)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_detector_of_the_chain_has_a_model_a_log_a_report_and_a_figure(folder: Path) -> None:
    models = folder / "results" / "models" / "detectors"
    for name in DETECTORS:
        assert sorted(file.name for file in (models / name).iterdir()) == [
            "model.pt",
            "training.csv",
            "training.json",
            "training.png",
        ]
    assert sorted(file.name for file in models.iterdir()) == sorted(DETECTORS), "no checkpoint is left"


def test_a_model_tells_its_seed_and_what_it_learnt_from(folder: Path) -> None:
    stems = Manifest.load(folder / "results" / "datasets" / "demo-train" / "manifest.csv").stems
    for name, source in (("masks", ""), ("labels", ""), ("second", "labels")):
        content = read_state(folder / "results" / "models" / "detectors" / name / "model.pt")
        assert (content["seed"], content["steps"]) == (5, 2)
        told = [(dataset, detector, stem) for dataset, detector, stem, *_ in content["images"]]
        assert told == [("demo-train", source, stem) for stem in stems]


def test_maps_are_made_where_they_are_needed_alone(folder: Path) -> None:
    priors = folder / "results" / "priors"
    made = {(maps.parent.name, maps.name): len(list(maps.glob("*.png"))) for maps in priors.glob("[!.]*/*")}
    assert made == {("demo-test", "masks"): 3, ("demo-test", "second"): 3, ("demo-train", "labels"): 6}
    health = folder / "results" / "health" / "maps"
    assert "trained on" in (health / "demo-train" / "labels.md").read_text()
    assert "trained on" not in (health / "demo-test" / "second.md").read_text()


def test_the_table_and_the_comparison_of_data_sets_name_them(folder: Path) -> None:
    table = (folder / "results" / "tables" / "refiners.md").read_text()
    assert "| From masks |" in table and "| From labels |" in table
    leakage = (folder / "results" / "health" / "leakage.md").read_text()
    for name in ("masks", "second"):
        assert f"| {name} | demo-train | demo-test | 0 | 3 | 0 |" in leakage


def test_what_runs_again(folder: Path) -> None:
    trainings = {"train_detector", "train_deep_detector"}
    assert would_run(folder) == set()
    arithmetic = would_run(folder, precision="bfloat16")
    assert "prior" in arithmetic
    assert "train_deep_detector" in would_run(folder, seeds=[6])
    assert not trainings & would_run(folder, subset={**RUN["subset"], "demo-test": {"limit": 2}})


def test_a_training_keeps_a_gpu_to_itself_unless_the_run_asks_for_the_cpu(tmp_path: Path) -> None:
    (tmp_path / "detectors.yaml").write_text(yaml.safe_dump(DETECTORS))
    for device, taken in (("cpu", set()), ("auto", {"train_deep_detector", "prior"})):
        plan = configured(tmp_path, {**RUN, "device": device}, "--dry-run")
        jobs = re.split(r"^(?:local)?rule ", plan.stdout + plan.stderr, flags=re.MULTILINE)[1:]
        assert {job.partition(":")[0] for job in jobs if "gpu=1" in job} == taken
