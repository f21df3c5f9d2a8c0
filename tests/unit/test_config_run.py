"""Runs: cells, seeds, training inputs and labels."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sodlift.config.load import load_run
from sodlift.config.rows import PriorMaps, below
from sodlift.config.run import Absent, Cell, Run
from sodlift.datasets.subset import Subset
from sodlift.errors import ConfigError, UnknownNameError
from sodlift.figures.curves import CurvesOptions, chosen
from sodlift.options import build
from sodlift.tables.of_run import run_info, scored_cells

BASE = Path(__file__).resolve().parents[2]


def load(**change: Any) -> Run:
    config = {
        "results": "results/test",
        "datasets": ["PASCAL-S-108", "SED2"],
        "detectors": ["rbd", "PFA"],
        "refiners": ["densecrf_dss", "mirm_lite0_demo"],
        "protocols": ["pysod"],
    }
    return load_run({**config, **change})


def test_cells_go_by_data_set_and_detector_the_unrefined_prior_first() -> None:
    assert load().cells == (
        Cell("PASCAL-S-108", "rbd", "none"),
        Cell("PASCAL-S-108", "rbd", "densecrf_dss"),
        Cell("PASCAL-S-108", "rbd", "mirm_lite0_demo"),
        Cell("PASCAL-S-108", "PFA", "none"),
        Cell("PASCAL-S-108", "PFA", "densecrf_dss"),
        Cell("PASCAL-S-108", "PFA", "mirm_lite0_demo"),
        Cell("SED2", "rbd", "none"),
        Cell("SED2", "rbd", "densecrf_dss"),
        Cell("SED2", "rbd", "mirm_lite0_demo"),
    )


def test_maps_that_a_detector_does_not_have_make_no_cell_and_are_listed_with_the_reason() -> None:
    (absent,) = load().absent
    assert absent[:2] == Absent("SED2", "PFA", "")[:2]
    assert absent.reason == "the row of 'PFA' lists maps of ECSSD, DUT-OMRON, HKU-IS, PASCAL-S, PASCAL-S-108 only"


def test_the_primary_seed_has_the_plain_name_and_only_training_has_seeds() -> None:
    run = load(seeds=[7, 8, 9])
    assert list(run.refiner_rows) == ["densecrf_dss", "mirm_lite0_demo", "mirm_lite0_demo@8", "mirm_lite0_demo@9"]
    assert [row.seed for row in run.refiner_rows.values()] == [None, 7, 8, 9]
    assert run.refiner("mirm_lite0_demo@9").title == f"{run.refiner('mirm_lite0_demo').title} (seed 9)"
    assert run.trained == ("mirm_lite0_demo", "mirm_lite0_demo@8", "mirm_lite0_demo@9")


def test_a_refiner_is_trained_on_every_data_set_with_the_maps_of_every_detector() -> None:
    run = load(seeds=[1, 2])
    maps = (PriorMaps("demo-train", "mb_plus"), PriorMaps("demo-train", "rbd"))
    assert run.train_inputs("mirm_lite0_demo") == run.train_inputs("mirm_lite0_demo@2") == maps
    assert run.train_inputs("densecrf_dss") == ()


def test_what_training_needs_is_among_the_data_sets_and_prior_maps_each_once() -> None:
    run = load(seeds=[1, 2])
    assert run.datasets == ("PASCAL-S-108", "SED2", "demo-train")
    assert run.prior_maps == (
        PriorMaps("PASCAL-S-108", "rbd"),
        PriorMaps("PASCAL-S-108", "PFA"),
        PriorMaps("SED2", "rbd"),
        PriorMaps("demo-train", "mb_plus"),
        PriorMaps("demo-train", "rbd"),
    )


def test_a_refiner_without_a_cell_is_not_trained() -> None:
    run = load(baseline_only=["PASCAL-S-108", "SED2"])
    assert run.trained == ()
    assert run.refined_cells == ()
    assert run.datasets == ("PASCAL-S-108", "SED2")


def test_refined_cells_are_those_with_a_refiner() -> None:
    run = load()
    assert set(run.cells) - set(run.refined_cells) == {c for c in run.cells if c.refiner == "none"}


@pytest.fixture
def unmasked(tmp_path: Path) -> dict[str, Any]:
    """A row of a data set for inference only, and a run of it beside another one."""
    rows = tmp_path / "mine.yaml"
    rows.write_text("mine: {title: Mine, type: folder, options: {root: mine, masks: null}}")
    return {"registries": {"datasets": [str(rows)]}, "datasets": ["SED2", "mine"], "detectors": ["rbd"]}


def test_a_data_set_without_masks_has_cells_that_are_not_scored(unmasked: dict[str, Any]) -> None:
    run = load(**unmasked)
    assert {cell.dataset for cell in run.cells} == {"SED2", "mine"}
    assert PriorMaps("mine", "rbd") in run.prior_maps
    assert run.scored_sets == ("SED2",)
    assert run.scored_cells == tuple(cell for cell in run.cells if cell.dataset == "SED2")


def test_tables_and_figures_know_the_scored_cells_alone(unmasked: dict[str, Any]) -> None:
    run = load(**unmasked)
    assert {cell.dataset for cell in scored_cells(run)} == {"SED2"} == set(run_info(run).datasets)
    assert {curve.dataset for curve in chosen(CurvesOptions(), run)} == {"SED2"}
    assert run.facts == load(**unmasked | {"datasets": ["SED2"]}).facts


def test_a_part_of_a_data_set_is_noted_in_words_and_held_against_no_print() -> None:
    asked = {"ECSSD": {"sample": 50, "seed": 3}, "PASCAL-S-108": {"limit": 4}}
    found = run_info(load(datasets=["ECSSD", "PASCAL-S-108", "SED2"], subset=asked)).datasets
    assert {name: (info.complete, info.note) for name, info in found.items()} == {
        "ECSSD": (False, "of this set 50 images drawn with seed 3"),
        "PASCAL-S-108": (False, "108 of the 850 images of PASCAL-S; of this set the first 4 images"),
        "SED2": (True, ""),
    }


def test_the_stems_of_a_list_are_parameters_of_the_data_set(tmp_path: Path) -> None:
    names = tmp_path / "mine.txt"
    names.write_text("a\nb\n")
    asked = {"SED2": {"stems": str(names)}}
    run = load(subset=asked)
    assert run.subset_parameters("PASCAL-S-108") == {}
    assert build(Subset, json.loads(json.dumps(run.subset_parameters("SED2")))) == Subset(stems=("a", "b"))
    before = run.facts
    names.write_text("a\nb\nc\n")
    assert load(subset=asked).subset_parameters("SED2")["stems"] == ("a", "b", "c")
    assert load(subset=asked).facts != before


def test_names_of_all_rows_and_of_all_seeds_are_at_hand_for_paths() -> None:
    run = load(seeds=[1, 2])
    assert {"demo-train", "ECSSD", "SED2"} < set(run.all_datasets)
    assert {"mb_plus", "PFA", "DSS"} < set(run.all_detectors)
    assert run.all_refiners == ("densecrf_dss", "mirm_lite0_demo", "mirm_lite0_demo@2")


def test_labels_hold_the_title_and_the_papers_names() -> None:
    assert load().labels["rbd"] == {"title": "RBD", "MIRM": "wCtrO", "LPS": "wCO", "A2S": "RBD", "ARN": "RBD"}


def test_parameters_hold_every_option_as_plain_data() -> None:
    row = load(refiners=["mirm_mobilenetv2"]).refiner("mirm_mobilenetv2")
    assert json.loads(json.dumps(row.parameters)) == row.parameters
    assert row.parameters["theta_fg"] == 0.9
    assert row.parameters["weights_file"] == "weights/mobilenetv2_imagenet_backbone_bnfolded.pth"


def test_relative_paths_of_the_options_start_at_the_data_root(tmp_path: Path) -> None:
    row = load(refiners=["mirm_mobilenetv2"]).refiner("mirm_mobilenetv2")
    assert below(row.options, tmp_path).weights_file == tmp_path / "weights/mobilenetv2_imagenet_backbone_bnfolded.pth"


def test_the_code_behind_a_row_begins_with_its_type() -> None:
    run = load()
    assert run.dataset("SED2").code[0] == "sodlift.datasets.sources.folder"
    assert run.detector("PFA").code[0] == "sodlift.detectors.maps"
    assert run.refiner("mirm_lite0_demo").code[0] == "sodlift.refiners.mirm"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda run: run.dataset("SED3"), "unknown data set 'SED3'"),
        (lambda run: run.detector("rdb"), "unknown detector 'rdb'"),
        (lambda run: run.refiner("mirm_lite0_demo@3"), "unknown refiner 'mirm_lite0_demo@3'"),
    ],
)
def test_an_unknown_name_is_refused(ask: Any, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        ask(load())


MODEL_OF = {
    "other": {
        "title": "Other threshold",
        "type": "mirm",
        "options": {"preset": "default", "backbone": "efficientnet_lite0", "theta_fg": 0.8},
        "model_of": "mirm_lite0_demo",
    }
}


def with_model_of(tmp_path: Path, rows: Any = None, **change: Any) -> Run:
    (tmp_path / "refiners.yaml").write_text(json.dumps(rows or MODEL_OF))
    return load(registries={"refiners": [str(tmp_path / "refiners.yaml")]}, **{"refiners": ["other"], **change})


def test_a_refiner_that_uses_anothers_model_has_it_trained_for_each_seed(tmp_path: Path) -> None:
    run = with_model_of(tmp_path, seeds=[1, 2])
    assert {cell.refiner for cell in run.refined_cells} == {"other", "other@2"}
    assert run.trained == ("mirm_lite0_demo", "mirm_lite0_demo@2")
    assert [run.model_of(name) for name in ("other", "other@2")] == ["mirm_lite0_demo", "mirm_lite0_demo@2"]
    assert run.refiner("mirm_lite0_demo@2").seed == 2 and "demo-train" in run.datasets
    sets = {"train": ["demo-train"], "test": ["PASCAL-S-108", "SED2"]}
    assert run.trained_and_tested == {"mirm_lite0_demo": sets}
    assert run_info(run).refiners["other"].training_sets == ("demo-train/mb_plus", "demo-train/rbd")


def test_a_model_is_trained_once_for_its_refiner_and_for_others(tmp_path: Path) -> None:
    run = with_model_of(tmp_path, refiners=["other", "mirm_lite0_demo", "densecrf_dss"])
    assert run.trained == ("mirm_lite0_demo",) and not run.model_rows
    assert run.model_of("densecrf_dss") == "" and run.model_of("mirm_lite0_demo") == "mirm_lite0_demo"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_of": "mirm_lite0"}, "did you mean 'mirm_lite0_demo'"),
        ({"model_of": "densecrf_dss"}, "'densecrf_dss' has no model for it"),
        ({"type": "lps", "options": {}}, "a refiner of type 'lps' with `train`"),
        ({"train": {"datasets": ["demo-train"], "detectors": ["rbd"]}}, "remove `train`"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        with_model_of(tmp_path, {"other": {**MODEL_OF["other"], **change}})


def test_a_test_set_that_anothers_model_was_trained_on_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'other' is trained on 'demo-train' and tested on 'demo-train'"):
        with_model_of(tmp_path, datasets=["demo-train"])
