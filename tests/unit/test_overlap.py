"""IoU, Dice and balanced error rate, per image and pooled, worked out by hand."""

import numpy as np
import pytest

from sodlift.arrays import Grey
from sodlift.metrics._base import Means
from sodlift.metrics._pair import Choices, GroundTruth, Pair, Thresholds, prepare
from sodlift.metrics.overlap import (
    METRIC,
    Confusion,
    balanced_error_rate,
    confusion,
    dice,
    f_of_counts,
    iou,
    iou_curve,
    precision,
    recall,
)

NOTHING, EVERYTHING, HALF = np.zeros((4, 6), int), np.ones((4, 6), int), np.repeat([[1, 1, 1, 0, 0, 0]], 4, axis=0)


def pair_of(values, mask, norm="none", **thresholds) -> Pair:
    grey = Grey(np.array(values, np.uint8, ndmin=2), 255.0)
    return prepare(grey, GroundTruth(np.array(mask, bool, ndmin=2)), Choices(norm, Thresholds(**thresholds)))


def dataset(*pairs: Pair) -> dict[str, float]:
    means = Means()
    for pair in pairs:
        means.add(METRIC.update(METRIC.format(pair)))
    return METRIC.compute(means)


def image(values, mask) -> dict[str, float]:
    return dict(METRIC.update(METRIC.format(pair_of(values, mask))).values)


def test_the_map_is_binary_above_one_half_and_not_at_it():
    # 127 and 128 lie around 127.5; a float map can be one half itself
    assert pair_of([127, 128, 255], [1, 1, 1]).half.tp.tolist() == [2]
    exact = prepare(Grey(np.array([[0.0, 0.5, 0.6, 1.0]]), 1.0), GroundTruth(np.ones((1, 4), bool)))
    assert confusion(exact.half) == Confusion(2, 0, 2, 0)


def test_normalisation_comes_before_one_half():
    assert image([0, 40, 60, 100], [0, 0, 1, 1])["IoU"] == 0
    assert METRIC.update(METRIC.format(pair_of([0, 40, 60, 100], [0, 0, 1, 1], "minmax"))).values["IoU"] == 1


def test_measures_of_one_image_are_those_of_its_counts():
    # 3 right, 1 too many, 2 missed, 4 right outside
    values = [255] * 4 + [0] * 6
    mask = [1, 1, 1, 0, 1, 1, 0, 0, 0, 0]
    assert confusion(pair_of(values, mask).half) == Confusion(3, 1, 2, 4)
    assert image(values, mask) == pytest.approx({"IoU": 3 / 6, "Dice": 6 / 9, "BER": 1 - (3 / 5 + 4 / 5) / 2})


def test_precision_recall_and_f_of_counts_are_of_the_same_binary_map():
    counts = Confusion(3, 1, 2, 4)
    p, r = precision(counts), recall(counts)
    assert (p, r) == (3 / 4, 3 / 5)
    assert f_of_counts(counts) == pytest.approx(1.3 * p * r / (0.3 * p + r))


def test_dice_is_a_function_of_iou():
    for counts in (Confusion(3, 1, 2, 4), Confusion(1, 0, 7, 0), Confusion(5, 9, 0, 3)):
        assert dice(counts) == pytest.approx(2 * iou(counts) / (1 + iou(counts)))


@pytest.mark.parametrize(
    ("predicted", "mask", "expected"),
    [
        (NOTHING, NOTHING, (0, 0, 0.5)),  # right, and yet 0/0: the reference counts it 0
        (NOTHING, EVERYTHING, (0, 0, 1)),
        (EVERYTHING, NOTHING, (0, 0, 1)),
        (EVERYTHING, EVERYTHING, (1, 1, 0.5)),
        (HALF, HALF, (1, 1, 0)),
        (1 - HALF, HALF, (0, 0, 1)),
        (EVERYTHING, HALF, (1 / 2, 2 / 3, 1 / 2)),
        (NOTHING, HALF, (0, 0, 1 / 2)),
    ],
)
def test_ratios_of_nothing_count_zero(predicted, mask, expected):
    assert tuple(image(predicted * 255, mask).values()) == pytest.approx(expected)


@pytest.mark.parametrize("measure", [precision, recall, f_of_counts, iou, dice])
def test_counts_of_nothing_have_a_value(measure):
    assert measure(Confusion(0, 0, 0, 0)) == 0
    assert balanced_error_rate(Confusion(0, 0, 0, 0)) == 1


def test_pooled_numbers_weigh_pixels_where_means_weigh_images():
    small = pair_of([255, 0], [1, 0])
    large = pair_of([255] * 2 + [0] * 8, [0] * 2 + [1] * 4 + [0] * 4)
    found = dataset(small, large)
    # together: TP 1, FP 2, FN 4, TN 5
    assert found["IoU"] == pytest.approx((1 + 0) / 2)
    assert found["IoU_pooled"] == pytest.approx(1 / 7)
    assert found["Dice_pooled"] == pytest.approx(2 / 8)
    assert found["BER"] == pytest.approx((0 + 1 - 0.5 * 4 / 6) / 2)
    assert found["BER_pooled"] == pytest.approx(1 - (1 / 5 + 5 / 7) / 2)
    assert found["F_pooled"] == pytest.approx(1.3 * (1 / 3) * (1 / 5) / (0.3 / 3 + 1 / 5))


def test_the_curve_of_iou_falls_apart_at_each_grey_value():
    curve = iou_curve(pair_of([200, 100, 50, 0], [1, 1, 0, 0]).curve)
    assert curve[[0, 1, 50, 51, 100, 101, 200, 201, 255]] == pytest.approx([1 / 2, 2 / 3, 2 / 3, 1, 1, 0.5, 0.5, 0, 0])


def test_max_and_mean_iou_are_of_the_mean_curve():
    # each map is perfect at thresholds that ruin the other
    low, high = pair_of([10, 0, 0, 0], [1, 0, 0, 0]), pair_of([255, 200, 200, 200], [1, 0, 0, 0])
    found = dataset(low, high)
    assert found["maxIoU"] == pytest.approx((1 + 1 / 4) / 2)
    # low is perfect at 1..10 and nothing above; high is perfect at 201..255
    assert found["meanIoU"] == pytest.approx((1 / 4 + 10 + 201 / 4 + 55) / 2 / 256)


def test_the_curve_follows_the_thresholds_of_the_protocol():
    curve = iou_curve(pair_of([255, 0, 0, 0], [1, 0, 0, 0], count=21, comparison="gt").curve)
    assert curve.tolist() == [1] * 20 + [0]  # strictly above the last threshold there is nothing


def test_a_protocol_may_leave_images_without_foreground_undefined():
    special = prepare(
        Grey(np.zeros((3, 3), np.uint8), 255.0), GroundTruth(np.zeros((3, 3))), Choices(empty_gt="special")
    )
    assert METRIC.score(special) is None
