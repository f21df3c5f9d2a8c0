"""Metrics on cases small enough to work out by hand, on degenerate maps, and their invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sodlift.arrays import Grey
from sodlift.metrics import METRICS, all_metrics, metrics_with
from sodlift.metrics._base import ImageScore, Means
from sodlift.metrics._pair import Choices, GroundTruth, Pair, Thresholds, prepare
from sodlift.metrics.f_measure import f_beta, precision_recall
from sodlift.metrics.weighted_f import importance

exact = settings(deadline=None, derandomize=True)
"""Kernels compile at their first call, and the same cases are drawn at every run."""


def pair_of(values, mask, norm="minmax", **thresholds) -> Pair:
    grey = Grey(np.array(values, np.uint8, ndmin=2), 255.0)
    return prepare(grey, GroundTruth(np.array(mask, bool, ndmin=2)), Choices(norm, Thresholds(**thresholds)))


def values_of(pair: Pair) -> dict[str, float]:
    scores = [metric.score(pair) for metric in metrics_with()]
    return {name: value for score in scores if score for name, value in score.values.items()}


def curves_of(pair: Pair):
    scores = [metric.score(pair) for metric in metrics_with()]
    return {name: curve for score in scores if score for name, curve in score.curves.items()}


def disc(height=20, width=24) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return (y - 9) ** 2 + (x - 11) ** 2 < 30


@st.composite
def scenes(draw, most=14):
    """8-bit map and mask with both classes."""
    shape = draw(st.tuples(st.integers(2, most), st.integers(2, most)))
    values = draw(hnp.arrays(np.uint8, shape))
    mask = draw(hnp.arrays(bool, shape))
    mask.flat[0], mask.flat[-1] = True, False
    return values, mask


# by hand ---------------------------------------------------------------------------------------------------------


def test_a_four_pixel_map_scores_what_it_scores_by_hand():
    scores = values_of(pair_of([[255, 128], [0, 0]], [[1, 0], [0, 0]]))
    assert scores["MAE"] == pytest.approx(128 / 255 / 4, abs=1e-15)
    assert scores["adpF"] == 1  # threshold 2 x 383/1020 = .751: one pixel, the right one
    assert scores["AUC"] == 1
    # threshold 0: P = 1/4, R = 1; 1..128: P = 1/2, R = 1; 129..255: 1
    assert scores["meanF"] == pytest.approx((1 * 1.3 / 4 / (0.3 / 4 + 1) + 128 * 1.3 / 2 / (0.15 + 1) + 127) / 256)
    assert scores["maxF"] == 1


def test_an_adaptive_threshold_above_one_becomes_the_cap():
    pair = pair_of([255, 255, 255, 0], [1, 1, 0, 0])
    assert pair.adaptive_threshold == 1.0
    assert values_of(pair)["adpF"] == pytest.approx(1.3 * (2 / 3) / (0.3 * 2 / 3 + 1))
    assert pair_of([255, 255, 255, 0], [1, 1, 0, 0], cap=0.999).adaptive_threshold == 0.999


@pytest.mark.parametrize("level", range(40, 256, 5))
def test_a_grey_value_equal_to_the_adaptive_threshold_falls_where_the_reference_has_it(level):
    # four pixels of sum 2 x level: twice the mean is the level itself, up to the rounding of the sum
    values = np.array([level, level - 30, 20, 10])
    x = values / 255
    expected = int((x >= 2 * x.reshape(1, 4).mean()).sum())
    assert pair_of(values, np.ones(4), norm="none").adaptive.tp.tolist() == [expected]


def test_comparison_gt_leaves_out_what_equals_the_threshold():
    values, mask = [255, 255, 0, 0], [1, 0, 0, 0]
    assert pair_of(values, mask, comparison="ge").adaptive.tp.tolist() == [1]
    assert pair_of(values, mask, comparison="gt").adaptive.tp.tolist() == [0]
    assert pair_of(values, mask, comparison="gt").curve.tp[[0, 255]].tolist() == [1, 0]


def test_levels_are_truncated_as_the_reference_truncates_them():
    # stretched from 100..151 every grey value is a multiple of 5, but some come out just below it and lose one
    values = np.arange(100, 152)
    stretched = (values / 255 - 100 / 255) / (151 / 255 - 100 / 255)
    levels = (stretched * 255).astype(np.uint8)
    assert (levels < 5 * np.arange(52)).any()
    curve = pair_of(values, np.ones(52)).curve
    assert curve.tp.tolist() == [(levels >= t).sum() for t in range(256)]


def test_thresholds_of_a_float_grid_take_in_grey_values_equal_to_them():
    # 153/255 is exactly 12/20, and 51/255 is 4/20
    counts = pair_of([0, 51, 153, 255], [1, 1, 1, 1], norm="none", count=21, levels="float").curve
    assert counts.tp.tolist() == [4, *[3] * 4, *[2] * 8, *[1] * 8]


def test_a_perfect_map_scores_the_maximum():
    mask = disc()
    scores = values_of(pair_of(mask * 255, mask))
    size = mask.size
    assert scores["MAE"] == 0
    for name in ("adpF", "maxF", "AUC"):
        assert scores[name] == 1, name
    for name in ("S", "wF"):
        assert scores[name] == pytest.approx(1, abs=1e-12), name
    assert scores["adpE"] == scores["maxE"] == pytest.approx(size / (size - 1), abs=1e-14)  # N - 1: above 1


def test_an_inverted_map_scores_the_minimum():
    mask = disc()
    scores = values_of(pair_of(~mask * 255, mask))
    assert scores["MAE"] == 1
    assert scores["adpF"] == scores["S"] == scores["AUC"] == 0
    assert scores["adpE"] < 1e-20
    assert 0 <= scores["wF"] < 0.02


def test_two_pixels_have_the_e_measure_of_two():
    assert values_of(pair_of([255, 0], [1, 0]))["adpE"] == pytest.approx(2)


def test_dataset_max_f_is_the_maximum_of_the_mean_curve_and_not_the_mean_of_maxima():
    # each map is perfect at one threshold that ruins the other
    low = pair_of([10, 0, 0, 0], [1, 0, 0, 0], norm="none")
    high = pair_of([255, 200, 200, 200], [1, 0, 0, 0], norm="none")
    metric = next(m for m in all_metrics() if "maxF" in m.names)
    means = Means()
    for pair in (low, high):
        score = metric.score(pair)
        assert score is not None and score.values["maxF"] == 1
        means.add(score)
    found = metric.compute(means)
    quarter = 1.3 / 4 / (0.3 / 4 + 1)  # F of everything foreground
    assert found["maxF"] == pytest.approx((1 + quarter) / 2)
    assert found["maxF_PR"] == pytest.approx(1.3 * 0.625 / (0.3 * 0.625 + 1))  # mean P 5/8, mean R 1


def test_dataset_auc_is_the_area_under_the_mean_curve_and_not_the_mean_area():
    metric = METRICS.get("auc")
    means = Means()
    for values in ([20, 10], [200, 100]):
        score = metric.score(pair_of(values, [1, 0], norm="none"))
        assert score is not None and score.values["AUC"] == 1
        means.add(score)
    # mean (FPR, TPR): (0, 0), (0, 1/2) above 100, (1/2, 1/2) down to 21, (1/2, 1) down to 11, (1, 1) below
    assert metric.compute(means) == {"AUC": pytest.approx(3 / 4), "AUC_image": pytest.approx(1)}


def test_auc_counts_the_point_at_the_origin():
    # the darkest threshold that predicts anything is 255: without (0, 0) the triangle left of it would be lost
    assert values_of(pair_of([255, 255, 0, 0], [1, 0, 1, 0]))["AUC"] == pytest.approx(0.5)


# degenerate ------------------------------------------------------------------------------------------------------


def test_an_all_zero_map_predicts_everything_at_threshold_zero():
    mask = disc()
    scores = values_of(pair_of(mask * 0, mask))
    ratio = mask.mean()
    assert scores["adpF"] == pytest.approx(1.3 * ratio / (0.3 * ratio + 1))
    assert scores["MAE"] == pytest.approx(ratio)
    assert scores["AUC"] == pytest.approx(0.5)


def test_an_all_zero_map_of_an_empty_ground_truth_is_right_but_for_adaptive_e():
    empty = np.zeros((6, 7), bool)
    scores = values_of(pair_of(empty * 0, empty))
    assert scores["MAE"] == 0 and scores["S"] == 1
    assert scores["adpE"] == 0  # 0 >= 0 predicts every pixel
    assert scores["adpF"] == scores["maxF"] == scores["wF"] == 0
    assert "AUC" not in scores


def test_a_constant_map_is_left_as_it_is_by_minmax_and_zeroed_by_its_other_form():
    mask = disc()
    assert values_of(pair_of(mask * 0 + 51, mask))["MAE"] == pytest.approx(0.2 + 0.6 * mask.mean())
    assert values_of(pair_of(mask * 0 + 51, mask, norm="minmax_zero"))["MAE"] == pytest.approx(mask.mean())
    assert values_of(pair_of(mask * 0 + 51, mask, norm="max"))["MAE"] == pytest.approx(1 - mask.mean())


def test_an_all_one_map_of_a_full_ground_truth_is_perfect():
    full = np.ones((5, 8), bool)
    scores = values_of(pair_of(full * 255, full))
    assert scores["MAE"] == 0
    assert scores["adpF"] == scores["maxF"] == scores["S"] == 1
    assert scores["wF"] == pytest.approx(1, abs=1e-14)
    assert scores["adpE"] == pytest.approx(40 / 39)
    assert "AUC" not in scores


def test_a_single_pixel_has_no_e_measure():
    scores = values_of(pair_of([[255]], [[1]]))
    assert not {"adpE", "meanE", "maxE", "AUC"} & set(scores)
    assert scores["S"] == scores["adpF"] == 1


@pytest.mark.parametrize("mask", [[[0, 0], [0, 1]], [[0, 0, 1, 0, 0]], [[0], [1], [0]]])
def test_a_quadrant_without_pixels_is_flagged_and_gives_a_number(mask):
    metric = next(m for m in all_metrics() if m.names == ("S",))
    score = metric.score(pair_of(np.array(mask) * 255, mask))
    assert score is not None
    assert score.flags == ("nan_s",)
    assert 0 <= score.values["S"] <= 1


def test_means_weigh_images_equally_and_keep_no_image():
    means = Means()
    for value in (1.0, 2.0, 6.0):
        means.add(ImageScore({"a": value}, {"c": np.array([value, 0.0])}))
    assert means.value("a") == 3 and means.curve("c").tolist() == [3, 0] and means.count == 3


# properties ------------------------------------------------------------------------------------------------------


@exact
@given(scenes())
def test_scores_stay_in_their_ranges(scene):
    values, mask = scene
    scores = values_of(pair_of(values, mask))
    excess = mask.size / (mask.size - 1)
    for name, value in scores.items():
        top = excess if name.endswith("E") and name != "MAE" else 1
        assert -1e-12 <= value <= top + 1e-12, name


@exact
@given(scenes(), st.randoms(use_true_random=False))
def test_all_but_s_and_weighted_f_ignore_where_pixels_lie(scene, random):
    values, mask = scene
    order = list(range(mask.size))
    random.shuffle(order)
    moved = pair_of(values.flat[order].reshape(mask.shape), mask.flat[order].reshape(mask.shape))
    before, after = values_of(pair_of(values, mask)), values_of(moved)
    for name in before.keys() - {"S", "wF"}:
        assert after[name] == before[name], name


@exact
@given(scenes())
def test_transposing_map_and_mask_changes_no_structure_measure(scene):
    values, mask = scene
    before, after = values_of(pair_of(values, mask)), values_of(pair_of(values.T, mask.T))
    assert after["S"] == pytest.approx(before["S"], abs=1e-12)


@pytest.mark.parametrize("axis", [0, 1])
def test_flipping_a_symmetric_mask_changes_no_metric(axis):
    rng = np.random.default_rng(3)
    mask = np.zeros((20, 20), bool)
    mask[6:14, 6:14] = True  # its centroid, 9.5, rounds to 10; the cut is at 11 and not symmetric: S aside
    values = rng.integers(0, 256, mask.shape).astype(np.uint8)
    before = values_of(pair_of(values, mask))
    after = values_of(pair_of(np.flip(values, axis), np.flip(mask, axis)))
    for name in before.keys() - {"S"}:
        assert after[name] == pytest.approx(before[name], abs=0.02 if name == "wF" else 1e-12), name


@exact
@given(scenes())
def test_recall_falls_and_predictions_shrink_with_the_threshold(scene):
    pair = pair_of(*scene)
    recall = precision_recall(pair.curve)[1]
    assert (np.diff(recall) <= 0).all() and recall[0] == 1
    assert (np.diff(pair.curve.fp) <= 0).all()


@exact
@given(scenes())
def test_a_float_map_of_8_bit_values_scores_as_the_8_bit_map(scene):
    values, mask = scene
    truth = GroundTruth(mask)
    as_float = prepare(Grey(values / 255, 1.0), truth)
    as_stored = prepare(Grey(values, 255.0), truth)
    assert values_of(as_float) == pytest.approx(values_of(as_stored), abs=1e-12)
    for name, curve in curves_of(as_stored).items():
        assert np.array_equal(curves_of(as_float)[name], curve), name


@exact
@given(scenes(), st.integers(1, 5), st.integers(0, 40))
def test_min_max_takes_scale_and_offset_away(scene, scale, offset):
    values, mask = scene
    values = values // 6  # room for the scale
    stretched = (values.astype(int) * scale + offset).astype(np.uint8)
    before, after = values_of(pair_of(values, mask)), values_of(pair_of(stretched, mask))
    if values.max() > values.min():
        for name in ("MAE", "wF"):  # S of a constant quadrant hangs on the rounding of its mean
            assert after[name] == pytest.approx(before[name], abs=1e-9), name


@exact
@given(hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)), fill=st.just(False)))
def test_weights_go_by_the_distance_and_errors_come_from_the_nearest_pixel_with_its_tie_rule(mask):
    mask.flat[mask.size // 2] = True
    wanted = importance(mask)
    sources = {tuple(at): tuple(of) for at, of in zip(wanted.band.tolist(), wanted.source.tolist(), strict=True)}
    points = np.argwhere(mask)
    for y, x in np.ndindex(mask.shape):
        squared, column, row = min(((p - y) ** 2 + (q - x) ** 2, q, p) for p, q in points.tolist())
        assert wanted.weight[y, x] == pytest.approx(2 - 0.5 ** (np.sqrt(squared) / 5) if squared else 0, abs=1e-15)
        assert sources.get((y, x)) == ((row, column) if 0 < squared <= 18 else None)


def test_f_is_zero_where_precision_and_recall_are():
    assert f_beta(np.array([0.0, 1.0]), np.array([0.0, 1.0])).tolist() == [0, 1]
