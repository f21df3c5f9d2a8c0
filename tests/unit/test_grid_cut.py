"""Minimum cuts of the pixel grid, held against SciPy's maximum flow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from sodlift.priors._grid_cut import source_side


def reference(terminal, right, down):
    """Return the pixels that the source still reaches after SciPy's maximum flow: the smallest of all minimum cuts."""
    height, width = terminal.shape
    nodes = np.arange(height * width).reshape(height, width)
    source, sink = nodes.size, nodes.size + 1
    edges = [
        (nodes[:, :-1], nodes[:, 1:], right[:, :-1]),
        (nodes[:, 1:], nodes[:, :-1], right[:, :-1]),
        (nodes[:-1], nodes[1:], down[:-1]),
        (nodes[1:], nodes[:-1], down[:-1]),
        (np.full_like(nodes, source), nodes, terminal.clip(min=0)),
        (nodes, np.full_like(nodes, sink), (-terminal).clip(min=0)),
    ]
    tails, heads, capacities = (np.concatenate([part.ravel() for part in parts]) for parts in zip(*edges, strict=True))
    graph = csr_array((capacities.astype(np.int32), (tails, heads)), shape=(sink + 1, sink + 1))
    residual = graph - maximum_flow(graph, source, sink).flow
    residual.eliminate_zeros()
    reached = np.zeros(sink + 1, bool)
    reached[breadth_first_order(residual, source, return_predecessors=False)] = True
    return reached[: nodes.size].reshape(height, width)


def problem(shape, seed, pull, bond):
    rng = np.random.default_rng(seed)
    terminal = rng.integers(-pull, pull + 1, shape).astype(np.int32)
    return terminal, *(rng.integers(0, bond + 1, shape).astype(np.int32) for _ in range(2))


@given(st.tuples(st.integers(1, 12), st.integers(1, 12)), st.integers(0, 2**31), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_the_cut_is_scipys(shape, seed, pull, bond):
    arrays = problem(shape, seed, pull, bond)
    assert np.array_equal(source_side(*arrays), reference(*arrays))


@pytest.mark.parametrize("pull, bond", [(300, 30), (300, 300), (30, 300)])
def test_the_cut_of_a_large_grid_is_scipys(pull, bond):
    arrays = problem((80, 110), 5, pull, bond)
    assert np.array_equal(source_side(*arrays), reference(*arrays))


def test_without_bonds_each_pixel_follows_its_own_terminal():
    terminal = np.array([[3, -1, 0], [1, 0, -5]], np.int32)
    none = np.zeros((2, 3), np.int32)
    assert np.array_equal(source_side(terminal, none, none), terminal > 0)


def test_a_lone_dissenter_gives_in_and_a_walled_one_does_not():
    terminal = np.full((7, 9), -2, np.int32)
    terminal[3, 4] = 5
    bonds = np.full((7, 9), 3, np.int32)
    assert not source_side(terminal, bonds, bonds).any()
    right, down = bonds.copy(), bonds.copy()
    right[3, 3] = right[3, 4] = down[2, 4] = down[3, 4] = 1
    assert np.argwhere(source_side(terminal, right, down)).tolist() == [[3, 4]]


def test_turning_the_grid_turns_the_cut():
    terminal, right, down = problem((20, 31), 9, 20, 15)
    assert np.array_equal(source_side(terminal.T, down.T, right.T), source_side(terminal, right, down).T)


def test_the_capacities_are_left_alone():
    arrays = problem((9, 9), 3, 9, 9)
    before = [array.copy() for array in arrays]
    source_side(*arrays)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))
