"""Detectors that learn: what their rows may say, what a run makes of it, and their models."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from drfi_samples import scenes, training
from sodlift.config.load import load_run
from sodlift.config.rows import below
from sodlift.config.run import Run, Shards
from sodlift.datasets.manifest import Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors.prior import PriorOptions
from sodlift.errors import MapError, WeightsError
from sodlift.problems import ConfigProblems, Problem

DRFI = {"title": "Mine", "type": "prior", "options": {"method": "drfi"}}
LEARNS = {**DRFI, "train": {"datasets": ["demo-train"]}}
PLAIN = {"title": "Plain", "type": "prior", "options": {"method": "rbd"}}
MIRM = {"title": "M", "type": "mirm", "options": {"preset": "default"}}
SMALL = {"trees": 5, "drawn": 500, "smallest_leaf": 2}
PRIOR = DETECTORS.get("prior")


def config(folder: Path, own: dict[str, Any], deep: dict[str, Any] | None = None, /, **change: Any) -> Any:
    """A configuration of all these detectors and refiners on the demo's test images."""
    files = {}
    for kind, rows in (("detectors", own), ("refiners", deep or {})):
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump(rows))
        files[kind] = [str(folder / f"{kind}.yaml")]
    names = {"detectors": list(own), "refiners": list(deep or ())}
    run = {"results": "results", "registries": files, "datasets": ["demo-test"], "protocols": ["pysod"]}
    return {**run, **names, **change}


def load(*arguments: Any, **change: Any) -> Run:
    return load_run(config(*arguments, **change))


def problem(*arguments: Any, **change: Any) -> Problem:
    with pytest.raises(ConfigProblems) as caught:
        load(*arguments, **change)
    (only,) = caught.value.problems
    return only


# rows and runs


def test_a_run_knows_what_its_detectors_learn_from_and_are_scored_on(tmp_path: Path) -> None:
    run = load(tmp_path, {"mine": LEARNS, "plain": PLAIN}, datasets=["demo-test", "SED2"])
    assert run.trained_detectors == ("mine",)
    assert run.datasets == ("demo-test", "SED2", "demo-train")
    assert run.trained_and_tested == {"mine": {"train": ["demo-train"], "test": ["demo-test", "SED2"]}}


def test_a_refiner_learns_from_what_the_detectors_of_its_maps_learnt_from(tmp_path: Path) -> None:
    refiners = {"deep": {**MIRM, "train": {"datasets": ["SED2"], "detectors": ["mine", "plain"]}}}
    run = load(tmp_path, {"mine": LEARNS, "plain": PLAIN}, refiners, detectors=["plain"], seeds=[1, 2])
    assert run.trained_detectors == ("mine",)
    assert run.trained_and_tested["deep"] == {"train": ["SED2", "demo-train"], "test": ["demo-test"]}
    assert run.trained_and_tested["mine"] == {"train": ["demo-train"], "test": []}
    refused = problem(
        tmp_path, {"mine": LEARNS, "plain": PLAIN}, refiners, detectors=["plain"], datasets=["demo-train"]
    )
    assert "'deep' is trained on maps of 'mine', which is trained on 'demo-train', and tested on" in refused.what
    assert "baseline_only" in refused.mend


def test_a_detector_that_is_tested_on_its_training_set_is_refused_even_as_a_baseline(tmp_path: Path) -> None:
    refused = problem(tmp_path, {"mine": LEARNS}, datasets=["demo-train"], baseline_only=["demo-train"])
    assert refused.path == "detectors[0]" and "'mine' is trained on 'demo-train' and tested on" in refused.what
    assert "baseline_only" not in refused.mend
    assert load(tmp_path, {"mine": {**LEARNS, "datasets": ["demo-test"]}}, datasets=["demo-test", "demo-train"]).cells


@pytest.mark.parametrize(
    ("row", "path", "what"),
    [
        (DRFI, "mine.train", "this detector is trained"),
        ({**PLAIN, "train": {"datasets": ["SED2"]}}, "mine.train", "nothing to train"),
        ({**LEARNS, "train": {"datasets": ["SED"]}}, "mine.train.datasets", "unknown data set 'SED'"),
        ({**LEARNS, "train": {"datasets": []}}, "mine.train.datasets", "[] is not allowed"),
        (
            {**LEARNS, "options": {"method": "drfi", "params": {"model": "m.npz"}}},
            "mine.train",
            "names the file of a trained model",
        ),
    ],
)
def test_a_wrong_row_is_told(tmp_path: Path, row: dict[str, Any], path: str, what: str) -> None:
    refused = problem(tmp_path, {"mine": row})
    assert refused.path == path
    assert what in refused.what


def test_a_refiner_with_a_detectors_name_is_refused(tmp_path: Path) -> None:
    refused = problem(tmp_path, {"mine": LEARNS}, {"mine": {"title": "M", "type": "densecrf"}})
    assert refused.path == "refiners[0]" and "'mine' is a detector of this run too" in refused.what


def test_the_path_of_a_trained_model_starts_at_the_root_of_the_data(tmp_path: Path) -> None:
    row = {**DRFI, "options": {"method": "drfi", "params": {"model": "models/m.npz", "gain": 2}}}
    options = load(tmp_path, {"mine": row}).detector("mine").options
    assert options.model == Path("models/m.npz")
    assert below(options, tmp_path).built.model == tmp_path / "models" / "m.npz"
    with pytest.raises(WeightsError, match="model file not found"):
        PRIOR.files(below(options, tmp_path), "demo-test")


# shards


@pytest.mark.parametrize(
    ("shards", "subset", "divided"),
    [
        ({}, {}, False),
        ({"jobs": 4}, {}, False),
        ({"jobs": 4, "images": 100}, {}, True),
        ({"jobs": 1, "images": 100}, {}, False),
        ({"jobs": 4, "images": 101}, {}, False),
        ({"jobs": 4, "images": 50}, {"SED2": {"limit": 49}}, False),
        ({"jobs": 4, "images": 50}, {"SED2": {"sample": 50}}, True),
        ({"jobs": 4, "images": 1}, {"SED2": {"limit": 3}}, False),
    ],
)
def test_a_data_set_of_that_many_images_is_divided(
    tmp_path: Path, shards: dict[str, int], subset: dict[str, Any], divided: bool
) -> None:
    run = load(tmp_path, {"plain": PLAIN}, datasets=["SED2"], shards=shards, subset=subset)
    assert run.shards == Shards(**shards) and run.sharded("SED2", "plain") is divided


def test_maps_that_were_published_are_not_divided(tmp_path: Path) -> None:
    run = load(tmp_path, {"plain": PLAIN}, detectors=["plain", "rbd_author"], shards={"jobs": 2, "images": 1})
    assert not run.sharded("PASCAL-S-108", "rbd_author")
    assert not run.sharded("demo-test", "plain"), "its row does not say how many images there are"


# models and parts


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return scenes(tmp_path_factory.mktemp("scenes"), 8)


@pytest.fixture(scope="module")
def trained(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> PriorOptions:
    """DRFI with a model of the first four scenes."""
    options, model = PriorOptions("drfi", training=SMALL), tmp_path_factory.mktemp("model") / "model.npz"
    first = Manifest(manifest.dataset, manifest.entries[:4])
    assert PRIOR.train is not None
    PRIOR.train(options, training(first, model, seed=3))
    return options.with_model(model)


def test_images_that_the_detector_was_trained_on_are_told(
    manifest: Manifest, trained: PriorOptions, tmp_path: Path
) -> None:
    report = PRIOR.make("mine", trained, manifest, tmp_path / "maps")
    (found,) = (finding for finding in report.findings if finding.kind == "seen")
    assert found.items == ("00", "01", "02", "03")


def test_parts_joined_are_the_same_as_the_whole(manifest: Manifest, trained: PriorOptions, tmp_path: Path) -> None:
    whole = PRIOR.make("mine", trained, manifest, tmp_path / "whole")
    for part in (1, 2, 3):
        PRIOR.make("mine", trained, manifest.part(part, 3), tmp_path / f"{part}")
    parts = [tmp_path / str(part) for part in (3, 1, 2)]
    joined = PRIOR.join("mine", trained, manifest, tmp_path / "joined", parts)
    assert joined == whole and whole.found == 8
    contents = [{f.name: f.read_bytes() for f in (tmp_path / name).iterdir()} for name in ("whole", "joined")]
    assert contents[0] == contents[1] and len(contents[0]) == 9


def test_a_part_that_is_missing_or_there_twice_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    plain = PriorOptions("mb")
    for part in (1, 2):
        PRIOR.make("mb", plain, manifest.part(part, 2), tmp_path / f"{part}")
    with pytest.raises(MapError, match=r"maps that are missing.*01, 03, 05, 07"):
        PRIOR.join("mb", plain, manifest, tmp_path / "joined", [tmp_path / "1"])
    with pytest.raises(MapError, match="maps in two parts: 00, 02"):
        PRIOR.join("mb", plain, manifest, tmp_path / "joined", [tmp_path / "1", tmp_path / "2", tmp_path / "1"])
    assert not (tmp_path / "joined").exists()
