"""Distances to a set of nodes and inverses of graph matrices, against SciPy and NumPy."""

import numpy as np
import pytest
from scipy.sparse import csgraph, csr_array

from sodlift.superpixels.graph import distances_to, inverse


def random_graph(seed, count=40):
    rng = np.random.default_rng(seed)
    links = np.triu(rng.random((count, count)) < 0.08, 1)
    weights = np.triu(rng.uniform(0.1, 4, (count, count)))
    return links | links.T, weights + weights.T


@pytest.mark.parametrize("seed", range(5))
def test_distances_to_several_sources_agree_with_scipy(seed):
    links, weights = random_graph(seed)
    sources = np.arange(40) % 13 == 0
    graph = csr_array(np.where(links, weights, 0))
    expected = csgraph.dijkstra(graph, indices=np.flatnonzero(sources), min_only=True)
    assert np.allclose(distances_to(sources, weights, links), expected)


def test_steps_of_no_length_are_free_and_what_nothing_reaches_is_infinitely_far():
    links = np.zeros((4, 4), bool)
    links[0, 1] = links[1, 0] = links[1, 2] = links[2, 1] = True
    weights = np.zeros((4, 4))
    weights[1, 2] = weights[2, 1] = 3
    assert distances_to(np.array([True, False, False, False]), weights, links).tolist() == [0, 0, 3, np.inf]


@pytest.mark.parametrize("count", [1, 2, 60])
def test_inverses_agree_with_numpy_and_are_exactly_symmetric(count):
    rng = np.random.default_rng(count)
    weights = rng.random((count, count)) * (1 - np.eye(count))
    weights += weights.T
    matrix = np.diag(weights.sum(axis=1) + 1) - 0.99 * weights
    before, out = matrix.copy(), inverse(matrix)
    assert np.allclose(out, np.linalg.inv(matrix), rtol=1e-10) and np.array_equal(out, out.T)
    assert np.array_equal(matrix, before)


@pytest.mark.parametrize("matrix", [[[0.0]], [[1.0, 2.0], [2.0, 1.0]], [[np.nan]]])
def test_a_matrix_that_is_not_positive_definite_has_no_inverse_here(matrix):
    with pytest.raises(ValueError, match="not positive definite"):
        inverse(np.array(matrix))
