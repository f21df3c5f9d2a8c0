"""Refiners that learn from masks: what their rows may say, and what a run makes of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sodlift.config.load import load_run
from sodlift.config.run import Run
from sodlift.problems import ConfigProblems
from sodlift.tables.of_run import run_info

LPS = {"title": "LPS", "type": "lps", "options": {"backbone": "efficientnet_lite0"}, "train": {"datasets": ["SED2"]}}
BARE = {"title": "Bare", "type": "folder", "options": {"root": "bare", "masks": None}}


def load(folder: Path, row: dict[str, Any], **change: Any) -> Run:
    for kind, rows in (("refiners", {"mine": row}), ("datasets", {"bare": BARE})):
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump(rows))
    config = {"results": "r", "datasets": ["demo-test"], "detectors": ["rbd"], "refiners": ["mine"]}
    registries = {kind: [str(folder / f"{kind}.yaml")] for kind in ("refiners", "datasets")}
    return load_run({**config, "protocols": ["pysod"], "registries": registries, **change})


def test_it_needs_the_data_sets_and_no_maps(tmp_path: Path) -> None:
    run = load(tmp_path, {**LPS, "train": {"datasets": ["SED2", "ECSSD"]}})
    assert run.train_inputs("mine") == () and run.train_manifests("mine") == ("SED2", "ECSSD")
    assert run.datasets == ("demo-test", "SED2", "ECSSD")
    assert {maps.dataset for maps in run.prior_maps} == {"demo-test"}
    assert run.trained_and_tested == {"mine": {"train": ["SED2", "ECSSD"], "test": ["demo-test"]}}
    assert run_info(run).refiners["mine"].training_sets == ("SED2/masks", "ECSSD/masks")


def test_a_refiner_that_learns_from_maps_has_a_manifest_for_each(tmp_path: Path) -> None:
    train = {"datasets": ["SED2", "ECSSD"], "detectors": ["rbd", "mb_plus"]}
    run = load(tmp_path, {"title": "M", "type": "mirm", "train": train})
    assert [maps.dataset for maps in run.train_inputs("mine")] == list(run.train_manifests("mine"))
    assert run.train_manifests("mine") == ("SED2", "SED2", "ECSSD", "ECSSD")


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"train": None}, "mine.train", "this refiner is trained"),
        (
            {"train": {"datasets": ["SED2"], "detectors": ["rbd"]}},
            "mine.train.detectors",
            "this refiner learns from masks, not from maps",
        ),
        ({"train": {"datasets": ["bare"]}}, "mine.train.datasets", "'bare' has no masks to learn from"),
        ({"train": {"datasets": ["SED3"]}}, "mine.train.datasets", "unknown data set 'SED3'"),
        ({"type": "mirm", "options": {}}, "mine.train", "this refiner learns from the maps of detectors"),
        ({"type": "densecrf", "options": {}}, "mine.train", "this refiner has nothing to train"),
    ],
)
def test_a_training_that_does_not_fit_is_told(tmp_path: Path, change: dict[str, Any], path: str, said: str) -> None:
    row = {key: value for key, value in {**LPS, **change}.items() if value is not None}
    with pytest.raises(ConfigProblems) as caught:
        load(tmp_path, row)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert said in problem.what


MIJR = {
    "title": "MIJR",
    "type": "mijr",
    "options": {"backbone": "efficientnet_lite0"},
    "pool": "mine",
    "train": {"datasets": ["SED2"], "detectors": ["rbd"]},
}


def load_pooled(folder: Path, row: dict[str, Any], pool: dict[str, Any] | None = None) -> Run:
    rows = {"mine": {"title": "Mine", "type": "similar", "datasets": ["SED2"], **(pool or {})}}
    (folder / "pools.yaml").write_text(yaml.safe_dump(rows))
    for kind, held in (("refiners", {"mine": row}), ("datasets", {"bare": BARE})):
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump(held))
    registries = {kind: [str(folder / f"{kind}.yaml")] for kind in ("refiners", "datasets", "pools")}
    config = {"results": "r", "datasets": ["demo-test"], "detectors": ["rbd"], "refiners": ["mine"]}
    return load_run({**config, "protocols": ["pysod"], "registries": registries})


def test_a_refiner_that_learns_from_both_has_maps_of_its_pool(tmp_path: Path) -> None:
    run = load_pooled(tmp_path, MIJR)
    assert run.train_manifests("mine") == ("SED2",)
    assert {(maps.dataset, maps.detector) for maps in run.prior_maps} == {("SED2", "rbd"), ("demo-test", "rbd")}
    assert run.refiner("mine").pool == "mine"
    assert run.pool("mine").options.partners == 5


@pytest.mark.parametrize(
    ("change", "pool", "path", "said"),
    [
        ({"pool": None}, None, "mine.pool", "compares with a pool"),
        ({"pool": "yours"}, None, "mine.pool", "unknown pool 'yours'"),
        ({}, {"datasets": ["SED2", "ECSSD"]}, "mine.train.datasets", "pool 'mine' holds other data sets"),
        ({"train": {"datasets": ["SED2"]}}, None, "mine.train", "the maps of one detector, and masks"),
        (
            {"train": {"datasets": ["SED2"], "detectors": ["rbd", "hs"]}},
            None,
            "mine.train.detectors",
            "the maps of one detector",
        ),
        (
            {"train": {"datasets": ["bare"], "detectors": ["rbd"]}},
            {"datasets": ["bare"]},
            "mine.train.datasets",
            "none of them has masks",
        ),
        ({}, {"datasets": ["SED3"]}, "mine.datasets", "unknown data set 'SED3'"),
        ({}, {"options": {"partners": 0}}, "mine.options.partners", "0 is not allowed"),
    ],
)
def test_a_pool_that_does_not_fit_is_told(
    tmp_path: Path, change: dict[str, Any], pool: dict[str, Any] | None, path: str, said: str
) -> None:
    row = {key: value for key, value in {**MIJR, **change}.items() if value is not None}
    with pytest.raises(ConfigProblems) as caught:
        load_pooled(tmp_path, row, pool)
    assert any(problem.path == path and said in problem.what for problem in caught.value.problems)


def test_a_refiner_without_use_for_a_pool_names_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load_pooled(tmp_path, {**LPS, "pool": "mine"})
    (problem,) = caught.value.problems
    assert problem.path == "mine.pool"


def test_a_model_is_used_with_the_pool_that_it_was_trained_with(tmp_path: Path) -> None:
    other = {key: value for key, value in MIJR.items() if key != "train"}
    (tmp_path / "more.yaml").write_text(
        yaml.safe_dump({"other": {**other, "pool": "similar_ecssd", "model_of": "mine"}})
    )
    (tmp_path / "pools.yaml").write_text(
        yaml.safe_dump({"mine": {"title": "Mine", "type": "similar", "datasets": ["SED2"]}})
    )
    (tmp_path / "refiners.yaml").write_text(yaml.safe_dump({"mine": MIJR}))
    registries = {"refiners": [str(tmp_path / f"{name}.yaml") for name in ("refiners", "more")]}
    registries["pools"] = [str(tmp_path / "pools.yaml")]
    config = {"results": "r", "datasets": ["demo-test"], "detectors": ["rbd"], "refiners": ["other"]}
    with pytest.raises(ConfigProblems) as caught:
        load_run({**config, "protocols": ["pysod"], "registries": registries})
    assert [problem.path for problem in caught.value.problems] == ["other.pool"]
