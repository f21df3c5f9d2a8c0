"""The reference's own values on its fixture pairs: every number to 1e-9, every curve bit for bit."""

import csv

import numpy as np
import pytest

from sodlift.arrays import read_grey, read_mask
from sodlift.metrics import all_metrics
from sodlift.metrics._base import Means
from sodlift.metrics._pair import GroundTruth, prepare
from sodlift.metrics.overlap import confusion, precision, recall

OF_AN_IMAGE = {
    **{"MAE": "mae", "AUC": "auc_img", "HCE": "hce", "IoU": "bin_iou", "Dice": "bin_dice", "BER": "bin_ber"},
    **{"P_half": "bin_pre", "R_half": "bin_rec", "P_maxF": "P_at_maxF", "R_maxF": "R_at_maxF", "T_maxF": "thr_at_maxF"},
}
OF_THE_SET = {
    **{"MAE": "mae", "maxF_PR": "maxF_of_meanPR", "meanF_PR": "meanF_of_meanPR", "maxF_image": "mean_of_image_maxF"},
    **{"P_maxF": "P_at_maxF", "R_maxF": "R_at_maxF", "T_maxF": "thr_at_maxF", "F_pooled": "binF_pooled"},
    **{f"{name}_pooled": f"bin{name}_pooled" for name in ("IoU", "Dice", "BER")},
    **{name: f"bin{name}_image" for name in ("IoU", "Dice", "BER")},
}
CURVES = {"FPR": "fpr", "TPR": "R"}
"""Where the fixtures call a number or a curve by another name."""

WITHOUT_REFERENCE = {"BIoU"}
"""Numbers of an image that the reference does not have."""


@pytest.fixture(scope="module")
def rows(metric_fixtures):
    with (metric_fixtures / "reference_per_image.csv").open(newline="") as handle:
        return {row["name"]: row for row in csv.DictReader(handle)}


@pytest.fixture(scope="module")
def pairs(metric_fixtures, rows):
    return {
        name: prepare(
            read_grey(metric_fixtures / "pred" / f"{name}.png"),
            GroundTruth(read_mask(metric_fixtures / "gt" / f"{name}.png")),
        )
        for name in rows
    }


@pytest.fixture(scope="module")
def scores(pairs):
    """Score of every metric for every pair: {pair: [(metric, ImageScore), ...]}."""
    return {name: [(metric, metric.score(pair)) for metric in all_metrics()] for name, pair in pairs.items()}


def test_there_are_twelve_pairs(rows):
    assert len(rows) == 12


def beside_the_columns(pair, scores) -> dict[str, float]:
    """Numbers of an image that follow from our functions and are no columns of a result."""
    curves = {name: curve for _, score in scores for name, curve in score.curves.items()}
    best = int(curves["F"].argmax())  # of equal maxima the fixtures' images take the lowest threshold
    half = confusion(pair.half)
    at_best = {"P_maxF": float(curves["P"][best]), "R_maxF": float(curves["R"][best]), "T_maxF": float(best)}
    return at_best | {"P_half": precision(half), "R_half": recall(half)}


def test_per_image_values_match_to_1e_9(rows, pairs, scores):
    for name, found in scores.items():
        values = {key: value for _, score in found for key, value in score.values.items()}
        values |= beside_the_columns(pairs[name], found)
        ours = {OF_AN_IMAGE.get(key, key): values[key] for key in values.keys() - WITHOUT_REFERENCE}
        reference = {key: float(value) for key, value in rows[name].items() if key != "name"}
        assert ours == pytest.approx(reference, abs=1e-9, rel=0), name  # the same keys, too


def test_human_correction_efforts_match_exactly(rows, scores):
    for name, found in scores.items():
        assert [score.values["HCE"] for _, score in found if "HCE" in score.values] == [float(rows[name]["hce"])], name


def test_curves_match_bit_for_bit(metric_fixtures, scores):
    checked = set()
    with np.load(metric_fixtures / "reference_curves.npz") as reference:
        for name, found in scores.items():
            curves = {key: curve for _, score in found for key, curve in score.curves.items() if key != "IoU"}
            for key, curve in curves.items():
                wanted = f"{name}/{CURVES.get(key, key)}"
                assert np.array_equal(curve, reference[wanted]), (name, key)
                checked.add(wanted)
        assert checked == set(reference)


def test_data_set_values_match_to_1e_9(metric_fixtures, scores):
    with (metric_fixtures / "reference_dataset.csv").open(newline="") as handle:
        reference = next(csv.DictReader(handle))
    checked = set()
    for metric in all_metrics():
        means = Means()
        for found in scores.values():
            means.add(next(score for other, score in found if other is metric))
        for key, value in metric.compute(means).items():
            if (name := OF_THE_SET.get(key, key)) in reference:
                assert value == pytest.approx(float(reference[name]), abs=1e-9, rel=0), key
                checked.add(name)
    assert checked == set(reference) - {"set", "n"}
