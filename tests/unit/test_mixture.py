"""Gaussian mixtures grown by splitting."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from sodlift.priors._mixture import Mixture, fit, responsibilities, split


def clusters(centres, each=20, sigma=0.01, seed=0):
    rng = np.random.default_rng(seed)
    points = np.concatenate([rng.normal(centre, sigma, (each, 3)) for centre in centres])
    return points, rng.integers(1, 50, len(points)).astype(float)


CENTRES = [(0.1, 0.1, 0.1), (0.9, 0.1, 0.2), (0.2, 0.8, 0.9), (0.9, 0.9, 0.4)]


def test_clusters_that_lie_apart_are_found_and_not_cut_further():
    points, counts = clusters(CENTRES)
    members = split(points, counts, 15, 0.01).reshape(4, 20)
    assert (members == members[:, :1]).all() and len(set(members[:, 0])) == 4


def test_splitting_stops_at_the_number_asked_for():
    points, counts = clusters(CENTRES)
    assert [len(np.unique(split(points, counts, most, 1e-9))) for most in (1, 2, 3, 15)] == [1, 2, 3, 15]


def test_one_colour_is_one_group_however_small_the_spread():
    assert split(np.full((1, 3), 0.3), np.ones(1), 15, 1e-12).tolist() == [0]


def test_the_group_of_the_largest_variance_is_cut_across_it_at_its_weighted_mean():
    points = np.array([[0.0, 0, 0], [0.1, 0, 0], [0.2, 0, 0], [1.0, 0, 0]])
    assert split(points, np.array([1.0, 1, 1, 100]), 2, 0.001).tolist() in ([0, 0, 0, 1], [1, 1, 1, 0])
    heavy = split(points, np.array([100.0, 1, 1, 1]), 2, 0.001)
    assert heavy[0] != heavy[1] == heavy[2] == heavy[3]


def test_fitted_gaussians_are_numpys_weighted_moments():
    points, counts = clusters(CENTRES, sigma=0.1)
    members = np.repeat([0, 1, 3, 3], 20)
    mixture = fit(points, counts, members)
    for k, group in enumerate((0, 1, 3)):
        mine = members == group
        assert np.allclose(mixture.weights[k], counts[mine].sum() / counts.sum())
        assert np.allclose(mixture.means[k], np.average(points[mine], axis=0, weights=counts[mine]))
        assert np.allclose(mixture.covariances[k], np.cov(points[mine].T, aweights=counts[mine], bias=True))


@pytest.mark.parametrize("regularisation", [1e-3, 1e-2])
def test_responsibilities_are_scikit_learns(regularisation):
    points, counts = clusters(CENTRES, sigma=0.3)
    mixture = fit(points, counts, np.repeat([0, 1, 2, 3], 20))
    model = GaussianMixture(4)
    model.weights_, model.means_ = mixture.weights, mixture.means
    precisions = np.linalg.inv(mixture.covariances + regularisation * np.eye(3))
    model.precisions_cholesky_ = np.linalg.cholesky(precisions)
    assert np.allclose(responsibilities(points, mixture, regularisation), model.predict_proba(points), atol=1e-9)


def test_a_point_far_from_all_components_has_probabilities_as_well():
    mixture = Mixture(np.array([0.5, 0.5]), np.array([[0.0] * 3, [0.1] * 3]), np.zeros((2, 3, 3)))
    out = responsibilities(np.array([[100.0] * 3, [-100.0] * 3]), mixture, 1e-3)
    assert np.allclose(out, [[0, 1], [1, 0]])
