"""Local binary patterns: codes held against scikit-image's, and the bins of the uniform ones."""

import numpy as np
import pytest
from skimage import data
from skimage.feature import local_binary_pattern

from sodlift.priors._lbp import UNIFORM_BINS, lbp_codes, uniform_bins

SIDES, CORNERS = 0b01010101, 0b10101010


@pytest.mark.parametrize("bits, radius", [(SIDES, 1.0), (CORNERS, 2**0.5)])
def test_codes_are_scikit_images_where_its_circle_meets_pixels(bits, radius):
    grey = data.camera()[:200:2, :300:2]
    theirs = local_binary_pattern(grey, 8, radius).astype(int)
    assert np.array_equal((lbp_codes(grey) & bits)[1:-1, 1:-1], (theirs & bits)[1:-1, 1:-1])


def test_beyond_the_border_the_image_is_repeated():
    grey = np.random.default_rng(0).integers(0, 256, (7, 9), dtype=np.uint8)
    assert np.array_equal(lbp_codes(grey), lbp_codes(np.pad(grey, 3, mode="edge"))[3:-3, 3:-3])


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (5, 1)])
def test_a_flat_image_has_all_bits_set(shape):
    assert (lbp_codes(np.full(shape, 80, np.uint8)) == 255).all()


def test_codes_ignore_brightness_and_contrast():
    grey = np.random.default_rng(1).integers(0, 100, (20, 30), dtype=np.uint8)
    assert np.array_equal(lbp_codes(grey), lbp_codes(grey * 2 + 40))


def test_uniform_patterns_have_a_bin_each_and_the_others_share_the_last():
    bins = uniform_bins()
    assert bins.shape == (256,) and np.array_equal(np.unique(bins), np.arange(UNIFORM_BINS))
    assert (bins == UNIFORM_BINS - 1).sum() == 256 - 58
    assert (np.diff(bins[bins < UNIFORM_BINS - 1].astype(int)) > 0).all()


def test_a_turned_pattern_stays_uniform_or_stays_not():
    bins = uniform_bins()
    codes = np.arange(256)
    turned = (codes << 1 | codes >> 7) & 255
    assert np.array_equal(bins == UNIFORM_BINS - 1, bins[turned] == UNIFORM_BINS - 1)
