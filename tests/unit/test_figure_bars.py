"""Bars: what one is, where it stands, how long it is, and what is refused."""

from itertools import pairwise
from pathlib import Path

import pytest
from figure_samples import run_of, score_cells
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from sodlift.config.run import Run
from sodlift.errors import DataError
from sodlift.figures.bars import BarsOptions, bars, draw
from sodlift.plots.bars import Bar, bars_figure
from sodlift.plots.style import COLOURS, save_figure


def lengths(axes: Axes) -> list[float]:
    """The bars of a panel from the top."""
    return [patch.get_width() for patch in sorted(axes.patches, key=lambda patch: patch.get_y())]


def values(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def some(panels: int = 1, datasets: int = 2, groups: int = 3, names: int = 2) -> list[Bar]:
    """Bars whose lengths tell their group and name: .10, .11, .20, .21, ..."""
    return [
        Bar(f"panel {p}", f"set {d}", f"group {g}", f"name {n}", (g + 1) / 10 + n / 100)
        for p in range(panels)
        for d in range(datasets)
        for g in range(groups)
        for n in range(names)
    ]


def test_a_panel_a_data_set_with_groups_of_bars_from_the_top_and_their_values() -> None:
    figure = bars_figure(some(), "title")
    assert [axes.get_title() for axes in figure.axes] == ["set 0", "set 1"]
    for axes in figure.axes:
        assert lengths(axes) == pytest.approx([0.1, 0.11, 0.2, 0.21, 0.3, 0.31])
        assert values(axes) == [".100", ".110", ".200", ".210", ".300", ".310"]
        assert [to_hex(patch.get_facecolor()).upper() for patch in axes.patches] == [COLOURS[0], COLOURS[1]] * 3
        assert axes.get_xlim()[0] == 0 and axes.get_xlim()[1] > 0.31
        assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["group 0", "group 1", "group 2"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["name 0", "name 1"]
    assert figure.get_suptitle() == "title: panel 0"


def test_bars_of_a_group_touch_and_groups_do_not() -> None:
    boxes = sorted((patch.get_y(), patch.get_y() + patch.get_height()) for patch in bars_figure(some()).axes[0].patches)
    gaps = [after[0] - before[1] for before, after in pairwise(boxes)]
    assert gaps[::2] == pytest.approx([0, 0, 0])
    assert min(gaps[1::2]) > 0.1


def test_panels_of_several_kinds_have_rows_and_scales_of_their_own() -> None:
    drawn = [Bar("MAE", *(bar.dataset, bar.group, bar.name), (bar.value or 0) / 10) for bar in some(datasets=3)]
    figure = bars_figure([*some(datasets=3), *drawn])
    assert [axes.get_title() for axes in figure.axes] == [
        f"set {d}\n{kind}" for kind in ("panel 0", "MAE") for d in (0, 1, 2)
    ]
    assert figure.axes[3].get_position().y0 < figure.axes[0].get_position().y0
    assert figure.axes[3].get_xlim()[1] == pytest.approx(figure.axes[0].get_xlim()[1] / 10)
    assert figure.get_suptitle() == ""


def test_few_panels_stand_side_by_side_and_many_of_one_kind_in_rows_of_four() -> None:
    heights = {axes.get_position().y0 for axes in bars_figure(some(panels=2)).axes}
    assert len(heights) == 1
    assert [axes.get_visible() for axes in bars_figure(some(datasets=5)).axes] == [True] * 5 + [False] * 3


def test_one_bar_a_group_needs_no_legend_and_is_named_in_the_heading() -> None:
    figure = bars_figure(some(names=1), "title")
    assert not figure.legends
    assert figure.get_suptitle() == "title: panel 0, name 0"
    nameless = [Bar("MAE", "SED2", "db1", "", 0.1), Bar("MAE", "SED2", "db2", "", 0.2)]
    assert bars_figure(nameless, "title").get_suptitle() == "title: MAE"


def test_a_score_that_does_not_exist_is_a_dash_and_a_bar_that_is_not_there_an_empty_place() -> None:
    figure = bars_figure([Bar("", "a", "x", "P", None), Bar("", "a", "y", "P", 1.0), Bar("", "b", "y", "P", 0.5)])
    assert values(figure.axes[0]) == ["–", "1.000"]
    assert values(figure.axes[1]) == [".500"]
    assert figure.axes[1].texts[0].xy[1] == figure.axes[0].texts[1].xy[1]  # type: ignore[attr-defined]
    assert bars_figure([Bar("", "a", "x", "P", None)]).axes[0].get_xlim() == (0, 1)


def test_twenty_groups_of_four_stay_apart_and_values_inside_their_panels() -> None:
    figure = bars_figure(some(datasets=4, groups=20, names=4), "title")
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes, size = [text.get_window_extent() for text in axes.texts], axes.texts[0].get_fontsize()
        steps = [before.y0 - after.y0 for before, after in pairwise(boxes)]
        assert min(steps) > size / 72 * figure.dpi
        assert max(box.x1 for box in boxes) <= axes.get_window_extent().x1
    legend = figure.legends[0].get_window_extent()
    assert all(not legend.overlaps(axes.get_window_extent()) for axes in figure.axes)


def test_the_same_bars_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (save_figure(bars_figure(some(), "title"), tmp_path / name) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_no_bars_and_two_in_one_place_are_refused() -> None:
    with pytest.raises(DataError, match="no bars"):
        bars_figure([])
    with pytest.raises(DataError, match="2 bars in one place: set 0, group 0, panel 0, name 0"):
        bars_figure([*some(), some()[0]])


# ---- of a run

CRF = "DenseCRF (DSS)"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two detectors of two data sets, without and with a CRF; scored .1 and .2."""
    made = run_of(tmp_path, {}, refiners=["densecrf_dss"], protocols=["pysod", "arn"])
    score_cells(made, lambda cell: 0.1 if cell.refiner == "none" else 0.2, ("P_maxF_PR", "R_maxF_PR", "maxF_PR"))
    return made


def test_a_bar_is_a_metric_with_panels_for_each_refiner(run: Run) -> None:
    found = list(bars(BarsOptions(metrics=("P_maxF_PR", "maxF_PR"), protocol="arn"), run))
    assert {(bar.panel, bar.value) for bar in found} == {("unrefined", 0.1), (CRF, 0.2)}
    assert list(dict.fromkeys(bar.name for bar in found)) == ["P at max F of mean PR", "max F of mean PR"]
    assert list(dict.fromkeys(bar.group for bar in found)) == ["RBD", "MB+"]
    assert len(found) == 2 * 2 * 2 * 2


def test_a_bar_is_a_refiner_with_panels_for_each_metric(run: Run) -> None:
    found = list(bars(BarsOptions(metrics=("maxF_PR",), bar="refiner"), run))
    assert {(bar.name, bar.value) for bar in found} == {("unrefined", 0.1), (CRF, 0.2)}
    assert {bar.panel for bar in found} == {"max F of mean PR"}


def test_without_refiners_nothing_is_called_unrefined(run: Run) -> None:
    options = BarsOptions(metrics=("P_maxF_PR", "R_maxF_PR", "maxF_PR"), types=("none",), detectors=("mb_plus",))
    found = list(bars(options, run))
    assert {(bar.panel, bar.group, bar.value) for bar in found} == {("", "MB+", 0.1)}
    assert draw(options, run, "ARN").get_suptitle() == "ARN"


def test_scores_that_are_missing_are_named(run: Run) -> None:
    with pytest.raises(DataError, match="no MAE under protocol 'pysod'"):
        draw(BarsOptions(metrics=("MAE",)), run, "")
