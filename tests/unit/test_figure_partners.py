"""Pages of partners: which images are shown beside which pool, what goes where, and how it is drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pool_samples
import pytest
from figure_samples import run_of
from matplotlib.axes import Axes

from sodlift.alignment.linking import Links
from sodlift.arrays import read_image
from sodlift.config.run import Run
from sodlift.datasets.manifest import Manifest
from sodlift.errors import DataError, SodliftError
from sodlift.figures.partners import FIGURE, PartnersOptions, draw, linked_places, rows, shown
from sodlift.options import build
from sodlift.plots.partners import Picture, coloured, partners_figure, place_colours
from sodlift.plots.style import save_figure
from sodlift.pools.similar.aligned import AlignedSet

POOL = "similar_demo"
"""The pool of the refiner mijr_smoke: images of demo-train."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with a refiner that has a pool; three images are aligned with a pool of four."""
    folder = tmp_path_factory.mktemp("partners")
    made = run_of(folder, {}, datasets=["demo-test"], detectors=["mb_plus"], refiners=["mijr_smoke"])
    for name, count, first in (("demo-train", 4, 0), ("demo-test", 3, 10)):
        manifest, _ = pool_samples.dataset(folder / name, count, name, first)
        (made.results / "datasets" / name).mkdir(parents=True)
        manifest.save(made.results / "datasets" / name / "manifest.csv")
        if name == "demo-train":
            (made.results / "pools").mkdir()
            pool_samples.pool(made.results / "pools" / POOL, manifest)
        else:
            (made.results / "aligned" / name).mkdir(parents=True)
            pool_samples.aligned(made.results / "aligned" / name / POOL, manifest, made.results / "pools" / POOL)
    return made


def drawn(axes: Axes) -> np.ndarray:  # type: ignore[type-arg]
    """The one picture of axes."""
    (image,) = axes.get_images()
    return np.asarray(image.get_array())


# ---- which images, which pool


def test_the_first_test_set_is_shown_beside_the_pool_of_the_first_refiner_that_has_one(run: Run) -> None:
    results = run.results
    assert FIGURE.inputs(PartnersOptions(), run) == {
        "manifest": results / "datasets" / "demo-test" / "manifest.csv",
        "pool": results / "pools" / POOL,
        "aligned": results / "aligned" / "demo-test" / POOL,
    }
    assert FIGURE.inputs(PartnersOptions("demo-train", POOL), run)["aligned"] == results / "aligned/demo-train" / POOL


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (PartnersOptions(dataset="demo-tset"), "unknown data set 'demo-tset'(.|\n)*did you mean 'demo-test'"),
        (PartnersOptions(pool="similar_dome"), "unknown pool 'similar_dome'(.|\n)*did you mean 'similar_demo'"),
        (PartnersOptions(dataset="ECSSD"), "does not use the figure's data set 'ECSSD'(.|\n)*demo-test, demo-train"),
        (PartnersOptions(pool="similar_ecssd"), "does not use the figure's pool 'similar_ecssd'(.|\n)*similar_demo"),
    ],
)
def test_what_the_run_does_not_use_is_refused_with_what_it_does(
    run: Run, options: PartnersOptions, message: str
) -> None:
    with pytest.raises(SodliftError, match=message):
        FIGURE.inputs(options, run)


def test_a_run_without_a_pool_has_nothing_to_show(tmp_path: Path) -> None:
    bare = run_of(tmp_path, {}, refiners=["densecrf_dss"])
    with pytest.raises(DataError, match=r"the run has no pool(.|\n)*add a refiner with a `pool`"):
        FIGURE.inputs(PartnersOptions(), bare)
    with pytest.raises(DataError, match="does not use the figure's pool 'similar_demo'"):
        FIGURE.inputs(PartnersOptions(pool=POOL), bare)


def test_images_are_named_or_spread_evenly_over_the_data_set(tmp_path: Path) -> None:
    manifest, _ = pool_samples.dataset(tmp_path / "data", 7)
    assert shown(PartnersOptions(count=3), manifest) == ("00", "03", "06")
    assert shown(PartnersOptions(count=1), manifest) == ("00",)
    assert shown(PartnersOptions(count=20), manifest) == manifest.stems
    assert shown(build(PartnersOptions, {"stems": ["05", "01"]}, ""), manifest) == ("05", "01")
    with pytest.raises(DataError, match=r"no image '7'(.|\n)*data set 'scenes'"):
        shown(PartnersOptions(stems=("05", "7")), manifest)


# ---- what goes where


def test_a_row_is_the_image_and_its_partners_in_order_with_their_distances(run: Run) -> None:
    aligned = AlignedSet(run.results / "aligned" / "demo-test" / POOL)
    manifest = Manifest.load(run.results / "datasets" / "demo-test" / "manifest.csv")
    found = list(rows(PartnersOptions(count=2), run))
    assert [row[0].caption for row in found] == ["00", "02"]
    for row, entry in zip(found, manifest.entries[::2], strict=True):
        partners = aligned.of(entry.stem).partners
        names = [p.similar.stem.removeprefix("demo-train/") for p in partners]
        distances = [f"{p.similar.distance:.3f}" for p in partners]
        assert [p.caption for p in row[1:]] == [f"{a}: {b}" for a, b in zip(names, distances, strict=True)]
        np.testing.assert_array_equal(row[0].image, read_image(entry.image))
        assert all(p.superpixels.shape == p.image.shape[:2] for p in row)
        assert all(len(p.places) == p.superpixels.max() + 1 for p in row)
        assert all(len(p.boxes) == 0 for p in row)


def test_every_colour_of_a_partner_is_one_of_the_image(run: Run) -> None:
    image, *partners = next(rows(PartnersOptions(), run))
    assert not np.isnan(image.places).any()
    known = {tuple(place) for place in image.places}
    for partner in partners:
        linked = partner.places[~np.isnan(partner.places[:, 0])]
        assert 0 < len(linked) < len(partner.places) + 1
        assert {tuple(place) for place in linked} <= known


def test_a_superpixel_has_the_place_of_the_cheapest_that_is_linked_to_it() -> None:
    places = np.array([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3], [0.4, 0.4]])
    partner = np.array([[2, 0], [2, 0], [0, 1], [-1, -1]], np.int32)
    cost = np.array([[0.5, 9], [0.1, 9], [0.7, 9], [np.inf, np.inf]], np.float32)
    expected = [[0.3, 0.3], [np.nan, np.nan], [0.2, 0.2]]
    np.testing.assert_array_equal(linked_places(places, Links(partner, cost), 3), expected)


def test_boxes_that_count_most_are_shares_of_the_image(run: Run) -> None:
    scene = AlignedSet(run.results / "aligned" / "demo-test" / POOL).of("00").scene
    found = next(rows(PartnersOptions(proposals=1), run))[0].boxes
    best = scene.proposals.boxes[scene.members.worth.argmax()]
    np.testing.assert_allclose(found * (200, 150, 200, 150), best[None])


# ---- how it is drawn


def halves(places: list[list[float]], shade: int = 128, boxes: int = 0) -> Picture:
    """A grey picture of two superpixels, left and right."""
    labels = np.repeat([[0, 1]], 60, axis=0).repeat(40, axis=1).astype(np.int32)
    image = np.full((60, 80, 3), shade, np.uint8)
    return Picture("halves", image, labels, np.array(places), np.tile([0.25, 0.5, 0.5, 0.25], (boxes, 1)))


def test_places_have_colours_of_their_own_and_none_has_none() -> None:
    corners = place_colours(np.array([[0.0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5], [np.nan, np.nan]]))
    apart = np.linalg.norm(corners[:4, None] - corners[None, :4], axis=2)
    assert apart[~np.eye(4, dtype=bool)].min() > 0.5
    np.testing.assert_allclose(corners[4], corners[:4].mean(axis=0))
    assert np.isnan(corners[5]).all()


def test_what_has_no_place_is_faded_and_what_has_one_keeps_its_colour_whatever_the_photograph() -> None:
    bright, dark = (coloured(halves([[0.9, 0.1], [np.nan, np.nan]], shade)).astype(float) for shade in (250, 5))
    middle, left, right = bright.shape[0] // 2, 10, -10
    np.testing.assert_allclose(
        bright[middle, left] / bright[middle, left].max(), dark[middle, left] / dark[middle, left].max(), atol=0.02
    )
    assert np.ptp(bright[middle, right]) == 0
    assert np.ptp(dark[middle, right]) == 0
    assert bright[middle, right, 0] > dark[middle, right, 0] > 128


def test_photographs_stand_above_colours_the_first_with_outlines_and_all_with_boxes() -> None:
    picture = halves([[0, 0], [1, 1]], boxes=2)
    figure = partners_figure([[picture, picture], [picture]], "title")
    assert len(figure.axes) == 2 * 3
    first, below, partner = figure.axes[:3]
    assert first.get_position().y0 > below.get_position().y1
    assert partner.get_position().x0 > first.get_position().x1
    assert first.get_title() == "halves"
    assert (drawn(first) != 128).any()
    assert (drawn(partner) == 128).all()
    np.testing.assert_array_equal(drawn(below), coloured(picture))
    assert [len(axes.patches) for axes in figure.axes[:2]] == [2, 0]
    height, width = drawn(first).shape[:2]
    unit = first.patches[0].get_path().vertices  # a square, placed by its transform
    low, high = first.patches[0].get_patch_transform().transform(unit)[[0, 2]] + 0.5
    np.testing.assert_allclose([low, high], [(width / 4, height / 2), (3 * width / 4, 3 * height / 4)])
    with pytest.raises(DataError, match=r"no images"):
        partners_figure([])


def test_of_long_captions_the_end_is_shown_so_that_they_do_not_run_into_each_other() -> None:
    picture = replace(halves([[0, 0], [1, 1]]), caption="a_data_set/an_image_of_name_0123: 0.708")
    figure = partners_figure([[picture, picture]])
    figure.draw_without_rendering()
    assert figure.axes[0].get_title().endswith("name_0123: 0.708")
    first, second = (axes.title.get_window_extent() for axes in figure.axes[::2])
    assert first.x1 < second.x0


def test_the_page_names_data_set_and_pool_and_is_the_same_each_time(run: Run, tmp_path: Path) -> None:
    files = []
    for name in ("first", "second"):
        figure = draw(PartnersOptions(count=1, proposals=1), run, "Partners")
        files.append(save_figure(figure, tmp_path / name))
    text = figure.texts[0].get_text()
    assert text.startswith("Partners\n")
    assert run.dataset("demo-test").title in text
    assert run.pool(POOL).title in text
    assert [file.read_bytes() for file in files[0]] == [file.read_bytes() for file in files[1]]


def test_an_alignment_that_is_not_there_is_named(run: Run) -> None:
    with pytest.raises(DataError, match=r"not an alignment with a pool(.|\n)*demo-train"):
        draw(PartnersOptions(dataset="demo-train"), run, "")
