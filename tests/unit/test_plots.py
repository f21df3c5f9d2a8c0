"""Figures: what is drawn, how it looks, and that the same input gives the same bytes."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from sodlift.errors import DataError
from sodlift.plots.curves import Curve, curves_figure
from sodlift.plots.gallery import GalleryRow, gallery, save_gallery
from sodlift.plots.style import COLOURS, colours, save_figure


def curve(folder: Path, dataset: str, detector: str, refiner: str | None, level: float = 0.8) -> Curve:
    """A curve whose precision falls from ``level`` to the prior 0.2 as the threshold falls and recall grows to 1."""
    recall = np.linspace(1.0, 0.3, 256)
    precision = np.where(recall == 1.0, 0.2, level - 0.3 * recall**4)
    path = folder / f"{dataset}_{detector}_{refiner}.npz"
    np.savez(path, **{"pysod/P": precision, "pysod/R": recall, "pysod/F": precision})
    return Curve(dataset, detector, refiner, path, "pysod")


@pytest.fixture
def curves(tmp_path: Path) -> list[Curve]:
    return [
        curve(tmp_path, dataset, detector, refiner, 0.7 + 0.1 * (refiner is not None))
        for dataset in ("ECSSD", "SED2")
        for detector in ("MB+", "RBD")
        for refiner in (None, "MIRM")
    ]


def test_one_panel_a_data_set_with_a_dashed_prior_and_a_solid_refined_curve_of_one_colour(curves: list[Curve]) -> None:
    figure = curves_figure(curves)
    assert [axes.get_title() for axes in figure.axes] == ["ECSSD", "SED2"]
    for axes in figure.axes:
        looks = [(to_hex(line.get_color()).upper(), line.is_dashed()) for line in axes.lines]
        assert looks == [(COLOURS[0], True), (COLOURS[1], True), (COLOURS[0], False), (COLOURS[1], False)]


def test_recall_is_on_the_x_axis_and_threshold_zero_is_not_drawn(curves: list[Curve]) -> None:
    axes = curves_figure(curves).axes[0]
    x, y = axes.lines[0].get_xdata(), axes.lines[0].get_ydata()
    assert len(x) == len(y) == 255
    assert max(x) < 1.0
    assert min(y) > 0.2
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("recall", "precision")


def test_f_is_drawn_over_the_threshold(curves: list[Curve]) -> None:
    axes = curves_figure(curves, "f_threshold").axes[0]
    x = axes.lines[0].get_xdata()
    assert len(x) == 255 and x[0] == 1 / 255 and x[-1] == 1.0
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_xlim()) == ("threshold", "F", (0.0, 1.0))


def test_axes_are_cropped_to_the_curves_alike_in_all_panels(curves: list[Curve]) -> None:
    figure = curves_figure(curves)
    assert {axes.get_xlim() for axes in figure.axes} == {(0.3, 1.0)}
    assert figure.axes[0].get_ylim() == pytest.approx((0.4, 0.8))
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def test_empty_end_of_a_curve_does_not_stretch_the_precision_axis(tmp_path: Path) -> None:
    one = curve(tmp_path, "ECSSD", "MB+", None)
    with np.load(one.npz) as stored:
        precision, recall = stored["pysod/P"].copy(), stored["pysod/R"].copy()
    precision[-1] = recall[-1] = 0.0
    np.savez(one.npz, **{"pysod/P": precision, "pysod/R": recall})
    assert curves_figure([one]).axes[0].get_ylim()[0] == pytest.approx(0.5)


def test_each_refiner_has_a_row_of_panels_with_the_priors(tmp_path: Path) -> None:
    curves = [curve(tmp_path, d, "RBD", r) for d in ("ECSSD", "SED2") for r in (None, "MIRM", "DenseCRF")]
    figure = curves_figure(curves)
    assert [axes.get_title() for axes in figure.axes] == [
        "ECSSD\nMIRM",
        "SED2\nMIRM",
        "ECSSD\nDenseCRF",
        "SED2\nDenseCRF",
    ]
    assert [len(axes.lines) for axes in figure.axes] == [2, 2, 2, 2]


def test_priors_alone_are_solid_and_the_legend_names_them_only(tmp_path: Path) -> None:
    figure = curves_figure([curve(tmp_path, "ECSSD", "RBD", None)])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["RBD"]
    assert not figure.axes[0].lines[0].is_dashed()


def test_beyond_the_palette_colours_come_again_with_markers_and_the_legend_has_columns(tmp_path: Path) -> None:
    names = [f"detector {i}" for i in range(len(COLOURS) + 8)]
    figure = curves_figure([curve(tmp_path, "ECSSD", name, None) for name in names])
    drawn = {(line.get_color(), line.get_marker()) for line in figure.axes[0].lines}
    entries = {(line.get_color(), line.get_marker()) for line in figure.legends[0].get_lines()}
    assert len(drawn) == len(names) and drawn == entries
    save_figure(figure, tmp_path / "pr")
    assert figure.legends[0].get_window_extent().height <= figure.bbox.height
    assert figure.axes[0].get_window_extent().width > 200


def test_legend_stands_outside_and_names_detectors_and_line_styles(curves: list[Curve], tmp_path: Path) -> None:
    figure = curves_figure(curves)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["MB+", "RBD", " ", "prior", "MIRM"]
    save_figure(figure, tmp_path / "pr")
    legend = figure.legends[0].get_window_extent()
    assert all(not legend.overlaps(axes.get_window_extent()) for axes in figure.axes)


def test_five_data_sets_take_two_rows_and_the_empty_places_are_hidden(tmp_path: Path) -> None:
    figure = curves_figure([curve(tmp_path, f"set {i}", "RBD", None) for i in range(5)])
    assert [axes.get_visible() for axes in figure.axes] == [True] * 5 + [False] * 3


def test_figure_is_written_as_pdf_and_png_with_the_same_bytes_each_time(curves: list[Curve], tmp_path: Path) -> None:
    first = save_figure(curves_figure(curves), tmp_path / "one" / "pr_curves")
    with mpl.rc_context({"font.size": 20, "axes.grid": False, "savefig.dpi": 50}):  # a user's own settings
        second = save_figure(curves_figure(curves), tmp_path / "two" / "pr_curves")
    assert [path.name for path in first] == ["pr_curves.pdf", "pr_curves.png"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert b"CreationDate" not in first[0].read_bytes()
    assert "Software" not in Image.open(first[1]).info
    assert len(list((tmp_path / "one").iterdir())) == 2


def test_missing_curves_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.npz"):
        curves_figure([Curve("ECSSD", "RBD", None, tmp_path / "gone.npz", "pysod")])
    one = curve(tmp_path, "ECSSD", "RBD", None)
    with pytest.raises(DataError, match="no curve lps/R"):
        curves_figure([Curve("ECSSD", "RBD", None, one.npz, "lps")])
    with pytest.raises(DataError, match="no curves"):
        curves_figure([])


def test_palette_is_distinct_and_comes_again_beyond_its_end() -> None:
    assert len(set(COLOURS)) == len(COLOURS)
    assert colours(len(COLOURS) + 1)[-1] == COLOURS[0]


# ---- gallery


@pytest.fixture
def rows() -> list[GalleryRow]:
    image = np.full((30, 40, 3), (200, 30, 30), np.uint8)
    mask = np.zeros((30, 40), bool)
    mask[10:20, 10:30] = True
    prior = np.full((30, 40), 0.5, np.float32)
    return [
        GalleryRow("0001\nRBD", (image, mask, prior, None), ("", "", "MAE .5", "")),
        GalleryRow("0002", (image, mask, prior, prior)),
    ]


def test_gallery_shows_each_panel_in_its_place(rows: list[GalleryRow]) -> None:
    sheet = gallery(rows, ("image", "ground truth", "prior", "refined"), cell=(80, 60))
    assert (sheet.ndim, sheet.shape[2], sheet.dtype) == (3, 3, np.uint8)
    lead = sheet.shape[1] - 4 * (80 + 6)
    top = 13 + 5 + 6
    centres = [sheet[top + 30, lead + c * 86 + 40].tolist() for c in range(4)]
    assert centres == [[200, 30, 30], [255, 255, 255], [128, 128, 128], [255, 255, 255]]
    assert sheet[top + 5, lead + 86 + 5].tolist() == [0, 0, 0]  # background of the mask


def test_gallery_keeps_the_aspect_of_a_panel() -> None:
    tall = np.zeros((100, 20), np.float32)
    sheet = gallery([GalleryRow("a", (tall,))], ("map",), cell=(80, 60))
    lead = sheet.shape[1] - 86
    black = (sheet[24 + 30, lead : lead + 80] == 0).all(axis=1)
    assert black.sum() == 12 - 2  # 12 pixels wide, with a frame


def test_gallery_is_written_with_the_same_bytes_each_time(rows: list[GalleryRow], tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save_gallery(gallery(rows, ("image", "ground truth", "prior", "refined")), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_gallery_refuses_rows_that_do_not_fit_its_columns(rows: list[GalleryRow]) -> None:
    with pytest.raises(DataError, match="has 4 panels"):
        gallery(rows, ("image", "ground truth"))
    with pytest.raises(DataError, match="no rows"):
        gallery([], ("image",))
