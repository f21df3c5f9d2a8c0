"""Figures as rows: what all types share, and which cells curves show."""

from pathlib import Path
from typing import Any

import pytest
from figure_samples import LPS, lps_at, run_of

from sodlift.config.registries import SHIPPED, read_rows
from sodlift.config.run import Run
from sodlift.errors import DataError, UnknownNameError
from sodlift.figures import FIGURES
from sodlift.figures.curves import CurvesOptions, chosen
from sodlift.options import build
from sodlift.problems import ConfigProblems


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two priors of two data sets under LPS with 1, 2 and 5 iterations, of two seeds, and under a CRF."""
    rows = {"lps": LPS, "t2": lps_at(2), "t5": lps_at(5)}
    return run_of(tmp_path, {"refiners": rows}, refiners=["t5", "lps", "densecrf_dss", "t2"], seeds=[1, 2])


@pytest.mark.parametrize("name", FIGURES.names())
def test_a_type_says_what_it_shows_and_every_option_is_documented(name: str, repository: Path) -> None:
    kind = FIGURES.get(name)
    assert kind.title and callable(kind.draw)
    told = "".join(cls.__doc__ or "" for cls in kind.options.__mro__)
    page = (repository / "docs" / "figures.md").read_text()
    for option in kind.options.__dataclass_fields__:
        assert f"    {option} : " in told
        assert f"| `{option}` |" in page


def test_every_shipped_row_is_right() -> None:
    problems: list[Any] = []
    rows = read_rows("figures", [], problems).rows
    assert not problems
    assert {row.type for row in rows.values()} == set(FIGURES.names())
    assert {"lps_fig5", "lps_fig6_pr", "lps_fig6_f", "a2s_fig9", "arn_fig5", "arn_fig6"} <= set(rows)
    assert {"mijr_fig9_pr", "mijr_fig9_f", "mijr_fig10", "mijr_fig11", "mijr_partners"} <= set(rows)
    protocols = {getattr(row.options, "protocol", "") for row in rows.values()} - {""}
    assert all((SHIPPED / "protocols" / f"{name}.yaml").is_file() for name in protocols)


@pytest.mark.parametrize("name", sorted(set(FIGURES.names()) - {"partners"}))
def test_a_figure_of_scores_is_drawn_of_those_of_every_cell(name: str, run: Run) -> None:
    files = FIGURES.get(name).inputs(None, run)
    cells = [(dataset, detector) for dataset in ("SED2", "PASCAL-S-108") for detector in ("rbd", "mb_plus")]
    refiners = ["none", *(f"{name}{seed}" for name in ("t5", "lps", "t2") for seed in ("", "@2")), "densecrf_dss"]
    wanted = {run.results.joinpath("evaluation", *cell, r, "scores.json") for cell in cells for r in refiners}
    assert set(files["scores"]) == wanted  # type: ignore[arg-type]
    assert list(files) == ["scores"]


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


def test_all_refiners_can_be_left_out(run: Run) -> None:
    found = chosen(CurvesOptions(types=("none",)), run)
    assert [(curve.dataset, curve.detector, curve.refiner) for curve in found] == [
        (dataset, detector, None) for dataset in ("SED2", "PASCAL-S (108)") for detector in ("RBD", "MB+")
    ]


def test_named_detectors_are_drawn_in_their_order_as_far_as_the_run_has_them(run: Run) -> None:
    asked = CurvesOptions(types=("none",), detectors=("mb_plus", "DSS", "rbd"))
    assert [curve.detector for curve in chosen(asked, run)] == ["MB+", "RBD"] * 2
    with pytest.raises(DataError, match="has none of the figure's detectors: DSS, Amulet"):
        chosen(CurvesOptions(detectors=("DSS", "Amulet")), run)
    with pytest.raises(UnknownNameError, match="did you mean 'mb_plus'"):
        chosen(CurvesOptions(detectors=("rbd", "mb_pluss")), run)


def test_named_refiners_are_drawn_in_their_order_as_far_as_the_run_has_them(run: Run) -> None:
    asked = CurvesOptions(refiners=("t2", "t3", "lps"), detectors=("rbd",))
    assert [curve.refiner for curve in chosen(asked, run)] == [None, "LPS 2", "LPS"] * 2
    assert asked.refiners_of(run) == CurvesOptions(refiners=asked.refiners, types=("lps",)).refiners_of(run)
    assert CurvesOptions(refiners=("t2", "densecrf_dss"), types=("densecrf",)).refiners_of(run)[1:] == ("densecrf_dss",)
    with pytest.raises(DataError, match="has none of the figure's refiners: t3, t4"):
        chosen(CurvesOptions(refiners=("t3", "t4")), run)


@pytest.mark.parametrize(
    ("kind", "options", "where", "mend"),
    [
        ("curves", {"types": ["lsp"]}, "types", "'lps'"),
        ("curves", {"types": ["unrefined"]}, "types", None),
        ("bars", {"metrics": ["maxF", "maxf_PR"]}, "metrics", "'maxF_PR'"),
        ("bars", {"metrics": []}, "metrics", None),
        ("bars", {"metrics": ["MAE"], "bar": "metrics"}, "bar", "'metric'"),
        ("partners", {"count": 0}, "count", None),
        ("partners", {"proposals": -1}, "proposals", None),
        ("sweep", {"type": "a2s_label", "option": "alpha", "metrics": ["MAE"]}, "type", "'a2s_labels'"),
        ("sweep", {"type": "a2s_labels", "option": "alhpa", "metrics": ["MAE"]}, "option", "'alpha'"),
        ("sweep", {"type": "arn", "option": "recipe.stepz", "metrics": ["MAE"]}, "option", "'recipe.steps'"),
        ("sweep", {"type": "arn", "option": "recipe", "metrics": ["MAE"]}, "option", None),
        ("sweep", {"type": "lps", "option": "iterations", "metrics": ["MEA"]}, "metrics", "'MAE'"),
        ("sweep", {"type": "lps", "option": "iterations", "metrics": []}, "metrics", None),
        ("sweep", {"type": "arn", "option": "width", "metrics": ["MAE"], "prior_at": 0}, "prior_at", "remove"),
        ("sweep", {"type": "lps", "option": "grid", "metrics": ["MAE"], "types": ["lps"]}, "types", "remove"),
    ],
)
def test_names_that_do_not_exist_are_refused_when_the_row_is_read(
    kind: str, options: dict[str, Any], where: str, mend: str | None
) -> None:
    with pytest.raises(ConfigProblems) as caught:
        build(FIGURES.get(kind).options, options, "options")
    (problem,) = caught.value.problems
    assert problem.path == f"options.{where}"
    assert mend is None or mend in problem.mend
