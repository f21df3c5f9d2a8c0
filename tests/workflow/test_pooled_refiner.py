"""A refiner that compares images with a pool, through the workflow: what is made, what is shared, what runs again."""

from pathlib import Path
from typing import Any

import pytest
from workflow_runs import configured, rules

from sodlift.pools.similar.aligned import AlignedSet
from sodlift.pools.similar.images import ImagePool

RUN: dict[str, Any] = {
    "results": "results",
    "datasets": ["demo-test"],
    "detectors": ["mb_plus"],
    "refiners": ["mijr_smoke"],
    "subset": {"demo-train": {"limit": 4}, "demo-test": {"limit": 2}},
    "seeds": [5],
    "device": "cpu",
    "protocols": ["pysod"],
    "tables": ["refiners", "training"],
}


def would_run(folder: Path, **change: Any) -> set[str]:
    return rules(configured(folder, {**RUN, **change}, "--dry-run", "--quiet", "host")) - {"all"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    done = configured(folder, RUN)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_pool_alignments_model_and_maps_are_made(folder: Path) -> None:
    results = folder / "results"
    assert len(ImagePool(results / "pools" / "similar_demo").names) == 4
    for dataset in ("demo-train", "demo-test"):
        assert AlignedSet(results / "aligned" / dataset / "similar_demo")
    assert len(list((results / "refined" / "demo-test" / "mb_plus" / "mijr_smoke").glob("*.png"))) == 2
    assert "MIJR (a few steps)" in (results / "tables" / "refiners.md").read_text()
    assert "masks and maps of" in (results / "tables" / "training.md").read_text()


def test_retrieval_links_and_flows_can_be_looked_into(folder: Path) -> None:
    aligned = folder / "results" / "aligned" / "demo-test" / "similar_demo"
    rows = (aligned / "retrieval.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * 3  # three partners of two images
    assert len(list((aligned / "links").glob("*.npz"))) == len(list((aligned / "scenes").glob("*.npz"))) == 2


def test_nothing_runs_twice(folder: Path) -> None:
    assert not would_run(folder)


def test_another_detector_shares_pool_alignment_and_model(folder: Path) -> None:
    again = would_run(folder, detectors=["mb_plus", "rbd"])
    assert {"refine_maps", "prior"} <= again
    assert not {"pool", "align", "train_refiner"} & again


def test_another_test_set_is_aligned_with_the_same_pool(folder: Path) -> None:
    again = would_run(folder, subset={"demo-train": {"limit": 4}, "demo-test": {"limit": 3}})
    assert {"align", "refine_maps"} <= again
    assert not {"pool", "train_refiner"} & again
