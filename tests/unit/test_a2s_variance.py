"""Thresholds of Table I: inter-class variance by hand, and Otsu's against brute force and scikit-image."""

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from sodlift.detectors.a2s_labels.variance import THRESHOLDS, inter_class_variance, otsu


def test_variance_by_hand() -> None:
    values = np.array([0.0, 0.2, 0.6, 1.0, 1.0])
    assert inter_class_variance(values, 0.2) == pytest.approx(0.4 * 0.6 * (0.1 - 2.6 / 3) ** 2)
    assert inter_class_variance(np.array([0.0, 1.0]), 0.0) == 0.25, "the most that there can be"
    assert inter_class_variance(values, 1.0) == inter_class_variance(values, -1.0) == 0


@pytest.mark.parametrize("seed", range(4))
def test_no_threshold_parts_better_than_otsus(seed: int) -> None:
    values = np.random.default_rng(seed).beta(0.5, 1.5, (9, 11)).round(2)
    best = max(inter_class_variance(values, t) for t in np.unique(values))
    assert inter_class_variance(values, otsu(values)) == pytest.approx(best, abs=1e-15)
    for name in ("Mean", "Median"):
        assert inter_class_variance(values, THRESHOLDS[name](values)) <= best + 1e-15


def test_otsu_agrees_with_scikit_image_on_8_bits() -> None:
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(70, 20, 3000), rng.normal(180, 15, 1000)]).clip(0, 255).astype(np.uint8)
    assert otsu(values) == threshold_otsu(values)


def test_constant_map_is_not_parted() -> None:
    flat = np.full((3, 3), 0.4)
    assert otsu(flat) == 0.4
    assert [inter_class_variance(flat, threshold(flat)) for threshold in THRESHOLDS.values()] == [0, 0, 0]
