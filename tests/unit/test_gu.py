"""GU on components small enough to reason about, and on scenes."""

import cv2
import numpy as np
import pytest

from sodlift.priors import PRIORS
from sodlift.priors._palette import Palette
from sodlift.priors.gu import Components, GuParams, abstraction, centredness, contrast, rescale, uniqueness


def components(means, weights, distances):
    """Return hard components, of one colour each."""
    count = len(weights)
    palette = Palette(np.zeros((count, 3)), np.ones(count), np.arange(count, dtype=np.int32)[None])
    return Components(palette, np.eye(count), np.array(weights), np.array(means, float), np.array(distances))


def scene(rows, columns, colour=(210, 60, 40)):
    image = np.random.default_rng(5).normal((80, 110, 70), 8, (120, 160, 3)).clip(0, 255).astype(np.uint8)
    image[rows, columns] = colour
    return image


def test_contrast_is_the_weighted_mean_distance_over_the_largest():
    found = contrast(components([(0, 0, 0), (30, 0, 0), (0, 0, 40)], [0.5, 0.3, 0.2], [0.5] * 3))
    assert np.allclose(found, [(0.3 * 30 + 0.2 * 40) / 40, (0.5 * 30 + 0.2 * 50) / 50, (0.5 * 40 + 0.3 * 50) / 50])


def test_centredness_falls_with_the_squared_distance():
    found = centredness(components([(0, 0, 0)] * 3, [0.2, 0.3, 0.5], [0, 1 / 3, 1]), GuParams())
    assert np.allclose(found, np.exp([0, -1, -9]))


def test_one_component_is_not_unique():
    assert uniqueness(components([(50, 0, 0)], [1.0], [0.7]), GuParams()).tolist() == [0]


def test_values_grow_until_enough_weight_reaches_the_top():
    values, weights = np.array([1.0, 0.5, 0.2]), np.array([0.004, 0.006, 0.99])
    assert np.allclose(rescale(values, weights, 0.01, 0.95), [1, 0.95, 0.38])
    assert np.allclose(rescale(values, weights[::-1], 0.01, 0.95), values)
    # what little stands out of nothing is left as it is
    assert np.allclose(rescale(np.array([1.0, 0]), np.array([0.001, 0.999]), 0.01, 0.95), [1, 0])


def test_probabilities_weights_and_distances_are_those_of_the_pixels():
    image = scene(slice(40, 80), slice(60, 100))
    found = abstraction(image, GuParams())
    assert np.allclose(found.shares.sum(axis=1), 1) and found.weights.sum() == pytest.approx(1)
    yy, xx = np.mgrid[:120, :160]
    away = np.hypot((yy - 59.5) / 60, (xx - 79.5) / 80)
    soft = found.shares[found.palette.indices]
    assert np.allclose(found.weights, soft.mean(axis=(0, 1)))
    assert np.allclose(found.distances, (soft * away[..., None]).sum(axis=(0, 1)) / soft.sum(axis=(0, 1)))


def test_painting_is_the_sum_of_the_smoothed_maps_of_the_components():
    found = abstraction(scene(slice(40, 80), slice(60, 100)), GuParams())
    values = np.linspace(0.1, 0.9, len(found.weights))
    soft = found.shares[found.palette.indices]
    apart = sum(v * cv2.blur(soft[..., k], (3, 3)) for k, v in enumerate(values))
    assert np.allclose(found.paint(values), apart, atol=1e-6)


def test_of_two_alike_objects_of_different_colours_the_central_one_stands_out():
    image = scene(slice(45, 75), slice(60, 100))
    image[5:35, 5:45] = (40, 60, 210)
    out = PRIORS.get("gu").compute(image, GuParams())
    assert out[50:70, 65:95].min() > 0.9 and out[8:32, 8:42].max() < 0.3


def test_colours_and_not_places_stand_out():
    image = scene(slice(45, 75), slice(60, 100))
    image[2:8, 2:8] = (210, 60, 40)
    out = PRIORS.get("gu").compute(image, GuParams())
    assert out[4:6, 4:6].min() > 0.9


def test_the_mirror_image_has_the_mirror_map():
    image = scene(slice(45, 75), slice(30, 70))
    compute = PRIORS.get("gu").compute
    assert np.allclose(compute(image[:, ::-1], GuParams()), compute(image, GuParams())[:, ::-1], atol=1e-5)


def test_steps_end_with_the_map():
    image = scene(slice(45, 75), slice(60, 100))
    prior = PRIORS.get("gu")
    maps = prior.steps(image, GuParams())
    assert list(maps) == ["components", "contrast", "centredness", "uniqueness", "map"]
    assert all(part.shape == (120, 160) and part.min() == 0 and part.max() == 1 for part in maps.values())
    assert np.array_equal(maps["map"], prior.compute(image, GuParams()))
