"""Sweeps: which refiners or detectors are compared, in which order, and how numbers and names are drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from figure_samples import LPS, labels_row, lps_at, run_of, score_cells

from sodlift.config.rows import DetectorRow, RefinerRow
from sodlift.config.run import Cell, Run
from sodlift.errors import DataError
from sodlift.figures.sweep import SweepOptions, draw, series, swept
from sodlift.plots.lines import Line, lines_figure

SWEEP = SweepOptions("lps", "iterations", ("adpF", "MAE"), prior_at=0)
BOUNDARY = SweepOptions("a2s_labels", "boundary", ("MAE",))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two priors of two data sets under LPS with 1, 2 and 5 iterations, of two seeds, and under a CRF."""
    rows = {"lps": LPS, "t2": lps_at(2), "t5": lps_at(5)}
    return run_of(tmp_path, {"refiners": rows}, refiners=["t5", "lps", "densecrf_dss", "t2"], seeds=[1, 2])


@pytest.fixture
def labels(tmp_path: Path) -> Run:
    """A2S's first stage with three boundaries, one of them with two more alphas, beside a prior; under a CRF."""
    rows = {f"db{i}": labels_row(f"DB{i}", boundary=f"db{i}") for i in (2, 1, 5)}
    rows |= {"a2": labels_row("alpha .2", alpha=0.2), "a0": labels_row("alpha 0", alpha=0)}
    made = run_of(tmp_path, {"detectors": rows}, detectors=["rbd", *rows], refiners=["densecrf_dss"])
    places = {name: i / 10 for i, name in enumerate(rows)}
    score_cells(made, lambda cell: places.get(cell.detector, 0.9) + (cell.refiner != "none") / 100)
    return made


def of_refiners(run: Run, cell: Cell) -> float:
    """A score that tells the refiner: its place among the run's, over 10; the unrefined prior's is 0.9."""
    return 0.9 if cell.refiner == "none" else list(run.refiner_rows).index(cell.refiner) / 10


def test_a_type_that_detectors_and_refiners_both_have_is_the_refiners() -> None:
    both = set(DetectorRow.registry().names()) & set(RefinerRow.registry().names())
    assert both == {"onnx"}
    assert not SweepOptions(type="onnx", option="prior_range", metrics=("MAE",)).of_detectors


def test_a_sweep_finds_the_refiners_that_differ_in_the_option_alone(run: Run) -> None:
    assert swept(SWEEP, run) == {"LPS 5": {5.0: "t5", 1.0: "lps", 2.0: "t2"}}


def test_refiners_that_differ_in_more_are_a_family_of_their_own(tmp_path: Path) -> None:
    rows = {"lps": LPS, "t2": lps_at(2), "n2": lps_at(2, resample="nearest"), "n3": lps_at(3, resample="nearest")}
    found = swept(SWEEP, run_of(tmp_path, {"refiners": rows}))
    assert found == {f"resample {LPS_RESAMPLE}": {1: "lps", 2: "t2"}, "resample nearest": {2: "n2", 3: "n3"}}


def test_refiners_trained_on_the_same_data_are_compared_and_those_of_other_models_are_not(tmp_path: Path) -> None:
    near = {**LPS, "title": "near", "options": {**LPS["options"], "resample": "nearest"}}  # type: ignore[dict-item]
    elsewhere = {**near, "title": "elsewhere", "train": {"datasets": ["demo-train", "ECSSD"]}}
    rows = {"lps": LPS, "near": near, "t2": lps_at(2, resample="nearest"), "elsewhere": elsewhere}
    resample = SweepOptions("lps", "resample", ("MAE",))
    found = swept(resample, run_of(tmp_path, {"refiners": rows}))
    assert list(found.values()) == [{LPS_RESAMPLE: "lps", "nearest": "near"}]


def test_refiners_of_other_pools_are_not_compared(tmp_path: Path) -> None:
    row = {"type": "mijr", "options": {"backbone": "efficientnet_lite0"}, "pool": "mine"}
    row["train"] = {"datasets": ["ECSSD"], "detectors": ["rbd"]}
    bare = {**row, "options": {"backbone": "efficientnet_lite0", "filtered": False}}
    rows = {"all": row, "bare": bare, "five": {**row, "pool": "mine_5"}}
    pools = {
        name: {"title": name, "type": "similar", "options": {"link": {"top": top}}, "datasets": ["ECSSD"]}
        for name, top in (("mine", 1), ("mine_5", 5))
    }
    (tmp_path / "pools.yaml").write_text(yaml.safe_dump(pools))
    named = {name: {"title": name, **row} for name, row in rows.items()}
    (tmp_path / "mijr.yaml").write_text(yaml.safe_dump(named))
    registries = {"refiners": [str(tmp_path / "mijr.yaml")], "pools": [str(tmp_path / "pools.yaml")]}
    run = run_of(tmp_path, {}, registries=registries, datasets=["SED2"], refiners=["five", *list(rows)[:2]])
    found = swept(SweepOptions("mijr", "filtered", ("MAE",)), run)
    assert list(found.values()) == [{"true": "all", "false": "bare"}]


def test_a_sweep_can_be_of_named_refiners(run: Run) -> None:
    assert swept(replace(SWEEP, refiners=("t2", "lps", "t9")), run) == {"LPS 2": {2: "t2", 1: "lps"}}


LPS_RESAMPLE = RefinerRow("", "", "lps").kind.options().resample


def test_a_line_goes_from_the_prior_over_every_value_in_order(run: Run) -> None:
    score_cells(run, lambda cell: of_refiners(run, cell))
    found = list(series(SWEEP, run))
    assert len(found) == 2 * 2 * 2
    assert {tuple(one.scores.items()) for one in found} == {((0, 0.9), (1, 0.2), (2, 0.5), (5, 0.0))}
    figure = draw(SWEEP, run, "")
    assert [axes.get_ylabel() for axes in figure.axes] == ["adaptive F", "", "MAE", ""]
    assert figure.axes[0].lines[0].get_xdata().tolist() == [0, 1, 2, 5]  # type: ignore[union-attr]


def test_a_prior_may_stand_under_a_name(run: Run) -> None:
    score_cells(run, lambda cell: of_refiners(run, cell))
    figure = draw(SweepOptions("lps", "iterations", ("MAE",), prior_at="prior"), run, "")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["prior", "1", "2", "5"]


def test_detectors_are_compared_with_those_that_differ_in_the_option_alone(labels: Run) -> None:
    assert swept(BOUNDARY, labels) == {"DB2": {"db2": "db2", "db1": "db1", "db5": "db5"}}
    alphas = SweepOptions("a2s_labels", "alpha", ("MAE",))
    assert swept(alphas, labels) == {"DB5": {0.1: "db5", 0.2: "a2", 0: "a0"}}
    fewer = SweepOptions("a2s_labels", "alpha", ("MAE",), detectors=("a0", "db5"))
    assert swept(fewer, labels) == {"alpha 0": {0: "a0", 0.1: "db5"}}


def test_names_are_groups_of_bars_in_the_order_of_the_run_one_for_each_refiner(labels: Run) -> None:
    figure = draw(BOUNDARY, labels, "Fig. 9")
    assert [axes.get_title() for axes in figure.axes] == ["SED2", "PASCAL-S (108)"]
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["db2", "db1", "db5"]
    told = [text.get_text() for text in sorted(axes.texts, key=lambda text: text.xy[1])]  # type: ignore[attr-defined]
    assert told == [".000", ".010", ".100", ".110", ".200", ".210"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["unrefined", "DenseCRF (DSS)"]
    assert figure.get_suptitle() == "Fig. 9: MAE"


def test_numbers_of_detectors_are_lines_in_their_order(labels: Run) -> None:
    options = SweepOptions("a2s_labels", "alpha", ("MAE",), types=("none",))
    figure = draw(options, labels, "Table V")
    (line,) = figure.axes[0].lines
    assert np.asarray(line.get_xdata()).tolist() == [0, 0.1, 0.2]
    assert np.asarray(line.get_ydata()).tolist() == [0.4, 0.2, 0.3]
    assert not figure.legends


def test_an_option_inside_another_can_be_swept_with_a_line_for_each_value_of_a_second(tmp_path: Path) -> None:
    rows = {
        f"db{i}_{n}": labels_row(f"DB{i}, {n} steps", boundary=f"db{i}", recipe={"steps": n})
        for i in (1, 5)
        for n in (40, 10)
    }
    run = run_of(tmp_path, {"detectors": rows})
    score_cells(run, lambda cell: 0.5)
    steps = SweepOptions("a2s_labels", "recipe.steps", ("MAE",), types=("none",))
    assert list(swept(steps, run)["boundary db5"].items()) == [(40, "db5_40"), (10, "db5_10")]
    figure = draw(steps, run, "")
    assert [line.get_label() for line in figure.legends[0].get_lines()] == ["boundary db1", "boundary db5"]
    assert np.asarray(figure.axes[0].lines[0].get_xdata()).tolist() == [10, 40]


def test_families_that_differ_in_much_or_in_their_data_alone_are_named_after_their_first(tmp_path: Path) -> None:
    much = {"size": 96, "drop": 0.2, "auxiliary": False}
    rows = {
        f"{name}{i}": labels_row(f"{name} {i}", boundary=f"db{i}", **(much if name == "much" else {}))
        for name in ("plain", "much", "data")
        for i in (1, 5)
    }
    for i in (1, 5):
        rows[f"data{i}"]["train"] = {"datasets": ["demo-train", "ECSSD"]}
    run = run_of(tmp_path, {"detectors": rows})
    score_cells(run, lambda cell: 0.5)
    assert list(dict.fromkeys(one.name for one in series(BOUNDARY, run))) == ["plain 1", "much 1", "data 1"]


def test_values_that_are_neither_number_nor_text_are_named_as_rows_have_them(tmp_path: Path) -> None:
    rows = {f"l{n}": labels_row(f"labels {n}", label_size=n) for n in (None, 96)}
    run = run_of(tmp_path, {"detectors": rows})
    assert swept(SweepOptions("a2s_labels", "label_size", ("MAE",)), run) == {
        "labels None": {"null": "lNone", 96: "l96"}
    }


def test_a_sweep_of_nothing_and_scores_that_are_missing_are_refused(run: Run) -> None:
    with pytest.raises(DataError, match="no refiners of type 'mirm' that differ in 'theta_fg' alone"):
        draw(SweepOptions("mirm", "theta_fg", ("MAE",)), run, "")
    with pytest.raises(DataError, match="no detectors of type 'a2s_labels' that differ in 'boundary' alone"):
        draw(BOUNDARY, run, "")
    with pytest.raises(DataError, match="scores of a cell are missing"):
        draw(SWEEP, run, "")
    score_cells(run, lambda cell: 0.5)
    with pytest.raises(DataError, match="no wF under protocol 'pysod'"):
        draw(SweepOptions("lps", "iterations", ("wF",)), run, "")


def test_lines_have_a_row_a_metric_a_column_a_data_set_and_gaps() -> None:
    drawn = [
        Line(metric, dataset, detector, (0, 1, 2), (0.5, None, 0.7))
        for metric in ("adpF", "MAE")
        for dataset in ("ECSSD", "SED2")
        for detector in ("RBD", "MB+")
    ]
    figure = lines_figure(drawn, "T", "LPS")
    assert [axes.get_title() for axes in figure.axes] == ["ECSSD", "SED2", "", ""]
    assert [axes.get_ylabel() for axes in figure.axes] == ["adpF", "", "MAE", ""]
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "", "T", "T"]
    assert np.isnan(np.asarray(figure.axes[0].lines[0].get_ydata())[1])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["RBD", "MB+"]
    with pytest.raises(DataError, match="no lines"):
        lines_figure([], "T")
