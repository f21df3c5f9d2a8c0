"""FT against its formula."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.color import rgb2lab

from sodlift.priors.ft import PRIOR, FtParams, binomial


def noise(shape=(40, 55), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


@pytest.mark.parametrize("taps", [1, 3, 5])
def test_it_is_the_distance_of_the_blurred_image_to_the_mean(taps):
    image = noise()
    lab = rgb2lab(image)
    kernel = {1: [1], 3: [1, 2, 1], 5: [1, 4, 6, 4, 1]}[taps]
    weights = np.outer(kernel, kernel)[..., None] / np.sum(kernel) ** 2
    distance = np.linalg.norm(ndimage.correlate(lab, weights, mode="nearest") - lab.mean(axis=(0, 1)), axis=2)
    expected = (distance - distance.min()) / np.ptp(distance)
    assert np.allclose(PRIOR.compute(image, FtParams(taps)), expected, atol=0.01)


def test_the_filter_is_the_papers():
    assert (binomial(5) * 16).tolist() == [1, 4, 6, 4, 1]


def test_mirroring_the_image_mirrors_the_map():
    image = noise(seed=1)
    for flip in (np.s_[::-1], np.s_[:, ::-1]):
        assert np.allclose(PRIOR.compute(image[flip], FtParams()), PRIOR.compute(image, FtParams())[flip], atol=1e-5)


def test_a_speck_of_one_pixel_stands_out_less_than_a_patch():
    image = np.full((60, 80, 3), 100, np.uint8)
    image[10, 10] = image[30:40, 40:50] = (220, 60, 40)
    out = PRIOR.compute(image, FtParams())
    assert out[35, 45] == 1.0 and out[10, 10] < 0.25


def test_the_map_is_as_fine_as_the_image():
    image = np.full((60, 80, 3), 100, np.uint8)
    image[30:40, 40:50] = (220, 60, 40)
    out = PRIOR.compute(image, FtParams(taps=1))
    assert np.array_equal(out > 0.5, (image == (220, 60, 40)).all(axis=2))
