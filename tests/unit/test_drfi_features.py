"""The features of DRFI's regions against plain NumPy, and on regions drawn by hand."""

from itertools import pairwise

import numpy as np
import pytest

from sodlift.priors._drfi_features import CONTRASTS, FEATURES, region_features
from sodlift.priors._drfi_pixels import CHANNELS, COMPARED, HISTOGRAMS, measure

STRIP, REACH = 0.1, 0.4
BOUNDS = np.cumsum((0, *HISTOGRAMS))


@pytest.fixture(scope="module")
def scene():
    """Pixels of an image of noise over a ramp, a segmentation into five regions and one into two."""
    rng = np.random.default_rng(0)
    image = (rng.integers(0, 60, (30, 40, 3)) + np.arange(40)[None, :, None] * 4).astype(np.uint8)
    labels = np.zeros((30, 40), np.int32)
    labels[5:15, 8:20] = 1
    labels[15:25, 4:30] = 2
    labels[:, 34:] = 3
    labels[20:, 31:33] = 4
    return measure(image), (labels, 5), ((np.arange(40) > 20)[None].repeat(30, 0).astype(np.int32), 2)


@pytest.fixture(scope="module")
def features(scene):
    pixels, five, two = scene
    return region_features(pixels, [five, two], STRIP, REACH)[0]


def histogram(bins):
    """Return the five histograms, each of sum 1, of pixels' bins (n, 5)."""
    return np.bincount(bins.ravel(), minlength=BOUNDS[-1]) / len(bins)


def differences(one, other):
    """Return the 29 differences of two sets of pixels, each (channels (n, 27), bins (n, 5))."""
    means = np.abs(one[0].mean(axis=0, dtype=float) - other[0].mean(axis=0, dtype=float))[:COMPARED]
    a, b = histogram(one[1]), histogram(other[1])
    with np.errstate(invalid="ignore"):
        terms = np.nan_to_num((a - b) ** 2 / (a + b)) / 2
    return np.concatenate([means, [terms[i:j].sum() for i, j in pairwise(BOUNDS)]])


def test_contrast_is_the_weighted_sum_of_differences_to_all_regions(scene, features):
    pixels, (labels, count), _ = scene
    parts = [(pixels.channels[labels == k], pixels.bins[labels == k]) for k in range(count)]
    centres = np.array([part[0][:, -2:].mean(axis=0) for part in parts])
    for i in range(count):
        expected = np.zeros(CONTRASTS)
        for j in range(count):
            near = np.exp(-((centres[i] - centres[j]) ** 2).sum() / REACH)
            expected += len(parts[j][0]) / labels.size * near * differences(parts[i], parts[j])
        assert np.allclose(features[i, :CONTRASTS], expected, atol=1e-5)


def test_backgroundness_is_the_difference_to_the_border_strip(scene, features):
    pixels, (labels, count), _ = scene
    border = np.ones(labels.shape, bool)
    border[4:-4, 4:-4] = False  # a tenth of 40 pixels
    for k in range(count):
        own = (pixels.channels[labels == k], pixels.bins[labels == k])
        expected = differences(own, (pixels.channels[border], pixels.bins[border]))
        assert np.allclose(features[k, CONTRASTS : 2 * CONTRASTS], expected, atol=1e-5)


def test_properties_of_a_rectangle(scene, features):
    pixels, (labels, _), _ = scene
    own = features[1, 2 * CONTRASTS :]
    assert own[:2] == pytest.approx([14 / 40, 10 / 30])
    # of 12 columns from 8 and 10 rows from 5: the second and the eleventh, the first and the ninth
    assert own[2:6] == pytest.approx([9.5 / 40, 5.5 / 30, 18.5 / 40, 13.5 / 30])
    assert own[6] == pytest.approx((2 * 12 + 2 * 8) / 140) and own[7] == pytest.approx(1.2)
    assert own[8:33] == pytest.approx(pixels.channels[labels == 1].astype(float).var(axis=0)[: COMPARED + 1], abs=1e-6)
    # neighbours are the ground and the rectangle below
    ground, below = (np.count_nonzero(labels == k) / labels.size for k in (0, 2))
    assert own[33] == pytest.approx(0.1) and own[34] == pytest.approx(ground + below)


def test_features_do_not_depend_on_the_other_segmentations(scene, features):
    pixels, five, _ = scene
    alone = region_features(pixels, [five], STRIP, REACH)[0]
    assert alone.shape == (5, FEATURES) == (5, 93) and np.allclose(alone, features, atol=1e-6)


def test_an_image_of_one_region_has_no_contrast(scene):
    pixels = scene[0]
    (one,) = region_features(pixels, [(np.zeros((30, 40), np.int32), 1)], STRIP, REACH)
    assert not one[:, :CONTRASTS].any() and np.isfinite(one).all() and one[0, -2:].tolist() == [1, 0]


def test_channels_and_bins_are_what_they_are_named():
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, 3:] = (255, 255, 255)
    image[:, :1] = (0, 0, 255)
    pixels = measure(image)
    assert pixels.channels.shape == (4, 6, CHANNELS) and pixels.bins.shape == (4, 6, 5)
    assert pixels.channels[0, 5, :9] == pytest.approx([1, 1, 1, 1, 0.5, 0.5, 0, 0, 1], abs=1e-3)
    assert pixels.channels[0, 0, [0, 1, 2, 6, 7, 8]] == pytest.approx([0, 0, 1, 2 / 3, 1, 1], abs=1e-6)
    assert pixels.channels[3, 5, -2:] == pytest.approx([3.5 / 4, 5.5 / 6])
    # white is the last bin of RGB, black the first
    assert pixels.bins[0, 5, 0] == 511 and pixels.bins[0, 2, 0] == 0
    assert ((pixels.bins >= BOUNDS[:-1]) & (pixels.bins < BOUNDS[1:])).all()
