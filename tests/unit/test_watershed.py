"""The watershed against scikit-image's, and on surfaces drawn by hand."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.ndimage import label as components
from skimage.morphology import local_minima
from skimage.segmentation import watershed as scikit_watershed

from sodlift.superpixels.watershed import watershed


@pytest.mark.parametrize("seed", range(6))
def test_basins_are_those_of_scikit_image_where_all_heights_differ(seed):
    heights = gaussian_filter(np.random.default_rng(seed).random((16, 16)), 0.3 * seed)
    surface = heights.ravel().argsort().argsort().reshape(16, 16).astype(np.uint8)
    markers, count = components(local_minima(surface, connectivity=1))
    labels, found = watershed(surface)
    assert found == count > 1
    assert np.array_equal(labels + 1, scikit_watershed(surface, markers, connectivity=1))


@pytest.mark.parametrize("levels", [3, 12, 200])
def test_every_plateau_that_scikit_image_calls_a_minimum_gets_a_basin_of_its_own(levels):
    smooth = gaussian_filter(np.random.default_rng(levels).random((47, 61)), 1)
    surface = (levels * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)
    markers, count = components(local_minima(surface, connectivity=1))
    labels, found = watershed(surface)
    assert found == count and np.array_equal(labels[markers > 0] + 1, markers[markers > 0])
    assert all(components(labels == k)[1] == 1 for k in range(count))


def test_a_plateau_between_two_valleys_is_shared_in_the_middle():
    labels, count = watershed(np.array([[0, 7, 7, 7, 7, 7, 7, 0]], np.uint8))
    assert count == 2 and labels.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1]]


def test_two_valleys_meet_on_their_ridge():
    surface = np.tile(np.array([5, 3, 2, 4, 9, 1, 0, 6], np.uint8), (4, 1))
    labels, count = watershed(surface)
    assert count == 2 and (labels[:, :4] == 0).all() and (labels[:, 5:] == 1).all()


def test_a_flat_surface_is_one_basin():
    labels, count = watershed(np.full((6, 7), 255, np.uint8))
    assert count == 1 and not labels.any()


def test_a_plateau_on_a_slope_is_no_minimum():
    labels, count = watershed(np.array([[9, 5, 5, 5, 2, 7]], np.uint8))
    assert count == 1 and not labels.any()


def test_basins_are_numbered_by_their_minima_in_raster_order():
    surface = np.full((5, 5), 50, np.uint8)
    surface[4, 0], surface[2, 4], surface[0, 2] = 1, 9, 20
    labels, count = watershed(surface)
    assert count == 3 and [labels[0, 2], labels[2, 4], labels[4, 0]] == [0, 1, 2]
