"""A data set that is scored in spite of training on its images: said openly by the run, its report and its tables."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scene_samples import manifest, scene, write
from table_samples import LABELS, RUN, SPECS, summary_of

from sodlift.config.load import load_run
from sodlift.config.run import Run
from sodlift.datasets.leakage import Trained, leakage_report
from sodlift.datasets.manifest import Manifest
from sodlift.errors import DataError
from sodlift.problems import ConfigProblems
from sodlift.tables.of_run import run_info
from sodlift.tables.run_info import DatasetInfo
from sodlift.tables.table import make_table

CONFIG = Path(__file__).parents[2] / "config"
OPEN = {"MSRA-B-train": {"MSRA-B-train": 2500}}


def load(detector: str, *sets: str, known: Mapping[str, Any] | None = None, **change: Any) -> Run:
    plain = {"results": "out", "datasets": list(sets), "detectors": [detector], "protocols": ["a2s"]}
    return load_run({**plain, "known_leaks": known or {}, **change})


@pytest.mark.parametrize("detector", ["a2s_labels", "a2s", "drfi"])
def test_scoring_on_training_images_is_refused_unless_the_run_says_so(detector: str) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(detector, "MSRA-B-train")
    (problem,) = caught.value.problems
    assert problem.what.endswith("and tested on 'MSRA-B-train': they are the same")
    assert "`known_leaks: {MSRA-B-train: {MSRA-B-train: 2500}}`" in problem.mend
    run = load(detector, "MSRA-B-train", known=OPEN)
    assert run.trained_and_tested[detector]["test"] == ["MSRA-B-train"]


def test_saying_so_for_one_set_accepts_no_other() -> None:
    with pytest.raises(ConfigProblems) as caught:
        load("a2s_labels", "MSRA-B-train", "MSRA-B-val", known=OPEN)
    assert [p.what.rpartition("tested on ")[2] for p in caught.value.problems] == ["'MSRA-B-val': they are the same"]
    with pytest.raises(ConfigProblems, match="'MSRA-B-train' is a part of 'MSRA-B'"):
        load("drfi", "MSRA-B", known=OPEN)


def test_a_whole_is_accepted_as_its_part_is() -> None:
    assert load("drfi", "MSRA-B", known={"MSRA-B-train": {"MSRA-B": 2500}}).cells


def test_tables_know_who_learnt_from_a_set_that_they_are_scored_on() -> None:
    run = load("a2s", "MSRA-B-train", "ECSSD", known=OPEN)
    info = run_info(run).datasets
    assert (info["MSRA-B-train"].learners, info["MSRA-B-train"].leaks) == (("A2S",), {})
    assert info["ECSSD"].learners == ()


def test_a_table_names_them_below(tmp_path: Path) -> None:
    summary: pd.DataFrame = summary_of(tmp_path, {("none", "mb_plus", "ECSSD"): (0.9, 0.04)})
    openly = replace(RUN, datasets={"ECSSD": DatasetInfo("ECSSD", "ECSSD", learners=("A2S, stage 1", "A2S"))})
    footer = make_table(SPECS["refiners_ldps"], summary, openly, LABELS).layout.footer
    assert "ECSSD: scored in spite of training on its images (accepted): A2S, stage 1, A2S." in footer
    plain = make_table(SPECS["refiners_ldps"], summary, RUN, LABELS).layout.footer
    assert not any("in spite of" in text for text in plain)


# ---- the report, which looks at the images


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, Manifest]:
    """A: four scenes, the last one twice."""
    for i in range(4):
        write(tmp_path / "A" / f"{i}.jpg", scene(i))
    write(tmp_path / "A" / "again.jpg", scene(3), 60)
    return {"A": manifest(tmp_path / "A")}


def test_the_report_counts_every_image_of_the_set_and_not_the_pairs_within(sets: dict[str, Manifest]) -> None:
    report = leakage_report(sets, {"labels": Trained(("A",), ("A",))}, {"A": {"A": 5}})[1]
    found = {finding.kind: finding.items for finding in report.findings}
    assert found == {
        "accepted": ("5 of 5 in 'A' from 'A', which 'labels' is trained on (5 accepted): all",),
        "within": ("A: 3 ~ again",),
    }
    assert "| labels | A | A | 5 | 5 | 5 |" in report.to_markdown()
    report.raise_errors()


def test_more_images_than_were_said_are_an_error(sets: dict[str, Manifest]) -> None:
    with pytest.raises(DataError, match="5 of 5 in 'A' from 'A', which 'labels' is trained on"):
        leakage_report(sets, {"labels": Trained(("A",), ("A",))}, {"A": {"A": 4}})[1].raise_errors()


# ---- the shipped run of A2S, which needs it for two of its tables


def test_the_run_of_a2s_makes_all_its_tables_and_says_what_it_was_trained_on() -> None:
    run = load_run(CONFIG / "a2s.yaml")
    assert set(run.tables) == {"training", *(name for name, spec in SPECS.items() if spec.paper == "A2S")}
    wanted = {row for name in run.tables for v in SPECS[name].variants for row in v.detectors.values()}
    assert wanted <= set(run.detectors)
    assert wanted == set(run.trained_detectors)
    learners = {name: bool(info.learners) for name, info in run_info(run).datasets.items()}
    assert [name for name, some in learners.items() if some] == ["MSRA-B-train"]
    assert {cell.detector for cell in run.cells} == set(run.detectors)


def test_smoke_rows_need_no_file_outside_the_repository() -> None:
    for name in ("a2s_smoke", "arn_smoke"):
        run = load(name, "demo-test")
        assert {run.dataset(d).type for d in run.datasets} == {"demo"}
        assert all(not run.detector(d).parameters.get("weights_file") for d in run.trained_detectors)
