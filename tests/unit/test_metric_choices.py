"""Each choice of a protocol changes what it says and nothing else; and what no choice may change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sodlift.arrays import Grey
from sodlift.metrics import METRICS, all_metrics, metrics_with
from sodlift.metrics._base import ImageScore, Means
from sodlift.metrics._pair import Choices, GroundTruth, Pair, Thresholds, prepare

exact = settings(max_examples=40, deadline=None, derandomize=True)
"""Kernels compile at their first call, and the same cases are drawn at every run."""

EVERY = METRICS.names()


def pair_of(values, mask, thresholds=None, full=255.0, **choices) -> Pair:
    """Return 8-bit values, or floats where ``full`` is 1, beside their mask."""
    dtype = np.uint8 if full == 255 else np.float64
    grey = Grey(np.array(values, dtype, ndmin=2), full)
    truth = GroundTruth(np.array(mask, bool, ndmin=2))
    return prepare(grey, truth, Choices(thresholds=Thresholds(**(thresholds or {})), **choices))


def scores_of(pair: Pair) -> dict[str, ImageScore]:
    found = {metric.title: metric.score(pair) for metric in all_metrics()}
    return {title: score for title, score in found.items() if score}


def values_of(pair: Pair) -> dict[str, float]:
    return {name: value for score in scores_of(pair).values() for name, value in score.values.items()}


def curves_of(pair: Pair) -> dict[str, np.ndarray]:
    return {name: curve for score in scores_of(pair).values() for name, curve in score.curves.items()}


def dataset_of(pairs: list[Pair]) -> dict[str, float]:
    values = {}
    for metric in metrics_with(EVERY):
        means = Means(pairs[0].thresholds.values)
        for score in filter(None, map(metric.score, pairs)):
            means.add(score)
        values |= metric.compute(means)
    return values


def changed(before: dict[str, float], after: dict[str, float]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


@st.composite
def scenes(draw, most=14):
    """8-bit map and mask with both classes."""
    shape = draw(st.tuples(st.integers(2, most), st.integers(2, most)))
    values, mask = draw(hnp.arrays(np.uint8, shape)), draw(hnp.arrays(bool, shape))
    mask.flat[0], mask.flat[-1] = True, False
    return values, mask


# choices ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("norm", "stretched"),
    [
        ("none", [51, 102, 153, 204]),
        ("max", [63.75, 127.5, 191.25, 255]),
        ("minmax", [0, 85, 170, 255]),
        ("minmax_zero", [0, 85, 170, 255]),
    ],
)
def test_norm_says_which_grey_values_are_scored(norm, stretched):
    pair = pair_of([51, 102, 153, 204], [0, 0, 1, 1], norm=norm)
    assert pair.prediction * 255 == pytest.approx(np.array([stretched]))
    error = np.abs(np.array(stretched) / 255 - [0, 0, 1, 1]).mean()
    assert values_of(pair)["MAE"] == pytest.approx(error)


def test_precision_of_nothing_counts_where_nothing_is_predicted_and_nowhere_else():
    zero, one = (pair_of([100, 40, 0], [1, 0, 1], norm="none", precision_of_nothing=p) for p in (0.0, 1.0))
    before, after = curves_of(zero)["P"], curves_of(one)["P"]
    assert np.array_equal(before[:101], after[:101])
    assert (before[101:] == 0).all() and (after[101:] == 1).all()
    assert np.array_equal(curves_of(zero)["F"], curves_of(one)["F"])  # recall is 0 there: F of the image stays
    assert changed(values_of(zero), values_of(one)) == set()


def test_precision_of_nothing_raises_the_f_of_mean_precision_and_recall():
    def both(nothing: float) -> dict[str, float]:
        dark, bright = [100, 0, 0], [200, 100, 0]
        return dataset_of(
            [pair_of(values, [1, 0, 0], norm="none", precision_of_nothing=nothing) for values in (dark, bright)]
        )

    before, after = both(0.0), both(1.0)
    assert changed(before, after) == {"maxF_PR", "meanF_PR", "P_maxF_PR", "R_maxF_PR", "T_maxF_PR"}
    # above 100 the one map has nothing and the other is perfect: P = 1, R = 1/2
    assert after["maxF_PR"] == pytest.approx(1.3 * 0.5 / (0.3 + 0.5))
    assert (after["R_maxF_PR"], after["T_maxF_PR"]) == (0.5, 200)


def test_comparison_moves_what_equals_a_threshold_out_of_f_and_the_other_out_of_e():
    values, mask = [255, 255, 255, 0, 51], [1, 0, 1, 0, 1]  # the adaptive threshold is capped at 1: 255 equals it
    reference = values_of(pair_of(values, mask))
    e_only = values_of(pair_of(values, mask, {"e_comparison": "gt"}))
    all_but_e = values_of(pair_of(values, mask, {"comparison": "gt"}))
    of_e = {"adpE", "meanE", "maxE"}
    assert changed(reference, e_only) <= of_e and "adpE" in changed(reference, e_only)
    assert changed(reference, all_but_e) and not changed(reference, all_but_e) & of_e


def test_a_strict_e_comparison_finds_an_all_zero_map_right_where_there_is_nothing():
    empty = np.zeros((4, 5))
    assert values_of(pair_of(empty, empty))["adpE"] == 0
    strict = values_of(pair_of(empty, empty, {"e_comparison": "gt"}))
    assert strict["adpE"] == strict["meanE"] == pytest.approx(20 / 19)


def _just_under() -> tuple[np.ndarray, int]:
    """Return an 8-bit map with a grey value that min-max leaves just under the whole number that it stands for."""
    values = np.arange(100, 152)
    stretched = (values / 255 - 100 / 255) / (151 / 255 - 100 / 255) * 255
    under = next(i for i in range(52) if stretched[i] < 5 * i)
    return np.array([100, 100 + under, 151]), 5 * under


@pytest.mark.parametrize(("levels", "taken"), [("trunc8", 1), ("float", 1), ("exact", 2), ("round8", 2)])
def test_levels_decide_on_a_grey_value_that_rounding_moved_off_its_threshold(levels, taken):
    values, threshold = _just_under()
    counts = pair_of(values, [1, 1, 1], {"levels": levels}).curve
    assert counts.tp[threshold] == taken
    assert counts.tp[threshold - 1] == 2


@pytest.mark.parametrize(
    ("levels", "at_127_5", "at_128"), [("trunc8", 1, 1), ("float", 2, 1), ("exact", 2, 1), ("round8", 2, 2)]
)
def test_levels_decide_on_a_grey_value_between_whole_numbers(levels, at_127_5, at_128):
    # 511 thresholds lie half a level apart; 0.5 is 127.5, truncated 127 and rounded 128
    counts = pair_of([0, 0.5, 1], [1, 1, 1], {"levels": levels, "count": 511}, full=1.0).curve
    assert (counts.tp[255], counts.tp[256]) == (at_127_5, at_128)


@pytest.mark.parametrize("nothing", [0.0, 1.0])
def test_a_threshold_of_256_leaves_nothing(nothing):
    mask = [1, 1, 0, 0]
    pair = pair_of([255, 200, 255, 0], mask, {"count": 257, "top": 256.0}, precision_of_nothing=nothing)
    curves = curves_of(pair)
    assert {len(curve) for curve in curves.values()} == {257}
    assert pair.curve.tp[-1] == pair.curve.fp[-1] == 0 and pair.curve.tp[-2] == 1
    assert curves["P"][-1] == nothing and curves["R"][-1] == curves["F"][-1] == curves["IoU"][-1] == 0
    for name, curve in curves_of(pair_of([255, 200, 255, 0], mask, precision_of_nothing=nothing)).items():
        assert np.array_equal(curve, curves[name][:-1]), name


def test_the_thresholds_of_a_data_set_are_the_protocols():
    pair = pair_of([0, 51, 153, 255], [0, 0, 1, 1], {"count": 21, "levels": "float"})
    # perfect from 51 < t to 153: the highest of 63.75 to 153 is named
    assert dataset_of([pair])["T_maxF"] == 153


def test_a_lower_cap_takes_in_what_is_just_below_the_maximum():
    values, mask = [1, 0.9995, 0.9, 0], [1, 1, 0, 0]
    capped, lower = (pair_of(values, mask, {"cap": cap}, full=1.0) for cap in (1.0, 0.999))
    assert (capped.adaptive.tp.tolist(), lower.adaptive.tp.tolist()) == ([1], [2])
    assert changed(values_of(capped), values_of(lower)) == {"adpF", "adpE"}
    assert values_of(lower)["adpF"] == 1


@pytest.mark.parametrize("mask", [[[0, 0], [0, 1]], [[0, 0, 1, 0, 0]], [[0], [1], [0]]])
def test_an_undefined_quadrant_makes_s_nan_where_the_protocol_says_so(mask):
    values = np.array(mask) * 255
    kept = scores_of(pair_of(values, mask))["S-measure"]
    strict = scores_of(pair_of(values, mask, s_quadrant="nan"))["S-measure"]
    assert kept.flags == strict.flags == ("nan_s",)
    assert 0 <= kept.values["S"] <= 1 and np.isnan(strict.values["S"])


def test_a_quadrant_of_one_pixel_is_defined():
    score = scores_of(pair_of([[255, 0], [0, 0]], [[1, 0], [0, 0]], s_quadrant="nan"))["S-measure"]
    assert score.flags == () and 0 <= score.values["S"] <= 1


def test_a_defined_s_is_the_same_under_both_rules_and_an_undefined_one_spoils_the_mean():
    mask = np.zeros((12, 12))
    mask[3:8, 3:8] = 1
    fine = [pair_of(mask * 200, mask, s_quadrant=rule) for rule in ("ignore", "nan")]
    assert values_of(fine[0])["S"] == values_of(fine[1])["S"] > 0.9
    odd = pair_of([[0, 0], [0, 255]], [[0, 0], [0, 1]], s_quadrant="nan")
    assert np.isnan(dataset_of([fine[1], odd])["S"])


def test_special_leaves_an_empty_ground_truth_to_the_metrics_that_have_a_rule_for_it():
    empty = np.zeros((5, 6))
    values = np.arange(30).reshape(5, 6)
    kept, special = (pair_of(values, empty, empty_gt=rule) for rule in ("keep", "special"))
    assert set(values_of(special)) == {"MAE", "S", "adpE", "meanE", "maxE"}
    assert set(values_of(kept)) == set(values_of(pair_of(values, values > 9))) - {"AUC"}
    assert values_of(special).items() <= values_of(kept).items()


def test_special_changes_nothing_where_there_is_foreground():
    values, mask = np.arange(30).reshape(5, 6) * 8, np.arange(30).reshape(5, 6) % 3 == 0
    assert values_of(pair_of(values, mask, empty_gt="special")) == values_of(pair_of(values, mask))


# properties ------------------------------------------------------------------------------------------------------


def blob(height=33, width=40) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return (y - 15) ** 2 + (x - 18) ** 2 < 90


def test_a_perfect_map_is_perfect_over_a_data_set_too():
    found = dataset_of([pair_of(mask * 255, mask) for mask in (blob(), blob(50, 41).T)])
    worst = {"MAE": 0, "BER": 0, "BER_pooled": 0, "HCE": 0}
    thresholds = {name for name in found if name.startswith("T_")}
    means = {"meanF", "meanF_PR", "meanIoU", "meanE", "maxE", "adpE"}  # threshold 0 takes everything; E is of N - 1
    for name in found.keys() - thresholds - means:
        assert found[name] == pytest.approx(worst.get(name, 1), abs=1e-12), name
    assert {found[name] for name in thresholds} == {255}


def test_an_inverted_map_has_the_worst_score_of_every_metric():
    mask = blob()
    scores = values_of(pair_of(~mask * 255, mask))
    assert scores["MAE"] == scores["BER"] == 1
    for name in ("adpF", "S", "AUC", "IoU", "Dice", "BIoU"):
        assert scores[name] == 0, name
    assert scores["HCE"] > values_of(pair_of(mask * 255, mask))["HCE"]


@exact
@given(scenes(), st.sampled_from([np.flipud, np.fliplr, np.transpose]))
def test_flips_and_transposes_change_only_what_depends_on_order(scene, turn):
    values, mask = scene
    before, after = values_of(pair_of(values, mask)), values_of(pair_of(turn(values), turn(mask)))
    # S cuts behind the centroid; wF breaks ties of distance by column; HCE traces borders from the upper left
    for name in before.keys() - {"S", "wF", "HCE"}:
        assert after[name] == before[name], name


@exact
@given(st.lists(scenes(8), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_images_changes_a_data_set_by_rounding_only(found, random):
    pairs = [pair_of(*scene) for scene in found]
    before = dataset_of(pairs)
    assert dataset_of([pair_of(*scene) for scene in found]) == before  # the same order: the same bits
    random.shuffle(pairs)
    shuffled = dataset_of(pairs)
    for name in before.keys() - {n for n in before if n.startswith(("P_", "R_", "T_"))}:  # maxima may tie
        assert shuffled[name] == pytest.approx(before[name], abs=1e-12), name


@exact
@given(scenes(), st.integers(0, 255))
def test_auc_and_max_f_depend_on_the_order_of_grey_values_only(scene, seed):
    values, mask = scene
    levels, ranks = np.unique(values, return_inverse=True)
    others = np.sort(np.random.default_rng(seed).choice(256, len(levels), replace=False))
    before = values_of(pair_of(values, mask, norm="none"))
    after = values_of(pair_of(others[ranks].reshape(mask.shape), mask, norm="none"))
    assert after["maxF"] == before["maxF"]
    assert after["AUC"] == pytest.approx(before["AUC"], abs=1e-12)


@exact
@given(scenes(), st.integers(1, 200))
def test_a_map_nearer_to_the_truth_has_a_smaller_error_and_no_smaller_curves(scene, step):
    values, mask = scene
    nearer = np.where(mask, np.minimum(values + np.int64(step), 255), np.maximum(values - np.int64(step), 0))
    pairs = [pair_of(grey, mask, norm="none") for grey in (values, nearer)]
    before, after = (values_of(pair) for pair in pairs)
    assert after["MAE"] < before["MAE"] or np.array_equal(values, nearer)
    assert after["AUC"] >= before["AUC"] - 1e-12
    for name in ("IoU", "Dice"):
        assert after[name] >= before[name], name
    assert after["BER"] <= before["BER"]
    for name, sign in (("F", 1), ("IoU", 1), ("TPR", 1), ("FPR", -1)):
        assert (sign * (curves_of(pairs[1])[name] - curves_of(pairs[0])[name]) >= -1e-15).all(), name


@exact
@given(scenes())
def test_both_rates_fall_with_the_threshold(scene):
    curves = curves_of(pair_of(*scene))
    for name in ("FPR", "TPR"):
        assert curves[name][0] == 1 and (np.diff(curves[name]) <= 0).all(), name
