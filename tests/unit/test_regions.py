"""Region statistics and graphs of superpixels, against SciPy and NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.sparse import csgraph
from scipy.spatial.distance import cdist

from sodlift.superpixels import graph, regions


@pytest.fixture
def labels():
    """A 2x3 grid of regions; 0-1-2 above 3-4-5."""
    rows, cols = np.arange(8) // 4, np.arange(9) // 3
    return (rows[:, None] * 3 + cols).astype(np.int32)


def random_graph(seed, count=30):
    rng = np.random.default_rng(seed)
    links = rng.random((count, count)) < 0.12
    links |= links.T
    np.fill_diagonal(links, False)
    weights = rng.integers(0, 4, (count, count)).astype(float)
    return links, np.maximum(weights, weights.T)


def test_means_and_centroids_agree_with_scipy(labels):
    values = np.random.default_rng(0).integers(0, 256, (*labels.shape, 3), dtype=np.uint8)
    expected = [ndimage.mean(values[..., c], labels, np.arange(6)) for c in range(3)]
    assert np.allclose(regions.means(labels, 6, values), np.transpose(expected))
    assert np.allclose(
        regions.centroids(labels, 6), ndimage.center_of_mass(np.ones(labels.shape), labels, np.arange(6))
    )


def test_border_regions_are_those_within_the_band():
    labels = np.pad(np.pad(np.array([[2]], np.int32), 3, constant_values=1), 2)
    assert regions.border_regions(labels, 3, 1).tolist() == [True, False, False]
    assert regions.border_regions(labels, 3, 3).tolist() == [True, True, False]
    assert regions.border_regions(labels, 3, 100).all()


def test_values_return_to_their_pixels(labels):
    out = regions.to_pixels(labels, np.linspace(0, 1, 6))
    assert out.dtype == np.float32 and np.array_equal(out, np.linspace(0, 1, 6, dtype=np.float32)[labels])


def test_neighbours_share_a_side_and_on_demand_a_corner(labels):
    sides = {(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)}
    corners = {(0, 4), (1, 3), (1, 5), (2, 4)}
    for diagonal, expected in ((False, sides), (True, sides | corners)):
        links = graph.adjacency(labels, 6, diagonal=diagonal)
        assert np.array_equal(links, links.T)
        assert {(i, j) for i, j in np.argwhere(links) if i < j} == expected


@given(st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_two_rings_are_the_nodes_within_two_steps(seed):
    links, _ = random_graph(seed)
    steps = csgraph.shortest_path(links.astype(float), unweighted=True)
    assert np.array_equal(graph.two_rings(links), (steps > 0) & (steps <= 2))


def test_a_clique_joins_its_members_only():
    out = graph.with_clique(np.zeros((4, 4), bool), np.array([True, False, True, True]))
    assert np.array_equal(np.flatnonzero(out.any(axis=1)), [0, 2, 3]) and out.sum() == 6


@given(st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_shortest_paths_agree_with_dijkstra_and_keep_edges_of_length_zero(seed):
    links, weights = random_graph(seed)
    positive = np.where(links, weights + 1e-6, 0)  # SciPy takes a zero for no edge
    expected = csgraph.dijkstra(positive, directed=False)
    assert np.allclose(graph.shortest_paths(weights, links), expected, atol=1e-4)


def test_distances_and_affinities_are_the_formulas():
    points = np.random.default_rng(2).normal(0, 3, (20, 3))
    distances = graph.pairwise_distances(points)
    assert np.allclose(distances, cdist(points, points))
    expected = np.where(distances <= 6, np.exp(-(distances**2) / 8), 0)
    assert np.allclose(graph.gaussian(distances, 2.0), expected)
    assert np.array_equal(graph.gaussian(np.array([[0.0, np.inf]]), 1.0), [[1.0, 0.0]])


def test_the_solver_agrees_with_numpy_and_leaves_its_input_alone():
    rng = np.random.default_rng(4)
    root = rng.normal(size=(40, 40))
    matrix, right = root @ root.T + np.eye(40), rng.normal(size=40)
    before = matrix.copy()
    assert np.allclose(graph.solve(matrix, right), np.linalg.solve(matrix, right))
    assert np.array_equal(matrix, before)


def test_an_unknown_that_nothing_ties_down_is_zero():
    assert graph.solve(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([4.0, 0.0])).tolist() == [2.0, 0.0]
