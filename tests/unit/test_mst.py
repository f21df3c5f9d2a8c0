"""MST: distances along the tree, dissimilarity from the border, and the map."""

import cv2
import numpy as np
from scipy.spatial.distance import mahalanobis

from sodlift.priors import PRIORS
from sodlift.priors._stretch import unit
from sodlift.priors.mst import MstParams, border_dissimilarity, tree_distance


def scene(*objects, size=(120, 160), noise=4):
    """Return a greenish scene with red rectangles (rows, columns)."""
    image = np.random.default_rng(5).normal((80, 110, 70), noise, (*size, 3))
    for rows, columns in objects:
        image[rows, columns] = (210, 60, 40)
    return image.clip(0, 255).astype(np.uint8)


def test_a_rectangle_is_as_far_as_its_colour_and_the_rest_at_the_border():
    image = np.full((30, 40, 3), (10, 20, 30), np.uint8)
    image[10:20, 10:25] = (10, 90, 50)
    image[22:26, 30:35] = (45, 20, 30)
    out = tree_distance(image)
    assert (out[10:20, 10:25] == 1).all() and (out[22:26, 30:35] == 0.5).all()
    assert np.count_nonzero(out) == 150 + 20


def test_distance_misses_an_object_at_the_border_and_dissimilarity_finds_it():
    image = scene((slice(70, 120), slice(60, 100)))
    inside, outside = (slice(75, 118), slice(62, 98)), (slice(0, 60), slice(0, 160))
    assert tree_distance(image)[inside].mean() < 0.2
    params = MstParams(clusters=1)
    assert border_dissimilarity(image, params)[inside].mean() > 4 * border_dissimilarity(image, params)[outside].mean()


def test_dissimilarity_from_one_cluster_is_mahalanobis():
    image = scene((slice(30, 60), slice(40, 90)), size=(80, 100), noise=12)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(float)
    ring = np.concatenate([lab[0], lab[-1], lab[1:-1, 0], lab[1:-1, -1]])
    inverse = np.linalg.inv(np.cov(ring.T, bias=True) + 50 * np.eye(3))
    theirs = [mahalanobis(colour, ring.mean(axis=0), inverse) for colour in lab.reshape(-1, 3)]
    ours = border_dissimilarity(image, MstParams(clusters=1))
    assert np.allclose(ours, unit(np.array(theirs)).reshape(80, 100), atol=1e-4)


def test_colours_of_any_part_of_the_border_are_near():
    image = np.zeros((60, 90, 3), np.uint8)
    image[:, 30:60], image[:, 60:] = (90, 140, 200), (240, 240, 230)
    image[20:40, 35:55] = (220, 30, 30)
    out = border_dissimilarity(image, MstParams())
    assert out[20:40, 35:55].min() == 1 and np.count_nonzero(out > 1e-3) == 400


def test_both_cues_lead_to_the_map_and_a_frame_is_left_out():
    image = scene((slice(45, 80), slice(60, 105)), size=(150, 200))
    framed = np.pad(image, ((8, 8), (8, 8), (0, 0)))
    prior = PRIORS.get("mst")
    for picture, shift in ((image, 0), (framed, 8)):
        out = prior.compute(picture, MstParams())
        assert out[50 + shift : 75 + shift, 65 + shift : 100 + shift].min() > 0.9
        assert out[: 20 + shift].max() < 0.3 and out[:, : 20 + shift].max() < 0.3


def test_large_images_are_worked_at_the_side_of_the_parameters():
    image = scene((slice(45, 80), slice(60, 105)), size=(150, 200))
    prior = PRIORS.get("mst")
    small = prior.compute(image, MstParams(side=100, frame=0))
    large = prior.compute(image.repeat(4, axis=0).repeat(4, axis=1), MstParams(side=100, frame=0))
    assert np.abs(large[2::4, 2::4] - small).mean() < 0.02


def test_steps_end_with_the_map():
    image = scene((slice(45, 80), slice(60, 105)))
    prior = PRIORS.get("mst")
    maps = prior.steps(image, MstParams())
    assert next(iter(maps)) == "tree distance" and 3 <= len(maps) <= 6
    assert all(part.shape == (120, 160) and part.min() == 0 and part.max() == 1 for part in maps.values())
    assert np.array_equal(list(maps.values())[-1], prior.compute(image, MstParams()))
