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
