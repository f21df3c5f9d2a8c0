"""Human correction efforts on errors whose clicks can be counted by hand."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sodlift.errors import MissingDependencyError
from sodlift.metrics._pair import GroundTruth
from sodlift.metrics.hce import EPSILON, RELAX, clicks, human_correction_efforts, skeleton


def rectangle(top, bottom, left, right, shape=(80, 100)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


OBJECT = rectangle(20, 60, 20, 60)
NOTHING, EVERYTHING = np.zeros_like(OBJECT), np.ones_like(OBJECT)


def effort(predicted, mask=OBJECT, **tolerance) -> int:
    return human_correction_efforts(predicted, GroundTruth(mask), **tolerance)


def test_a_perfect_map_needs_no_click():
    for mask in (OBJECT, NOTHING, EVERYTHING):
        assert effort(mask, mask) == 0


def test_an_island_is_removed_by_one_click():
    island = rectangle(5, 17, 75, 90)
    assert effort(OBJECT | island) == 1
    assert effort(OBJECT | island | rectangle(65, 78, 75, 90)) == 2
    assert effort(island, NOTHING) == 1


def test_a_missing_part_within_the_object_is_filled_by_one_click():
    assert effort(OBJECT & ~rectangle(32, 48, 32, 48)) == 1


def test_a_missed_object_costs_the_corners_of_its_outline():
    # the tolerance cuts the corners of the square: eight of an octagon, and the first again
    assert effort(NOTHING) == 9


def test_a_surplus_costs_the_polygon_along_the_object_only():
    # twenty pixels attached to the right side: a straight line, two clicks
    assert effort(OBJECT | rectangle(30, 50, 60, 80)) == 2
    # around a corner of the object, three
    assert effort(OBJECT | rectangle(40, 75, 40, 75)) == 3


@pytest.mark.parametrize("width", range(1, 9))
def test_a_contour_that_is_off_by_the_tolerance_at_most_is_forgiven(width):
    swollen, shrunk = (rectangle(20 - by, 60 + by, 20 - by, 60 + by) for by in (width, -width))
    assert (effort(swollen) == 0) == (effort(shrunk) == 0) == (width <= RELAX)


def test_a_crack_inside_the_object_is_not_forgiven_however_thin():
    assert effort(OBJECT & ~rectangle(39, 40, 30, 50)) == 1


def test_a_smaller_tolerance_forgives_less():
    swollen = rectangle(17, 63, 17, 63)
    assert effort(swollen) == 0
    assert effort(swollen, relax=1) > 0


def test_a_thin_part_that_the_skeleton_runs_through_is_not_forgiven():
    # a branch of three pixels' width is thinner than the tolerance
    branch = rectangle(38, 41, 60, 90)
    assert skeleton(OBJECT | branch)[39, 70:85].all()
    assert effort(OBJECT, OBJECT | branch) > 0


def test_a_coarser_polygon_takes_fewer_clicks():
    y, x = np.mgrid[:80, :100]
    disc = (y - 40) ** 2 + (x - 50) ** 2 < 900
    counts = [effort(NOTHING[:80], disc, epsilon=epsilon) for epsilon in (0.5, 1.0, 2.0, 8.0)]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1] > 0


def test_the_same_error_costs_the_same_at_any_place():
    error = OBJECT | rectangle(30, 50, 60, 80)
    moved = [np.roll(a, (7, 11), (0, 1)) for a in (error, OBJECT)]
    assert effort(*moved) == effort(error)


def test_a_region_without_a_border_to_draw_is_one_click():
    assert clicks(NOTHING, EVERYTHING, EPSILON) == 0
    two = rectangle(5, 15, 5, 15) | rectangle(30, 50, 30, 50)
    assert clicks(two, NOTHING, EPSILON) == 2


def test_a_region_with_a_border_to_draw_is_not_counted_besides():
    region, beside = rectangle(5, 25, 5, 25), rectangle(5, 25, 25, 40)
    assert clicks(region, beside, EPSILON) == 2  # both ends of the straight side
    assert clicks(region | rectangle(50, 60, 50, 60), beside, EPSILON) == 3


def test_a_stretch_that_a_border_begins_and_ends_in_is_one():
    # borders are traced from the upper left, here in the middle of a straight side
    assert clicks(rectangle(20, 40, 20, 40), rectangle(0, 20, 0, 100), EPSILON) == 2


def test_around_the_corner_where_its_trace_begins_a_stretch_runs_backwards_as_the_authors_count_it():
    around = rectangle(0, 20, 0, 100) | rectangle(0, 30, 0, 20)
    assert clicks(rectangle(20, 40, 20, 40), around, EPSILON) == 4  # three corners, and a jump to the far end
    mirrored = [np.fliplr(a) for a in (rectangle(20, 40, 20, 40), around)]
    assert clicks(*mirrored, EPSILON) == 3


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.data(), st.tuples(st.integers(1, 30), st.integers(1, 30)))
def test_any_two_masks_have_a_count(data, shape):
    predicted, mask = (data.draw(hnp.arrays(bool, shape)) for _ in range(2))
    count = effort(predicted, mask)
    assert isinstance(count, int) and 0 <= count <= 2 * mask.size
    assert effort(mask, mask) == 0


def test_the_skeleton_of_a_ground_truth_is_found_once():
    truth = GroundTruth(OBJECT)
    human_correction_efforts(NOTHING, truth)
    found = truth.part(skeleton)
    human_correction_efforts(EVERYTHING, truth)
    assert truth.part(skeleton) is found and 0 < found.sum() < OBJECT.sum()


def test_without_its_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.morphology", None)
    with pytest.raises(MissingDependencyError, match=r"scikit-image[^$]*sodlift\[hce\]"):
        effort(NOTHING)
