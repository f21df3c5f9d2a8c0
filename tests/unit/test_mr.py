"""MR on superpixel graphs small enough to reason about."""

import numpy as np
import pytest

from sodlift.priors.mr import PRIOR, MrParams, ranking_matrix, two_stages


def grid(rows, cols, lightness):
    """Return the affinities of a grid of superpixels, its border a clique, and its four sides."""
    y, x = (values.ravel() for values in np.mgrid[:rows, :cols])
    border = (y == 0) | (y == rows - 1) | (x == 0) | (x == cols - 1)
    links = (np.abs(y[:, None] - y) + np.abs(x[:, None] - x) == 1) | (border[:, None] & border)
    np.fill_diagonal(links, False)
    values = lightness.ravel()
    affinity = np.where(links, np.exp(-10 * np.abs(values[:, None] - values)), 0)
    return affinity, [y == 0, y == rows - 1, x == 0, x == cols - 1]


def test_ranks_solve_the_papers_system_but_for_a_querys_own():
    affinity, sides = grid(4, 5, np.random.default_rng(0).random((4, 5)))
    query = sides[0]
    ranks = ranking_matrix(affinity, 0.9)[:, query].sum(axis=1)
    full = np.linalg.solve(np.diag(affinity.sum(axis=1)) - 0.9 * affinity, query.astype(float))
    assert np.allclose(ranks[~query], full[~query]) and (ranks[query] < full[query]).all()


def test_without_reach_nothing_has_a_rank():
    affinity, _ = grid(3, 3, np.zeros((3, 3)))
    assert not ranking_matrix(affinity, 0.0).any()


def test_an_inner_patch_is_salient_and_its_ground_is_not():
    lightness = 0.2 + np.random.default_rng(1).random((9, 12)) * 0.05
    lightness[3:6, 4:8] += 0.7
    affinity, sides = grid(9, 12, lightness)
    stages = two_stages(ranking_matrix(affinity, 0.99), sides)
    inside = lightness.ravel() > 0.5
    assert np.array_equal(stages["queries"] == 1, inside)
    assert stages["map"][inside].min() > 0.8 and stages["map"][~inside].max() < 0.4


def test_numbering_does_not_matter():
    affinity, sides = grid(6, 7, np.random.default_rng(2).random((6, 7)))
    order = np.random.default_rng(3).permutation(42)
    out = two_stages(ranking_matrix(affinity, 0.99), sides)["map"]
    moved = two_stages(ranking_matrix(affinity[np.ix_(order, order)], 0.99), [side[order] for side in sides])["map"]
    assert np.allclose(moved, out[order], atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (40, 40), (20, 90)])
def test_a_flat_scene_does_not_show_its_graph(shape):
    steps = PRIOR.steps(np.full((*shape, 3), 77, np.uint8), MrParams())
    assert not any(step.any() for step in steps.values())
