"""Detectors that learn from other detectors' maps: what their rows may say, what a run needs, what they have seen."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sodlift.config.load import load_run
from sodlift.config.rows import PriorMaps
from sodlift.config.run import Run
from sodlift.problems import ConfigProblems, Problem

BARE = {"title": "Bare", "type": "folder", "options": {"root": "bare", "masks": None}}
FEW = {"title": "Few", "type": "maps", "options": {"folder": "few/{dataset}"}, "datasets": ["SED2"]}
PLAIN = {"title": "Plain", "type": "prior", "options": {"method": "rbd"}}


def labels(*datasets: str) -> dict[str, Any]:
    """A detector that learns from images alone."""
    return {"title": "Labels", "type": "a2s_labels", "train": {"datasets": [*datasets]}}


def second(*datasets: str, of: str = "labels") -> dict[str, Any]:
    """A detector that learns from the maps of another one."""
    return {"title": "Second", "type": "a2s", "train": {"datasets": [*datasets], "detectors": [of]}}


def mirm(*datasets: str, of: str = "second") -> dict[str, Any]:
    return {"title": "M", "type": "mirm", "train": {"datasets": [*datasets], "detectors": [of]}}


DEEP = {"title": "Deep", "type": "arn", "train": {"datasets": ["SED2"]}}
CHAIN = {"labels": labels("ECSSD"), "second": second("SED2"), "plain": PLAIN}


def load(folder: Path, own: dict[str, Any], deep: dict[str, Any] | None = None, /, **change: Any) -> Run:
    """A run of these detectors and refiners on the demo's test images."""
    rows = {"detectors": own, "refiners": deep or {}, "datasets": {"bare": BARE}}
    for kind, of_kind in rows.items():
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump(of_kind))
    names = {"detectors": list(own), "refiners": list(deep or ())}
    registries = {kind: [str(folder / f"{kind}.yaml")] for kind in rows}
    config = {"results": "r", "datasets": ["demo-test"], "protocols": ["pysod"], "registries": registries}
    return load_run({**config, **names, **change})


def problem(*arguments: Any, **change: Any) -> Problem:
    with pytest.raises(ConfigProblems) as caught:
        load(*arguments, **change)
    (only,) = caught.value.problems
    return only


# what a run needs


def test_a_run_needs_the_maps_and_models_of_every_detector_behind_its_own(tmp_path: Path) -> None:
    run = load(tmp_path, CHAIN, {"mine": mirm("demo-train")}, detectors=["plain"])
    assert run.prior_maps == (
        PriorMaps("demo-test", "plain"),
        PriorMaps("demo-train", "second"),
        PriorMaps("SED2", "labels"),
    )
    assert run.trained_detectors == ("second", "labels")
    assert run.datasets == ("demo-test", "demo-train", "SED2", "ECSSD")


def test_a_detector_that_learns_from_maps_has_a_manifest_for_each(tmp_path: Path) -> None:
    rows = {
        **CHAIN,
        "second": {**second("SED2", "ECSSD"), "train": {"datasets": ["SED2"], "detectors": ["plain", "labels"]}},
    }
    training = load(tmp_path, rows).detector("second").train
    assert training.maps == (PriorMaps("SED2", "plain"), PriorMaps("SED2", "labels"))
    assert training.manifests == ("SED2", "SED2")
    alone = load(tmp_path, CHAIN).detector("labels").train
    assert alone.maps == () and alone.manifests == ("ECSSD",)


def test_the_detector_behind_a_substitute_is_trained_and_its_maps_are_made(tmp_path: Path) -> None:
    other = {"title": "Other", "type": "substitute", "options": {"kind": "another_image", "of": "labels"}}
    run = load(tmp_path, {"labels": labels("ECSSD"), "other": other}, detectors=["other"])
    assert run.prior_maps == (PriorMaps("demo-test", "other"), PriorMaps("demo-test", "labels"))
    assert run.trained_detectors == ("labels",)
    assert run.trained_and_tested["other"] == {"train": ["ECSSD"], "test": ["demo-test"]}


# what they have seen


def test_what_learns_from_maps_has_seen_what_every_detector_behind_them_was_trained_on(tmp_path: Path) -> None:
    run = load(tmp_path, CHAIN, {"mine": mirm("demo-train")}, seeds=[1, 2])
    assert run.trained_and_tested == {
        "mine": {"train": ["demo-train", "SED2", "ECSSD"], "test": ["demo-test"]},
        "second": {"train": ["SED2", "ECSSD"], "test": ["demo-test"]},
        "labels": {"train": ["ECSSD"], "test": ["demo-test"]},
    }


def test_a_leak_through_two_levels_is_refused_in_words_that_name_them(tmp_path: Path) -> None:
    run = {"detectors": ["plain"], "datasets": ["ECSSD"]}
    refused = problem(tmp_path, CHAIN, {"mine": mirm("demo-train")}, **run)
    way = "maps of 'second', which is trained on maps of 'labels', which is trained on 'ECSSD',"
    assert refused.path == "refiners[0]"
    assert refused.what == f"refiner 'mine' is trained on {way} and tested on 'ECSSD': they are the same"
    assert load(tmp_path, CHAIN, {"mine": mirm("demo-train")}, **run, baseline_only=["ECSSD"]).cells


def test_images_that_were_learnt_from_without_masks_are_seen_all_the_same(tmp_path: Path) -> None:
    refused = problem(tmp_path, CHAIN, detectors=["labels"], datasets=["ECSSD"])
    assert "detector 'labels' is trained on 'ECSSD' and tested on 'ECSSD'" in refused.what
    refused = problem(tmp_path, CHAIN, detectors=["second"], datasets=["ECSSD"])
    assert "'second' is trained on maps of 'labels', which is trained on 'ECSSD', and tested on" in refused.what


def test_a_leak_through_a_substitute_is_told_as_what_it_is(tmp_path: Path) -> None:
    other = {"title": "Other", "type": "substitute", "options": {"kind": "another_image", "of": "labels"}}
    rows = {"labels": labels("ECSSD"), "other": other}
    refused = problem(tmp_path, rows, detectors=["other"], datasets=["ECSSD"])
    assert "'other' is made of maps of 'labels', which is trained on 'ECSSD', and tested on 'ECSSD'" in refused.what


def test_known_overlaps_of_other_sets_count_through_the_chain(tmp_path: Path) -> None:
    refused = problem(tmp_path, CHAIN, detectors=["second"], datasets=["SOD"])
    assert refused.what.endswith("they share 74 near-identical images")
    assert "known_leaks: {ECSSD: {SOD: 74}}" in refused.mend


# wrong rows


@pytest.mark.parametrize(
    ("rows", "path", "said"),
    [
        ({"second": {**second(), "train": None}}, "second.train", "this detector is trained"),
        (
            {"second": {**second(), "train": {"datasets": ["SED2"]}}},
            "second.train",
            "learns from the maps of detectors",
        ),
        ({"second": second("SED2", of="lables")}, "second.train.detectors", "unknown detector 'lables'"),
        ({"second": second("ECSSD", of="few")}, "second.train", "detector 'few' has no maps of 'ECSSD'"),
        (
            {"labels": {**labels(), "train": {"datasets": ["SED2"], "detectors": ["plain"]}}},
            "labels.train.detectors",
            "learns from images alone, not from maps of detectors",
        ),
        (
            {"deep": {**DEEP, "train": {"datasets": ["SED2"], "detectors": ["plain"]}}},
            "deep.train.detectors",
            "learns from masks, not from maps of detectors",
        ),
        ({"deep": {**DEEP, "train": {"datasets": ["bare"]}}}, "deep.train.datasets", "'bare' has no masks"),
        ({"deep": {**DEEP, "options": {"model": "m.pt"}}}, "deep.train", "names the file of a trained model"),
        ({"plain": {**PLAIN, "train": {"datasets": ["SED2"]}}}, "plain.train", "has nothing to train"),
    ],
)
def test_a_training_that_does_not_fit_is_told(tmp_path: Path, rows: dict[str, Any], path: str, said: str) -> None:
    known = {"labels": labels("ECSSD"), "plain": PLAIN, "few": FEW, **rows}
    kept = {name: {key: value for key, value in row.items() if value is not None} for name, row in known.items()}
    refused = problem(tmp_path, kept, detectors=["rbd"])
    assert refused.path == path
    assert said in refused.what


def test_images_without_masks_serve_those_that_learn_from_none(tmp_path: Path) -> None:
    assert load(tmp_path, {"labels": labels("bare"), "second": second("bare")}).datasets == ("demo-test", "bare")


def test_a_trained_model_takes_the_place_of_a_training(tmp_path: Path) -> None:
    row = {"title": "Deep", "type": "arn", "options": {"model": "m.pt"}}
    run = load(tmp_path, {"deep": row})
    assert run.trained_detectors == () and run.trained_and_tested == {}


@pytest.mark.parametrize(
    ("rows", "way"),
    [
        ({"a": second("SED2", of="a")}, "a -> a"),
        ({"a": second("SED2", of="b"), "b": second("SED2", of="a")}, "a -> b -> a"),
        (
            {"a": second("SED2", of="b"), "b": second("SED2", of="c"), "c": second("SED2", of="b")},
            "b -> c -> b",
        ),
        (
            {
                "other": {"title": "O", "type": "substitute", "options": {"kind": "another_image", "of": "a"}},
                "a": second("SED2", of="other"),
            },
            "a -> other -> a",
        ),
    ],
    ids=["itself", "two", "behind another", "through a substitute"],
)
def test_a_circle_of_detectors_is_named_once(tmp_path: Path, rows: dict[str, Any], way: str) -> None:
    refused = problem(tmp_path, rows)
    assert refused.path == f"{way[0]}.train"
    assert refused.what == f"its own maps are needed to train it: {way}"


def test_a_refiner_with_the_name_of_a_detector_behind_another_is_refused(tmp_path: Path) -> None:
    refused = problem(tmp_path, CHAIN, {"labels": mirm("demo-train")}, detectors=["plain"])
    assert refused.path == "refiners[0]" and "'labels' is a detector of this run too" in refused.what
