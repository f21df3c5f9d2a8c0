"""The working image of superpixel methods."""

import numpy as np
import pytest

from sodlift.priors._canvas import Canvas


def test_a_small_image_is_worked_on_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    canvas = Canvas.of(image, 60, frame=5)
    assert np.array_equal(canvas.image, image)
    labels = np.arange(2400, dtype=np.int32).reshape(40, 60) // 800
    assert np.array_equal(np.unique(canvas.paint(labels, np.array([3.0, 7.0, 5.0]))), [0, 0.5, 1])


@pytest.mark.parametrize(("size", "worked"), [((600, 300), (100, 50)), ((3, 5000), (1, 100)), ((101, 100), (100, 99))])
def test_a_large_image_is_shrunk_and_its_map_enlarged(size, worked):
    canvas = Canvas.of(np.zeros((*size, 3), np.uint8), 100)
    assert canvas.image.shape == (*worked, 3)
    assert canvas.paint(np.zeros(worked, np.int32), np.array([0.0, 1.0])).shape == size


def test_the_frame_is_cut_from_the_image_and_zero_in_the_map():
    image = np.pad(np.full((80, 90, 3), 200, np.uint8), ((6, 6), (6, 6), (0, 0)))
    canvas = Canvas.of(image, 1000, frame=20)
    inside = canvas.image.shape[:2]
    assert canvas.image.min() == 200 and inside[0] < 92 and canvas.image.flags.c_contiguous
    labels = np.zeros(inside, np.int32)
    labels[: inside[0] // 2] = 1
    out = canvas.paint(labels, np.array([1.0, 0.5]))
    assert out.shape == (92, 102) and not out[:6].any() and out.max() == 1
