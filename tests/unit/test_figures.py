"""Figures as rows: which cells they show, what a sweep finds, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sodlift.config.load import load_run
from sodlift.config.run import Run
from sodlift.errors import DataError
from sodlift.figures import FIGURES
from sodlift.figures.curves import CurvesOptions, chosen
from sodlift.figures.sweep import SweepOptions, draw, lines, swept
from sodlift.plots.lines import Line, lines_figure

LPS = {
    "title": "LPS",
    "type": "lps",
    "options": {"preset": "default", "backbone": "efficientnet_lite0", "grid": 4},
    "train": {"datasets": ["demo-train"]},
}
SWEEP = SweepOptions("lps", "iterations", ("adpF", "MAE"), prior_at=0)


def at(iterations: int, **options: Any) -> dict[str, Any]:
    """A row that uses the model of "lps" with another number of iterations."""
    changed = {**LPS["options"], "iterations": iterations, **options}  # type: ignore[dict-item]
    return {"title": f"LPS {iterations}", "type": "lps", "options": changed, "model_of": "lps"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two priors of two data sets under LPS with 1, 2 and 5 iterations, of two seeds, and under a CRF."""
    rows = {"lps": LPS, "t2": at(2), "t5": at(5)}
    (tmp_path / "refiners.yaml").write_text(yaml.safe_dump(rows))
    config = {
        "results": str(tmp_path / "results"),
        "registries": {"refiners": [str(tmp_path / "refiners.yaml")]},
        "datasets": ["SED2", "PASCAL-S-108"],
        "detectors": ["rbd", "mb_plus"],
        "refiners": ["t5", "lps", "densecrf_dss", "t2"],
        "seeds": [1, 2],
        "protocols": ["pysod"],
    }
    return load_run(config)


def score(run: Run) -> None:
    """Write scores that tell the refiner: its place among the run's, over 10; the unrefined prior's are 0.9."""
    for cell in run.scored_cells:
        value = 0.9 if cell.refiner == "none" else list(run.refiner_rows).index(cell.refiner) / 10
        records = [{"protocol": "pysod", "metric": name, "value": value} for name in ("adpF", "MAE")]
        folder = run.evaluation_folder(cell)
        folder.mkdir(parents=True)
        (folder / "scores.json").write_text(json.dumps(records))


@pytest.mark.parametrize("name", FIGURES.names())
def test_a_type_says_what_it_shows_and_every_option_is_documented(name: str) -> None:
    kind = FIGURES.get(name)
    assert kind.title and callable(kind.draw)
    assert all(f"    {option} : " in (kind.options.__doc__ or "") for option in kind.options.__dataclass_fields__)


def test_curves_are_those_of_the_primary_seed_and_of_the_types_that_are_asked_for(run: Run) -> None:
    assert {curve.refiner for curve in chosen(CurvesOptions(), run)} == {
        None,
        "LPS",
        "LPS 2",
        "LPS 5",
        "DenseCRF (DSS)",
    }
    assert {curve.refiner for curve in chosen(CurvesOptions(types=("densecrf",)), run)} == {None, "DenseCRF (DSS)"}
    assert {curve.protocol for curve in chosen(CurvesOptions(protocol="lps"), run)} == {"lps"}


def test_a_sweep_finds_the_refiners_that_differ_in_the_option_alone(run: Run) -> None:
    assert list(swept(SWEEP, run).values()) == [{5.0: "t5", 1.0: "lps", 2.0: "t2"}]


def test_refiners_that_differ_in_more_are_a_family_of_their_own(tmp_path: Path, run: Run) -> None:
    rows = {"lps": LPS, "t2": at(2), "near2": at(2, resample="nearest"), "near3": at(3, resample="nearest")}
    (tmp_path / "refiners.yaml").write_text(yaml.safe_dump(rows))
    config = {"results": "r", "registries": {"refiners": [str(tmp_path / "refiners.yaml")]}, "datasets": ["SED2"]}
    other = load_run({**config, "detectors": ["rbd"], "refiners": list(rows), "protocols": ["pysod"]})
    assert list(swept(SWEEP, other).values()) == [{1.0: "lps", 2.0: "t2"}, {2.0: "near2", 3.0: "near3"}]


def test_a_line_goes_from_the_prior_over_every_value_in_order(run: Run) -> None:
    score(run)
    found = list(lines(SWEEP, run))
    assert len(found) == 2 * 2 * 2
    assert {(line.x, line.y) for line in found} == {((0, 1, 2, 5), (0.9, 0.2, 0.5, 0.0))}


def test_a_sweep_of_nothing_and_scores_that_are_missing_are_refused(run: Run) -> None:
    with pytest.raises(DataError, match="no refiners of type 'mirm' that differ in 'theta_fg' alone"):
        draw(SweepOptions("mirm", "theta_fg", ("MAE",)), run, "")
    with pytest.raises(DataError, match="scores of a cell are missing"):
        draw(SWEEP, run, "")
    score(run)
    with pytest.raises(DataError, match="no Em under protocol 'pysod'"):
        draw(SweepOptions("lps", "iterations", ("Em",)), run, "")


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
    assert np.isnan(figure.axes[0].lines[0].get_ydata()[1])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["RBD", "MB+"]
    with pytest.raises(DataError, match="no lines"):
        lines_figure([], "T")
