"""The graph segmentation against scikit-image's, and what its regions keep."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.segmentation import felzenszwalb as oracle

from sodlift.superpixels.felzenszwalb import felzenszwalb, segment, sorted_edges


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


@pytest.mark.parametrize(("k", "smallest"), [(100, 1), (300, 20), (900, 5)])
@pytest.mark.parametrize("shape", [(40, 50), (1, 60), (31, 3)])
def test_the_regions_are_those_of_scikit_image(shape, k, smallest):
    image = noise(shape)
    labels, count = felzenszwalb(image, 0, k, smallest)
    # its colours are in [0, 1]; so is its scale
    theirs = oracle(image / 255.0, scale=k, sigma=0, min_size=smallest)
    assert count == theirs.max() + 1 == len(set(zip(labels.ravel(), theirs.ravel(), strict=True)))


def test_smoothing_repeats_the_border_as_scipy_does():
    image = noise((30, 40), 1)
    edges = sorted_edges(image, 0.8)
    smooth = ndimage.gaussian_filter(image.astype(float), (0.8, 0.8, 0), mode="nearest", truncate=5)
    right = edges.codes % 4 == 0
    y, x = np.divmod(edges.codes[right] // 4, 40)
    expected = np.linalg.norm(smooth[y, x] - smooth[y, x + 1], axis=1)
    assert np.allclose(edges.weights[right], expected, atol=0.01)


def test_edges_ascend_and_equal_ones_keep_the_order_of_their_pixels():
    edges = sorted_edges(noise((20, 30)) // 64 * 64, 0)
    steps = np.diff(edges.weights)
    assert (steps >= 0).all() and (np.diff(edges.codes)[steps == 0] > 0).all()
    assert len(edges.codes) == 20 * 29 + 19 * 30 + 2 * 19 * 29


def test_labels_follow_the_first_pixels_and_regions_are_connected_and_large_enough():
    labels, count = felzenszwalb(noise((60, 80)), 0.8, 200, 30)
    values, first = np.unique(labels, return_index=True)
    assert values.tolist() == list(range(count)) and (np.diff(first) > 0).all()
    assert np.bincount(labels.ravel()).min() >= 30
    assert all(ndimage.label(labels == k, np.ones((3, 3)))[1] == 1 for k in range(count))


def test_two_flat_halves_are_two_regions_and_a_gradient_is_one():
    image = np.zeros((30, 40, 3), np.uint8)
    image[:, 20:] = 200
    labels, count = felzenszwalb(image, 0, 100, 10)
    assert count == 2 and (labels == (np.arange(40) >= 20)).all()
    assert felzenszwalb(np.arange(40, dtype=np.uint8)[None, :, None].repeat(30, 0).repeat(3, 2), 0, 100, 10)[1] == 1


def test_segmentations_that_share_edges_do_not_disturb_each_other():
    edges = sorted_edges(noise((40, 50)), 0.9)
    first = segment(edges, 200, 10)[0]
    segment(edges, 500, 50)
    assert np.array_equal(first, segment(edges, 200, 10)[0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1)])
def test_a_tiny_image_is_one_region(shape):
    labels, count = felzenszwalb(noise(shape), 0.8, 100, 150)
    assert count == 1 and not labels.any() and labels.shape == shape
