"""The reference's own values on its fixture pairs: numbers to 1e-9, curves bit for bit."""

import csv

import numpy as np
import pytest

from sodlift.arrays import read_grey, read_mask
from sodlift.metrics import all_metrics
from sodlift.metrics._base import Means
from sodlift.metrics._pair import GroundTruth, prepare

IN_FIXTURES = {"MAE": "mae", "maxF_PR": "maxF_of_meanPR", "FPR": "fpr", "TPR": "R"}
"""Where the fixtures call a metric or curve by another name."""


@pytest.fixture(scope="module")
def rows(metric_fixtures):
    with (metric_fixtures / "reference_per_image.csv").open(newline="") as handle:
        return {row["name"]: row for row in csv.DictReader(handle)}


@pytest.fixture(scope="module")
def scores(metric_fixtures, rows):
    """Score of every metric for every pair: {pair: [(metric, ImageScore), ...]}."""
    found = {}
    for name in rows:
        truth = GroundTruth(read_mask(metric_fixtures / "gt" / f"{name}.png"))
        pair = prepare(read_grey(metric_fixtures / "pred" / f"{name}.png"), truth)
        found[name] = [(metric, metric.score(pair)) for metric in all_metrics()]
    return found


def test_there_are_twelve_pairs(rows):
    assert len(rows) == 12


def test_per_image_values_match_to_1e_9(rows, scores):
    checked = 0
    for name, found in scores.items():
        for _, score in found:
            for key, value in score.values.items():
                reference = float(rows[name]["auc_img" if key == "AUC" else IN_FIXTURES.get(key, key)])
                assert value == pytest.approx(reference, abs=1e-9, rel=0), (name, key)
                checked += 1
    assert checked == 12 * 10


def test_curves_match_bit_for_bit(metric_fixtures, scores):
    with np.load(metric_fixtures / "reference_curves.npz") as reference:
        for name, found in scores.items():
            for _, score in found:
                for key, curve in score.curves.items():
                    assert np.array_equal(curve, reference[f"{name}/{IN_FIXTURES.get(key, key)}"]), (name, key)


def test_data_set_values_match_to_1e_9(metric_fixtures, scores):
    with (metric_fixtures / "reference_dataset.csv").open(newline="") as handle:
        reference = next(csv.DictReader(handle))
    checked = set()
    for metric in all_metrics():
        means = Means()
        for found in scores.values():
            means.add(next(score for other, score in found if other is metric))
        for key, value in metric.compute(means).items():
            expected = float(reference[IN_FIXTURES.get(key, key)])
            assert value == pytest.approx(expected, abs=1e-9, rel=0), key
            checked.add(key)
    assert len(checked) == 11
