"""What every registered metric keeps."""

import numpy as np
import pytest

from sodlift.arrays import Grey
from sodlift.metrics import METRICS, all_metrics, metrics_with
from sodlift.metrics._base import ImageScore, Means, Metric
from sodlift.metrics._pair import GroundTruth, prepare

NAMES = METRICS.names()


@pytest.fixture(params=NAMES)
def metric(request) -> Metric:
    return METRICS.get(request.param)


def example_pair(seed=0, shape=(31, 40)):
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape, bool)
    mask[8:20, 10:30] = True
    values = (mask * 120 + rng.integers(0, 130, shape)).astype(np.uint8)
    return prepare(Grey(values, 255.0), GroundTruth(mask))


def test_the_registry_holds_the_metrics_of_the_results():
    names = {name for metric in all_metrics() for name in metric.names}
    assert names >= {"MAE", "adpF", "meanF", "maxF", "maxF_PR", "S", "adpE", "meanE", "maxE", "wF", "AUC"}
    assert names >= {"IoU", "Dice", "BER", "IoU_pooled", "Dice_pooled", "BER_pooled", "F_pooled", "maxIoU", "meanIoU"}


def test_an_image_has_its_columns_in_this_order_and_extra_ones_behind_them():
    usual = [name for metric in metrics_with() for name in metric.image_names]
    assert usual == ["MAE", "adpF", "meanF", "maxF", "S", "adpE", "meanE", "maxE", "wF", "AUC", "IoU", "Dice", "BER"]
    every = [name for metric in metrics_with(NAMES) for name in metric.image_names]
    assert every == [*usual, "BIoU", "HCE"]


def test_no_two_families_share_a_name_a_title_or_a_place():
    metrics = all_metrics()
    for values in (
        [n for m in metrics for n in m.names],
        [n for m in metrics for n in m.image_names],
        [m.title for m in metrics],
        [m.order for m in metrics],
    ):
        assert len(values) == len(set(values))


def test_curves_of_different_families_have_different_names():
    pair = example_pair()
    names = [name for m in all_metrics() for name in (m.score(pair) or ImageScore({})).curves]
    assert len(names) == len(set(names)) and {"P", "R", "F"} <= set(names)


def test_its_stages_follow_each_other(metric):
    pair = example_pair()
    assert metric.validate(pair) == ""
    score = metric.update(metric.format(pair))
    means = Means()
    means.add(score)
    values = metric.compute(means)
    assert tuple(values) == metric.names
    assert tuple(score.values) == metric.image_names
    assert all(type(v) is float and np.isfinite(v) for v in (*values.values(), *score.values.values()))


def test_over_one_image_the_data_set_scores_what_the_image_does(metric):
    score = metric.score(example_pair())
    means = Means()
    means.add(score)
    values = metric.compute(means)
    for name in set(metric.names) & set(metric.image_names):
        assert values[name] == pytest.approx(score.values[name], abs=1e-15)


def test_its_curves_have_one_value_a_threshold(metric):
    for curve in metric.score(example_pair()).curves.values():
        assert curve.shape == (256,) and curve.dtype == np.float64


def test_it_changes_nothing_of_the_pair_and_gives_the_same_twice(metric):
    pair = example_pair()
    before = [a.copy() for a in (pair.levels, pair.table, pair.inside, pair.outside, pair.truth.mask, pair.prediction)]
    first, second = metric.score(pair), metric.score(pair)
    after = [pair.levels, pair.table, pair.inside, pair.outside, pair.truth.mask, pair.prediction]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert first.values == second.values


def test_sharing_the_ground_truth_between_maps_changes_nothing(metric):
    pairs = [example_pair(seed) for seed in (1, 2)]
    shared = [prepare(Grey(p.levels, 255.0), pairs[0].truth) for p in pairs]
    for own, other in zip(pairs, shared, strict=True):
        assert metric.score(own).values == metric.score(other).values


@pytest.mark.parametrize("value", [0, 90, 255])
@pytest.mark.parametrize("truth", ["empty", "full", "half"])
def test_a_degenerate_pair_is_undefined_or_finite(metric, value, truth):
    mask = np.zeros((6, 9), bool)
    mask[: {"empty": 0, "full": 6, "half": 3}[truth]] = True
    pair = prepare(Grey(np.full(mask.shape, value, np.uint8), 255.0), GroundTruth(mask))
    reason = metric.validate(pair)
    assert isinstance(reason, str)
    score = metric.score(pair)
    assert (score is None) == bool(reason)
    assert score is None or all(np.isfinite(list(score.values.values())))


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (2, 3), (97, 61)])
def test_maps_of_any_shape_have_finite_scores(metric, shape):
    rng = np.random.default_rng(5)
    for _ in range(5):
        grey = Grey(rng.integers(0, 256, shape, dtype=np.uint8), 255.0)
        pair = prepare(grey, GroundTruth(rng.random(shape) < 0.5))
        score = metric.score(pair)
        assert (score is None) == bool(metric.validate(pair))
        assert score is None or all(np.isfinite([*score.values.values(), *score.totals.values()]))


def test_it_says_who_it_is(metric):
    assert metric.title and metric.source and metric.names
