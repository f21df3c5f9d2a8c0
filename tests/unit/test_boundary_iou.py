"""Boundary IoU on masks whose boundary is known, and its invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from sodlift.metrics._pair import GroundTruth
from sodlift.metrics.boundary_iou import boundary, boundary_iou, boundary_width

exact = settings(deadline=None, derandomize=True)


def rectangle(top, bottom, left, right, shape=(40, 50)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


@pytest.mark.parametrize(
    ("shape", "width"),
    [((1, 1), 1), ((30, 40), 1), ((45, 60), 2), ((75, 100), 2), ((300, 400), 10), ((700, 500), 17)],
)
def test_the_width_is_two_percent_of_the_diagonal_and_at_least_one(shape, width):
    # 75 x 100 gives 2.5, which rounds to even
    assert boundary_width(*shape) == width


def test_the_boundary_of_a_rectangle_is_its_frame():
    frame = rectangle(10, 30, 12, 40) & ~rectangle(11, 29, 13, 39)
    assert np.array_equal(boundary(rectangle(10, 30, 12, 40)), frame)


def test_the_border_of_the_image_counts_as_contour():
    full = np.ones((40, 50), bool)
    assert np.array_equal(boundary(full), ~rectangle(1, 39, 1, 49))


def test_thin_masks_are_all_boundary():
    mask = rectangle(10, 12, 5, 45)
    assert np.array_equal(boundary(mask), mask)


@exact
@given(hnp.arrays(bool, st.tuples(st.integers(1, 30), st.integers(1, 150)), elements=st.integers(0, 9).map(bool)))
def test_one_erosion_by_a_large_square_is_many_by_a_small_one(mask):
    eroded = ndimage.binary_erosion(mask, np.ones((3, 3)), iterations=boundary_width(*mask.shape))
    assert np.array_equal(boundary(mask), mask & ~eroded)


def test_a_shift_costs_more_at_the_boundary_than_inside():
    mask, shifted = rectangle(10, 30, 10, 30), rectangle(10, 30, 11, 31)
    # frames of 20 x 20 have 76 pixels; each shares its two long sides but for their ends, and no upright one
    assert boundary_iou(shifted, GroundTruth(mask)) == pytest.approx(38 / (2 * 76 - 38))
    assert boundary_iou(shifted, GroundTruth(mask)) < np.sum(mask & shifted) / np.sum(mask | shifted)


def test_errors_far_inside_do_not_count():
    mask = rectangle(5, 35, 5, 45)
    assert boundary_iou(mask, GroundTruth(mask)) == 1
    hole = mask & ~rectangle(15, 25, 15, 35)
    rim = 2 * (12 + 20)  # a hole has a boundary of its own, around it
    frame = 2 * (30 + 38)
    assert boundary_iou(hole, GroundTruth(mask)) == pytest.approx(frame / (frame + rim))


def test_disjoint_masks_and_missing_ones_score_zero():
    mask, nothing = rectangle(5, 15, 5, 15), np.zeros((40, 50), bool)
    assert boundary_iou(~mask, GroundTruth(mask)) == 0
    assert boundary_iou(nothing, GroundTruth(mask)) == 0
    assert boundary_iou(mask, GroundTruth(nothing)) == 0


def test_nothing_predicted_of_nothing_scores_zero_as_iou_does():
    nothing = np.zeros((6, 7), bool)
    assert boundary_iou(nothing, GroundTruth(nothing)) == 0


@exact
@given(st.data(), st.tuples(st.integers(1, 20), st.integers(1, 20)))
def test_flips_transposes_and_exchange_change_nothing(data, shape):
    a, b = (data.draw(hnp.arrays(bool, shape)) for _ in range(2))
    score = boundary_iou(a, GroundTruth(b))
    assert 0 <= score <= 1
    assert boundary_iou(b, GroundTruth(a)) == score
    for turn in (np.flipud, np.fliplr, np.transpose):
        assert boundary_iou(turn(a), GroundTruth(turn(b))) == score


def test_the_boundary_of_a_ground_truth_is_found_once():
    truth = GroundTruth(rectangle(5, 15, 5, 15))
    boundary_iou(truth.mask, truth)
    found = truth.part(boundary)
    boundary_iou(~truth.mask, truth)
    assert truth.part(boundary) is found
