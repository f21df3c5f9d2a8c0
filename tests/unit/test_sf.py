"""SF's two measures on superpixels small enough to reason about."""

import numpy as np
import pytest

from sodlift.priors.sf import PRIOR, SfParams, contrast_and_spread


def scene(seed=0, count=30):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 100, (count, 3)), rng.random((count, 2))


def test_both_measures_are_the_sums_of_the_paper():
    colours, positions = scene()
    contrast, spread = contrast_and_spread(colours, positions, SfParams(colour_sigma=15, spatial_sigma=0.2))
    for i in range(0, 30, 7):
        colour = np.linalg.norm(colours - colours[i], axis=1)
        apart = np.linalg.norm(positions - positions[i], axis=1)
        near = np.where(apart <= 0.6, np.exp(-(apart**2) / (2 * 0.2**2)), 0)
        alike = np.where(colour <= 45, np.exp(-(colour**2) / (2 * 15**2)), 0)
        centre = (alike[:, None] * positions).sum(axis=0) / alike.sum()
        assert contrast[i] == pytest.approx((colour * near).sum())
        assert spread[i] == pytest.approx((alike * ((positions - centre) ** 2).sum(axis=1)).sum())


def test_one_colour_has_no_contrast_and_a_colour_met_once_no_spread():
    _, positions = scene()
    colours = np.full((30, 3), 50.0)
    colours[4] = (50, 90, 0)
    contrast, spread = contrast_and_spread(colours, positions, SfParams())
    assert spread[4] == pytest.approx(0, abs=1e-12) and contrast.argmax() == 4
    assert not contrast_and_spread(np.full((30, 3), 50.0), positions, SfParams())[0].any()


def test_shifting_the_scene_changes_nothing():
    colours, positions = scene(1)
    moved = contrast_and_spread(colours + 7, positions + 0.3, SfParams())
    assert np.allclose(moved, contrast_and_spread(colours, positions, SfParams()))


def test_of_two_colours_the_compact_one_is_salient():
    image = np.full((150, 200, 3), 90, np.uint8)
    image[60:90, 85:115] = (200, 60, 50)
    for x in range(5, 200, 48):
        image[8:140:44, x : x + 24] = image[30:140:44, x : x + 24] = (50, 60, 200)
    for y in range(0, 150, 50):
        image[y : y + 20, 0:60] = image[y : y + 20, 140:] = (50, 60, 200)
    out = PRIOR.compute(image, SfParams())
    blue = (image == (50, 60, 200)).all(axis=2)
    assert out[65:85, 90:110].mean() > 0.8 and out[blue].mean() < 0.2


def test_without_the_exponent_the_map_is_the_contrast():
    image = np.random.default_rng(2).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    steps = PRIOR.steps(image, SfParams(compact=0))
    assert np.array_equal(steps["map"], steps["uniqueness"])
