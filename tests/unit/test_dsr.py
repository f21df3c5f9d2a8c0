"""DSR and its parts: reconstruction, propagation and Bayesian fusion on cases small enough to reason about."""

import numpy as np
import pytest

from sodlift.arrays import resize, resize_image
from sodlift.priors import PRIORS
from sodlift.priors._bayes import posterior
from sodlift.priors._propagation import propagate
from sodlift.priors._reconstruction import dense_errors, principal_components, sparse_errors
from sodlift.priors.dsr import DsrParams, object_bias, pixel_features, scale_errors
from sodlift.superpixels.colour import lab_planes

DSR = PRIORS.get("dsr")
FAST = DsrParams(scales=((50, 10.0), (150, 20.0)))


@pytest.fixture
def scene():
    image = np.random.default_rng(3).normal((70, 90, 60), 6, (150, 200, 3)).clip(0, 255).astype(np.uint8)
    image[50:105, 65:130] = (220, 60, 40)
    return image


def test_components_are_numpys_right_singular_vectors():
    templates = np.random.default_rng(0).random((30, 8))
    _, lengths, directions = np.linalg.svd(templates)
    for energy in (0.5, 0.9, 0.95, 0.99):
        enough = np.flatnonzero(np.cumsum(lengths**2) >= energy * (lengths**2).sum())[0] + 1
        found = principal_components(templates, energy)
        assert len(found) == min(8, enough + 1)
        assert np.allclose(np.abs((found * directions[: len(found)]).sum(axis=1)), 1)


def test_dense_errors_are_lengths_across_the_subspace():
    # the second axis holds two thirds of the energy, the one component more is the first axis
    templates = np.array([[1.0, 0, 0], [0, 1, 0], [0, 1, 0]])
    features = np.array([[3.0, 1, 2], [-1, 4, -2], [0, 0, 9], [5, 5, -9]])
    assert np.allclose(dense_errors(features, templates, 0.6), [2, 2, 9, 9])


def test_templates_rebuild_themselves_and_nothing_rebuilds_a_new_direction():
    atoms = np.eye(5)[:3]
    errors = sparse_errors(np.concatenate([7 * atoms, np.eye(5)[3:]]), atoms, 0.01)
    # one coefficient of 1 - λ leaves λ²
    assert np.allclose(errors, [1e-4, 1e-4, 1e-4, 1, 1], atol=1e-9)


def test_errors_are_propagated_in_descending_order_within_clusters():
    # two clusters far apart, members all but equal in features: weights 1
    features = np.array([[0.0], [1e-6], [2e-6], [100.0], [100.000001]])
    out = propagate(np.array([[0.2, 1.0, 0.6, 0.0, 0.8]]), features, 2, 0.5)[0]
    # second: .5 + .5·mean(.2, .6) = .7; third: .3 + .5·mean(.2, .7) = .525; first: .1 + .5·mean(.7, .525)
    assert np.allclose(out, [0.1 + 0.5 * 0.6125, 0.7, 0.525, 0.5 * 0.4, 0.4])


def test_propagation_keeps_constant_errors_and_lone_superpixels():
    features = np.random.default_rng(1).random((40, 8))
    assert np.allclose(propagate(np.full((2, 40), 0.3), features, 8, 0.5), 0.3)
    assert np.allclose(propagate(np.array([[0.1, 0.9, 0.4]]), features[:3], 8, 0.5), [[0.1, 0.9, 0.4]])


def test_the_posterior_is_bayes_rule():
    # foreground: prior .8, observed 0, 1, 1, 1; background: prior .2, observed 0, 0, 0, 1; two bins
    prior = np.array([[0.8] * 4, [0.2] * 4], np.float32)
    observed = np.array([[0, 1, 1, 1], [0, 0, 0, 1]], np.float32)
    low, high = 0.8 * 0.25 / (0.8 * 0.25 + 0.2 * 0.75), 0.8 * 0.75 / (0.8 * 0.75 + 0.2 * 0.25)
    assert np.allclose(posterior(prior, observed, 2)[0], [low, high, high, high])
    assert np.allclose(posterior(prior, observed, 2)[1, [0, 3]], [0.2 * 0.25 / (0.05 + 0.6), 0.2 * 0.75 / (0.15 + 0.2)])


def test_a_prior_without_sides_stays_finite():
    flat = np.full((4, 5), 0.5, np.float32)
    observed = np.linspace(0, 1, 20, dtype=np.float32).reshape(4, 5)
    for prior in (flat, np.zeros_like(flat), np.ones_like(flat)):
        out = posterior(prior, observed, 60)
        assert np.isfinite(out).all() and out.min() >= 0 and out.max() <= 1


def test_the_object_bias_favours_what_is_near_the_centre_of_mass():
    errors = np.zeros((40, 60), np.float32)
    errors[8:12, 8:12] = errors[10, 50] = 0.5
    out = object_bias(errors, 0.25)
    assert out[10, 10] > 0.95 and out[10, 50] < 0.3
    assert not object_bias(np.zeros((3, 3), np.float32), 0.25).any()


def test_features_fill_the_unit_range_except_where_colour_is_missing(scene):
    features = pixel_features(scene, lab_planes(scene))
    assert np.allclose(features[..., 3:6].min(axis=(0, 1)), 0) and np.allclose(features[..., 3:6].max(axis=(0, 1)), 1)
    assert np.allclose(features[30, 50], [*(scene[30, 50] / 255), *features[30, 50, 3:6], 50 / 200, 30 / 150])
    grey = np.repeat(scene[..., :1], 3, axis=2)
    assert np.ptp(pixel_features(grey, lab_planes(grey))[..., 4:6], axis=(0, 1)).max() < 0.1


def test_a_superpixel_unlike_the_border_has_the_largest_errors():
    rng = np.random.default_rng(2)
    features = 0.5 + rng.normal(0, 0.02, (50, 8))
    features[20:23, 3:6] += (0.4, -0.4, 0.3)
    border = np.arange(50) >= 30
    dense, sparse = scale_errors(features, border, DsrParams())
    for errors in (dense, sparse):
        assert errors[20:23].min() > 0.8 and np.delete(errors, slice(20, 23)).max() < 0.4


def test_the_last_step_is_the_map(scene):
    steps = DSR.steps(scene, FAST)
    assert list(steps)[-1] == "map" and len(steps) == 5
    assert np.array_equal(steps["map"], DSR.compute(scene, FAST))
    for values in steps.values():
        assert values.shape == scene.shape[:2] and values.dtype == np.float32
        assert values.min() == 0 and values.max() == 1
    assert not any(values.any() for values in DSR.steps(np.full((9, 7, 3), 80, np.uint8), FAST).values())


def test_a_large_image_is_worked_on_at_the_given_side(scene):
    large = scene.repeat(4, axis=0).repeat(4, axis=1)
    shrunk = DSR.compute(resize_image(large, (150, 200)), FAST)
    found = DSR.compute(large, DsrParams(side=200, scales=FAST.scales))
    assert np.array_equal(found, resize(shrunk, (600, 800)))


def test_a_frame_is_left_out_on_demand(scene):
    framed = np.pad(scene, ((9, 9), (9, 9), (0, 0)))
    out = DSR.compute(framed, DsrParams(frame=30, scales=FAST.scales))
    assert not out[:9].any() and not out[:, -9:].any() and out[20:50].mean() < 0.2
    assert out[75:105, 85:130].mean() > 0.9
