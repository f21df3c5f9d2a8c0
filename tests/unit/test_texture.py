"""The texture filters against scipy's correlation, and on gratings."""

import numpy as np
from scipy import ndimage

from sodlift.priors._texture import FILTERS, filter_bank, responses


def test_filters_have_zero_mean_and_unit_absolute_sum():
    bank = filter_bank()
    assert bank.shape == (FILTERS, 19, 19)
    assert np.allclose(bank.sum(axis=(1, 2)), 0, atol=1e-6) and np.allclose(np.abs(bank).sum(axis=(1, 2)), 1, atol=1e-6)


def test_responses_are_absolute_correlations_with_the_border_repeated():
    grey = np.random.default_rng(0).integers(0, 256, (40, 50), dtype=np.uint8)
    for response, kernel in zip(responses(grey), filter_bank(), strict=True):
        expected = np.abs(ndimage.correlate(grey / 255.0, kernel.astype(float), mode="nearest"))
        assert np.allclose(response, expected, atol=1e-5)


def test_a_quarter_turn_of_the_image_turns_the_orientations():
    grey = np.random.default_rng(1).integers(0, 256, (41, 41), dtype=np.uint8)
    plain, turned = responses(grey), responses(np.rot90(grey))
    for kind in (0, 6):
        for k in range(6):
            assert np.allclose(np.rot90(plain[kind + k]), turned[kind + (k - 3) % 6], atol=1e-5)
    for k in (12, 13, 14):
        assert np.allclose(np.rot90(plain[k]), turned[k], atol=1e-5)


def test_horizontal_stripes_answer_to_the_horizontal_filters_most():
    grey = np.where(np.arange(60)[:, None] % 6 < 3, 250, 5).repeat(60, axis=1).astype(np.uint8)
    mean = responses(grey).mean(axis=(1, 2))
    assert mean[:6].argmax() == 0 and mean[6:12].argmax() == 0


def test_a_constant_image_has_no_texture():
    assert responses(np.full((30, 40), 200, np.uint8)).max() < 1e-5
