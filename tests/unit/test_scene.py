"""What alignment sees of an image: the same superpixels at two sizes, and boxes in pixels of the smaller one."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from scene_samples import scene as picture

from sodlift.alignment.scene import SIZE, Scene, scene


def assert_whole(seen: Scene) -> None:
    """Every superpixel has pixels at either size, and the numbers have no gap."""
    assert np.array_equal(np.unique(seen.labels), np.arange(seen.count))
    assert np.array_equal(np.unique(seen.full), np.arange(seen.count))
    assert seen.image.shape == (*SIZE, 3) and seen.labels.shape == SIZE
    assert seen.labels.dtype == seen.full.dtype == np.int32


def test_superpixels_are_those_of_the_image_seen_smaller() -> None:
    seen = scene(picture(0, 300, 400))
    assert_whole(seen)
    assert seen.full.shape == (300, 400) and 450 <= seen.count <= 550
    assert np.array_equal(seen.labels, seen.full[1::2, 1::2])  # the pixel at the middle of each 2x2


@pytest.mark.parametrize("size", [(20, 20), (1, 1), (3, 2000), (1500, 9), (149, 201), (700, 1100)])
def test_any_size_and_aspect_keeps_every_superpixel_at_either_size(size: tuple[int, int]) -> None:
    seen = scene(np.asarray(cv2.resize(picture(0), size[::-1])))
    assert_whole(seen)
    assert seen.full.shape == size


def test_superpixels_that_would_vanish_are_given_up_for_those_around_them() -> None:
    image = np.random.default_rng(0).integers(0, 256, (3, 4000, 3), np.uint8)
    seen = scene(image, 4000)
    assert_whole(seen)
    assert seen.count <= 600  # of as many superpixels as pixels in a row, 200 columns are left
    columns = np.arange(4000)
    for k in range(0, seen.count, 50):
        assert np.ptp(columns[(seen.full == k).any(0)]) <= 60


def test_boxes_are_those_of_the_image_in_pixels_of_the_size_compared_at() -> None:
    image = np.full((300, 400, 3), (60, 110, 70), np.uint8)
    image[100:200, 40:160] = (220, 60, 40)
    image[30:60, 300:340] = (40, 60, 200)  # 1200 pixels, of which a quarter are left at SIZE
    seen = scene(image)
    boxes = seen.proposals.boxes
    assert 0 < len(boxes) <= 100 and len(seen.proposals.scores) == len(boxes)
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] >= 1).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= SIZE[::-1]).all()
    for box in ((20, 50, 60, 50), (150, 15, 20, 15)):
        corner = np.minimum(np.add(box[:2], box[2:]), boxes[:, :2] + boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
        shared = np.prod(np.clip(corner, 0, None), axis=1)
        assert (shared / (np.prod(box[2:]) + np.prod(boxes[:, 2:], axis=1) - shared)).max() > 0.6


def test_what_boxes_hold_and_where_superpixels_are() -> None:
    seen = scene(picture(1))
    y, x = np.nonzero(seen.labels == 7)
    assert np.allclose(seen.centres[7], (x.mean(), y.mean()))
    assert seen.colours.shape == (seen.count, 3)
    assert seen.inside.shape == (len(seen.proposals.boxes), seen.count)
    left, top, width, height = seen.proposals.boxes[3]
    column, row = np.floor(seen.centres).T
    held = (left <= column) & (column < left + width) & (top <= row) & (row < top + height)
    assert np.array_equal(seen.inside[3], held)


def test_a_flat_image_has_no_boxes() -> None:
    seen = scene(np.full((60, 80, 3), 128, np.uint8))
    assert_whole(seen)
    assert seen.proposals.boxes.shape == (0, 4) and seen.inside.shape == (0, seen.count)


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    seen = scene(picture(2))
    seen.save(tmp_path / "scenes" / "one.npz")
    loaded = Scene.load(tmp_path / "scenes" / "one.npz")
    for name in ("image", "labels", "full"):
        one, other = getattr(seen, name), getattr(loaded, name)
        assert np.array_equal(one, other) and one.dtype == other.dtype
    for one, other in zip(seen.proposals, loaded.proposals, strict=True):
        assert np.array_equal(one, other) and one.dtype == other.dtype
    assert [file.name for file in (tmp_path / "scenes").iterdir()] == ["one.npz"]


def test_the_same_image_gives_the_same_scene() -> None:
    one, other = scene(picture(3)), scene(picture(3))
    assert np.array_equal(one.labels, other.labels) and np.array_equal(one.proposals.boxes, other.proposals.boxes)
