"""Dense SIFT: what a descriptor is, and that it follows its pixel."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from sodlift.alignment.dense_sift import CELLS, LENGTH, ORIENTATIONS, dense_sift
from sodlift.arrays import Image8


def texture(seed: int = 0, size: tuple[int, int] = (60, 80)) -> Image8:
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return np.asarray(cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX), dtype=np.uint8)


@settings(deadline=None)  # the first example compiles
@given(arrays.arrays(np.uint8, (7, 9, 3)))
def test_descriptors_are_vectors_no_longer_than_255(image: Image8) -> None:
    descriptors = dense_sift(image)
    assert descriptors.shape == (7, 9, LENGTH) and descriptors.dtype == np.uint8
    assert np.linalg.norm(descriptors.astype(float), axis=2).max() <= 255 + np.sqrt(LENGTH) / 2


def test_a_textured_image_has_nearly_unit_vectors_and_a_flat_one_none() -> None:
    norms = np.linalg.norm(dense_sift(texture()).astype(float), axis=2)
    assert norms.min() > 200
    assert not dense_sift(np.full((20, 30, 3), 90, np.uint8)).any()


@pytest.mark.parametrize("angle", range(0, 360, 45))
def test_a_gradient_speaks_through_the_orientation_that_it_has(angle: int) -> None:
    y, x = np.mgrid[:40, :40]
    ramp = 128 + 3 * (np.cos(np.radians(angle)) * (x - 20) + np.sin(np.radians(angle)) * (y - 20))
    centre = dense_sift(np.repeat(np.clip(ramp, 0, 255).astype(np.uint8)[..., None], 3, axis=2))[20, 20]
    assert centre.reshape(CELLS**2, ORIENTATIONS).sum(0).argmax() == angle // 45


def test_descriptors_move_with_the_image_and_hardly_change_with_its_contrast() -> None:
    image = texture(1)
    moved = np.roll(image, (5, -7), axis=(0, 1))
    inner = (slice(15, -15), slice(15, -15))
    assert np.array_equal(np.roll(dense_sift(image), (5, -7), axis=(0, 1))[inner], dense_sift(moved)[inner])
    dim = (image // 2 + 30).astype(np.uint8)
    apart = np.abs(dense_sift(dim).astype(int) - dense_sift(image)).mean()
    assert apart < 2


def test_the_steepest_channel_counts() -> None:
    image = np.full((30, 30, 3), 100, np.uint8)
    image[:, 15:, 1] = 200
    grey = np.repeat(image[..., 1:2], 3, axis=2)
    assert np.array_equal(dense_sift(image), dense_sift(grey))


def test_cells_of_another_side_see_more_of_the_image() -> None:
    image = np.full((60, 60, 3), 100, np.uint8)
    image[:, 45:] = 200
    assert not dense_sift(image, cell=3)[30, 30].any()
    assert dense_sift(image, cell=6)[30, 34].any()
