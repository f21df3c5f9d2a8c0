"""Affinities by colour."""

import numpy as np

from sodlift.priors._affinity import colour_affinity


def test_it_is_the_exponential_of_the_distances_stretched_over_the_links():
    rng = np.random.default_rng(0)
    colours, links = rng.normal(50, 20, (40, 3)), rng.random((40, 40)) < 0.2
    links = (links | links.T) & ~np.eye(40, dtype=bool)
    distances = np.linalg.norm(colours[:, None] - colours, axis=2)
    low, high = distances[links].min(), distances[links].max()
    expected = np.where(links, np.exp(-7 * (distances - low) / (high - low)), 0)
    assert np.allclose(colour_affinity(colours, links, 7.0), expected, rtol=1e-12, atol=0)


def test_alike_neighbours_have_affinity_one():
    links = np.array([[False, True, False], [True, False, True], [False, True, False]])
    assert np.array_equal(colour_affinity(np.full((3, 3), 5.0), links), links.astype(float))


def test_without_links_nothing_is_alike():
    assert not colour_affinity(np.eye(3), np.zeros((3, 3), bool)).any()
