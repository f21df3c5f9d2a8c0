"""What data sets share: the report of a run, what is refused and what accepted, and what tables say of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from scene_samples import manifest, scene, write
from table_samples import LABELS, RUN, SPECS, summary_of

from sodlift.config.load import load_run
from sodlift.datasets.leakage import KINDS, LeakageReport, Trained, leakage_report, refuse_leaks
from sodlift.datasets.manifest import Manifest
from sodlift.errors import DataError, UnknownNameError
from sodlift.problems import ConfigProblems, Problem
from sodlift.tables.of_run import run_info
from sodlift.tables.run_info import DatasetInfo
from sodlift.tables.table import make_table

MIRM = {"mirm": Trained(("A",), ("B", "C"))}


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, Manifest]:
    """A: scenes 0 to 3, 0 twice; B: scenes 2 (mirrored) and 3 (compressed) again, and 6; C: scene 7."""
    for i in range(4):
        write(tmp_path / "A" / f"{i}.jpg", scene(i))
    write(tmp_path / "A" / "again.jpg", scene(0), 60)
    write(tmp_path / "B" / "two.jpg", scene(2)[:, ::-1])
    write(tmp_path / "B" / "three.jpg", scene(3), 60)
    write(tmp_path / "B" / "six.jpg", scene(6))
    write(tmp_path / "C" / "seven.jpg", scene(7))
    return {name: manifest(tmp_path / name) for name in "ABC"}


def found(report: LeakageReport) -> dict[str, tuple[str, ...]]:
    return {finding.kind: finding.items for finding in report.findings}


def test_leaking_test_images_are_an_error_that_names_the_pairs_and_the_mends(sets):
    pairs, report = leakage_report(sets, MIRM, {})
    assert len(pairs) == len(report.pairs) == 3
    assert found(report) == {
        "leak": ("2 of 3 in 'B' from 'A', which 'mirm' is trained on (0 accepted): 2 ~ two, 3 ~ three",),
        "across": ("A and B: 2 ~ two, 3 ~ three",),
        "within": ("A: 0 ~ again",),
    }
    with pytest.raises(DataError) as caught:
        report.raise_errors()
    for mend in ("`subset`", "other data", "`baseline_only`", "`known_leaks`"):
        assert mend in str(caught.value)
    assert "0 ~ again" not in str(caught.value)


@pytest.mark.parametrize("accepted", [2, 5])
def test_as_many_as_are_accepted_or_fewer_are_a_warning(sets, accepted):
    report = leakage_report(sets, MIRM, {"A": {"B": accepted}})[1]
    assert "leak" not in found(report)
    assert f"({accepted} accepted)" in found(report)["accepted"][0]
    report.raise_errors()


def test_more_than_are_accepted_are_an_error(sets):
    assert "leak" in found(leakage_report(sets, MIRM, {"A": {"B": 1}, "B": {"A": 9}})[1])


def test_the_direction_counts_the_images_of_the_test_set(tmp_path):
    for quality in (60, 80, 95):
        write(tmp_path / "many" / f"{quality}.jpg", scene(0), quality)
    write(tmp_path / "one" / "0.jpg", scene(0))
    both = {name: manifest(tmp_path / name) for name in ("many", "one")}
    trained = {"a": Trained(("many",), ("one",)), "b": Trained(("one",), ("many",))}
    assert [leak.leaking for leak in leakage_report(both, trained, {})[1].leaks] == [1, 3]


def test_without_a_trained_refiner_there_is_a_report_and_no_error(sets):
    report = leakage_report(sets, {}, {})[1]
    assert (report.errors, report.leaks) == ((), ())
    assert found(report).keys() == {"across", "within"}


def test_a_set_that_was_not_compared_is_an_error_rather_than_a_zero(sets):
    with pytest.raises(UnknownNameError, match="'D'"):
        leakage_report(sets, {"mirm": Trained(("D",), ("B",))}, {})


def test_the_saved_report_refuses_what_the_report_did(sets, tmp_path):
    for accepted, refused in ((1, True), (2, False)):
        report = leakage_report(sets, MIRM, {"A": {"B": accepted}})[1]
        report.save(tmp_path / "leakage.json", tmp_path / "leakage.md")
        if refused:
            with pytest.raises(DataError, match=r"2 ~ two, 3 ~ three[\s\S]*known_leaks"):
                refuse_leaks(tmp_path / "leakage.json")
        else:
            refuse_leaks(tmp_path / "leakage.json")


def test_both_forms_hold_the_pairs_the_counts_and_the_table(sets, tmp_path):
    leakage_report(sets, MIRM, {})[1].save(tmp_path / "leakage.json", tmp_path / "leakage.md")
    content = json.loads((tmp_path / "leakage.json").read_text("utf-8"))
    assert content["images"] == {"A": 5, "B": 3, "C": 1}
    assert [(leak["test"], leak["leaking"], leak["images"]) for leak in content["leaks"]] == [("B", 2, 3), ("C", 0, 1)]
    assert [pair["stem_a"] for pair in content["pairs"]] == ["0", "2", "3"]
    assert content["pairs"][1]["mirrored"] is True
    text = (tmp_path / "leakage.md").read_text("utf-8")
    assert "| mirm | A | B | 2 | 3 | 0 |\n| mirm | A | C | 0 | 1 | 0 |\n" in text
    assert text.endswith("|---|---:|---:|---:|\n| A | 2 | 2 | 0 |\n| B | 2 | 0 | 0 |\n| C | 0 | 0 | 0 |\n")


def test_every_kind_of_finding_has_a_mend():
    assert all(kind.title and kind.mend for kind in KINDS.values())


# --- configurations ------------------------------------------------------------------------------------------------


def configured(tmp_path: Path, **change: Any) -> dict[str, Any]:
    """A run with a refiner that is trained on the data set "one", which shares 5 images with "two"."""
    folder = {"title": "Mine", "type": "folder"}
    rows = {
        "one": {**folder, "options": {"root": "one"}},
        "two": {**folder, "options": {"root": "two"}, "shares": {"one": 5}},
    }
    mirm = {"title": "Mine", "type": "mirm", "options": {"preset": "default"}}
    refiners = {f"on_{name}": {**mirm, "train": {"datasets": [name], "detectors": ["rbd"]}} for name in ("one", "two")}
    for kind, content in (("datasets", rows), ("refiners", refiners)):
        (tmp_path / f"{kind}.yaml").write_text(yaml.safe_dump(content))
    return {
        "results": "results/test",
        "registries": {kind: [str(tmp_path / f"{kind}.yaml")] for kind in ("datasets", "refiners")},
        "datasets": ["two"],
        "detectors": ["rbd"],
        "refiners": ["on_one"],
        "protocols": ["pysod"],
        **change,
    }


def problems(config: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(ConfigProblems) as caught:
        load_run(config)
    return caught.value.problems


@pytest.mark.parametrize(("train", "test"), [("one", "two"), ("two", "one")])
def test_sets_that_are_known_to_share_images_are_refused_unless_accepted(tmp_path, train, test):
    config = configured(tmp_path, datasets=[test], refiners=[f"on_{train}"])
    for known in ({}, {train: {test: 4}}, {test: {train: 5}}):
        (problem,) = problems({**config, "known_leaks": known})
        assert problem.path == "refiners[0]"
        assert f"trained on '{train}' and tested on '{test}': they share 5 near-identical images" in problem.what
        assert f"known_leaks: {{{train}: {{{test}: 5}}}}" in problem.mend
    assert load_run({**config, "known_leaks": {train: {test: 5}}}).known_leaks == {train: {test: 5}}


@pytest.mark.parametrize("change", [{"baseline_only": ["two"]}, {"subset": {"two": {"limit": 3}}}, {"refiners": []}])
def test_what_is_not_refined_or_not_whole_is_left_to_the_images(tmp_path, change):
    assert load_run(configured(tmp_path, **change)).test_sets == ("two",)


@pytest.mark.parametrize(
    ("known", "path", "what"),
    [
        ({"ECSD": {"SED2": 1}}, "known_leaks.ECSD", "unknown data set 'ECSD'"),
        ({"ECSSD": {"SED": 1}}, "known_leaks.ECSSD.SED", "unknown data set 'SED'"),
        ({"ECSSD": {"SED2": 0}}, "known_leaks.ECSSD.SED2", "0 is not allowed"),
        ({"ECSSD": 1}, "known_leaks.ECSSD", "1 has the wrong type"),
    ],
)
def test_a_mistake_in_what_is_accepted_is_told(tmp_path, known, path, what):
    (problem,) = problems({**configured(tmp_path), "refiners": [], "known_leaks": known})
    assert (problem.path, what in problem.what) == (path, True)


def test_a_run_knows_what_its_refiners_are_trained_and_scored_on(tmp_path):
    change = {"known_leaks": {"one": {"two": 5}}, "seeds": [1, 2], "datasets": ["two", "SED2"]}
    run = load_run(configured(tmp_path, **change))
    assert run.trained == ("on_one", "on_one@2")
    assert run.trained_and_tested == {"on_one": {"train": ["one"], "test": ["two", "SED2"]}}


# --- tables --------------------------------------------------------------------------------------------------------


def test_tables_know_what_is_accepted_of_the_refiners_at_hand(tmp_path):
    change = {"known_leaks": {"one": {"two": 5}, "ECSSD": {"two": 1}}, "datasets": ["two", "SED2"]}
    info = run_info(load_run(configured(tmp_path, **change)))
    assert {name: data.leaks for name, data in info.datasets.items()} == {"two": {"Mine": 5}, "SED2": {}}


def test_accepting_leaks_makes_tables_anew(tmp_path):
    runs = [load_run(configured(tmp_path, known_leaks={"one": {"two": n}})) for n in (5, 6)]
    assert runs[0].facts != runs[1].facts


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "ECSSD: 1 of its 10 images is near-identical to training images of MSRA-B (accepted)."),
        (7, "ECSSD: up to 7 of its 10 images are near-identical to training images of MSRA-B (accepted)."),
    ],
)
def test_a_table_says_what_is_accepted(tmp_path, count, words):
    summary: pd.DataFrame = summary_of(tmp_path, {("none", "mb_plus", "ECSSD"): (0.9, 0.04)})
    leaky = replace(RUN, datasets={**RUN.datasets, "ECSSD": DatasetInfo("ECSSD", "ECSSD", leaks={"MSRA-B": count})})
    assert words in make_table(SPECS["refiners_ldps"], summary, leaky, LABELS).to_markdown()
    assert "(accepted)" not in make_table(SPECS["refiners_ldps"], summary, RUN, LABELS).to_markdown()
