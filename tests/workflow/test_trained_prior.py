"""A prior that is trained, and one that is computed in parts, through the workflow: same bytes, and what runs again."""

from pathlib import Path
from typing import Any

import pytest
from workflow_runs import configured, rules

from sodlift.datasets.manifest import Manifest
from sodlift.priors._drfi_model import load_model

RUN: dict[str, Any] = {
    "results": "results",
    "datasets": ["demo-test"],
    "detectors": ["drfi_demo", "mb_plus"],
    "subset": {"demo-train": {"limit": 10}, "demo-test": {"limit": 4}},
    "seeds": [5],
    "device": "cpu",
    "protocols": ["pysod"],
    "tables": ["refiners"],
}
SHARDS = {"jobs": 2, "images": 4}
MODEL = Path("models/detectors/drfi_demo/model.npz")


def run(folder: Path, *arguments: str, **change: Any) -> Path:
    done = configured(folder, {**RUN, **change}, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "results"


def would_run(folder: Path, **change: Any) -> set[str]:
    return rules(configured(folder, {**RUN, **change}, "--dry-run", "--quiet", "host")) - {"all"}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run(folder)
    return folder


def test_the_model_tells_its_training_images_and_seed(folder: Path) -> None:
    manifest = Manifest.load(folder / "results" / "datasets" / "demo-train" / "manifest.csv")
    record = load_model(folder / "results" / MODEL).record
    assert record["seed"] == 5 and record["training"]["trees"] == 20
    assert record["images"] == [["demo-train", e.stem, e.image_sha256, e.mask_sha256] for e in manifest.entries]
    assert len(manifest.entries) == 10


def test_the_maps_and_the_table_are_made_with_it(folder: Path) -> None:
    assert "| DRFI (demo) |" in (folder / "results" / "tables" / "refiners.md").read_text()
    assert len(list((folder / "results" / "priors" / "demo-test" / "drfi_demo").glob("*.png"))) == 4
    assert "demo-train" in (folder / "results" / "health" / "leakage.md").read_text()


def test_a_second_run_does_nothing_and_another_seed_trains_again(folder: Path) -> None:
    assert would_run(folder) == set()
    assert would_run(folder, seeds=[6]) >= {"train_detector", "prior", "evaluate_cell", "table"}
    assert "train_detector" not in would_run(folder, subset={**RUN["subset"], "demo-test": {"limit": 3}})


def test_parts_end_in_the_same_maps_model_and_reports_and_are_removed(folder: Path, tmp_path: Path) -> None:
    whole, parts = folder / "results", run(tmp_path, shards=SHARDS)
    for name in ("priors", "health", "models", "tables"):
        assert contents(parts / name) == contents(whole / name)
    assert not (parts / "priors" / ".parts").exists()
    assert (parts / "logs" / "priors" / "demo-test" / "mb_plus" / "2-of-2.log").exists()
    assert would_run(tmp_path, shards=SHARDS) == set()


def test_the_number_of_parts_can_be_set_on_the_command_line(folder: Path, tmp_path: Path) -> None:
    arguments = ("priors", "--set-scatter", "prior=3")
    results = run(tmp_path, *arguments, shards=SHARDS, detectors=["mb_plus"])
    assert contents(results / "priors" / "demo-test") == {
        name: content
        for name, content in contents(folder / "results" / "priors" / "demo-test").items()
        if name.startswith("mb_plus/")
    }
    assert (results / "logs" / "priors" / "demo-test" / "mb_plus" / "3-of-3.log").exists()
