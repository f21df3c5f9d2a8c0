"""MC: absorbed times against the fundamental matrix and walks, and its heuristics on hand-made graphs."""

import numpy as np
import pytest

from sodlift.priors import PRIORS
from sodlift.priors.mc import Chain, McParams, chain_saliency, facing_sides

PARAMS = McParams()


def grid(rows, cols, weight=1.0):
    """Return affinities, touching pairs and the border of a grid of superpixels."""
    yy, xx = np.mgrid[:rows, :cols]
    y, x = yy.ravel(), xx.ravel()
    touching = np.maximum(abs(y[:, None] - y), abs(x[:, None] - x)) == 1
    border = (y == 0) | (y == rows - 1) | (x == 0) | (x == cols - 1)
    return touching * weight + np.eye(rows * cols), touching, border


def random_graph(size=30, seed=0):
    rng = np.random.default_rng(seed)
    affinity = rng.random((size, size)) * (rng.random((size, size)) < 0.3)
    affinity = np.maximum(affinity, affinity.T)
    np.fill_diagonal(affinity, 1)
    return affinity, np.arange(size) < 8


def transitions(affinity, border):
    """Return the full transition matrix, transient states first, then an absorbing double of each border node."""
    doubles = int(border.sum())
    to_all = np.hstack([affinity, affinity[:, border]])
    to_all /= to_all.sum(axis=1, keepdims=True)
    return np.vstack([to_all, np.hstack([np.zeros((doubles, len(border))), np.eye(doubles)])])


def scene(size=(150, 200)):
    image = np.random.default_rng(7).normal((70, 90, 60), 6, (*size, 3)).clip(0, 255).astype(np.uint8)
    image[50:100, 70:120] = (220, 60, 40)
    return image


def test_absorbed_time_is_the_row_sum_of_the_fundamental_matrix():
    affinity, border = random_graph()
    q = transitions(affinity, border)[:30, :30]
    fundamental = np.linalg.inv(np.eye(30) - q)
    chain = Chain.of(affinity, border)
    assert np.allclose(chain.absorbed_time(), fundamental.sum(axis=1))
    # the time of recurrence is the sum of all degrees over the state's own: D u is a constant
    weighted = fundamental @ (1 / chain.degree)
    assert np.allclose(chain.weighted_time(), weighted)


def test_absorbed_time_is_how_long_walks_last():
    affinity, border = random_graph(seed=3)
    step = transitions(affinity, border)
    where, alive = np.eye(38)[:30], np.zeros(30)
    for _ in range(3000):
        alive += where[:, :30].sum(axis=1)
        where = where @ step
    assert np.allclose(Chain.of(affinity, border).absorbed_time(), alive)


def test_absorption_is_the_share_of_the_doubles():
    affinity, border = random_graph(seed=5)
    expected = transitions(affinity, border)[:30, 30:].sum(axis=1)
    assert np.allclose(Chain.of(affinity, border).absorption(), expected)


def test_a_patch_that_is_loosely_tied_is_salient():
    affinity, touching, border = grid(9, 12)
    patch = np.zeros((9, 12), bool)
    patch[3:6, 4:8] = True
    apart = patch.ravel()[:, None] != patch.ravel()
    affinity[apart] *= 1e-3
    out = chain_saliency(affinity, touching, border, PARAMS)["map"].reshape(9, 12)
    assert out[patch].min() > 0.9 and out[~patch].max() < 0.1


def test_facing_sides_are_linked_as_on_a_torus():
    labels = np.arange(12).reshape(3, 4).astype(np.int32)
    links = facing_sides(labels, 12)
    pairs = {(int(i), int(j)) for i, j in np.argwhere(links) if i < j}
    assert pairs == {(0, 8), (1, 9), (2, 10), (3, 11), (0, 3), (4, 7), (8, 11)} and np.array_equal(links, links.T)
    assert not facing_sides(np.zeros((5, 1), np.int32), 1).any()


def test_a_border_with_no_tie_to_the_inside_is_discarded():
    affinity, touching, border = grid(8, 9)
    affinity[border[:, None] != border] *= 1e-4
    patch = np.zeros((8, 9), bool)
    patch[3:5, 4:6] = True
    affinity[patch.ravel()[:, None] != patch.ravel()] *= 1e-2
    out = chain_saliency(affinity, touching, border, PARAMS)
    assert not out["map"][border].any() and out["map"].reshape(8, 9)[patch].min() > 0.9
    # the ring within absorbs in its place
    ring = np.zeros((8, 9), bool)
    ring[1:-1, 1:-1] = True
    ring[2:-2, 2:-2] = False
    assert out["absorbed at the next step"].reshape(8, 9)[ring].min() > 0.2
    whole = chain_saliency(affinity, touching, border, McParams(frame_affinity=0.0))
    assert whole["absorbed at the next step"].reshape(8, 9)[ring].max() < 0.01


@pytest.mark.parametrize("close", [True, False])
def test_an_isolated_superpixel_is_judged_by_its_neighbours(close):
    affinity, touching, border = grid(9, 9)
    patch = np.zeros((9, 9), bool)
    patch[3:6, 3:6] = True
    affinity[patch.ravel()[:, None] != patch.ravel()] *= 1e-3
    alone = 4 * 9 + (6 if close else 7)  # beside the patch, or one further
    affinity[alone], affinity[:, alone] = touching[alone] * 1e-4, touching[alone] * 1e-4
    affinity[alone, alone] = 1
    out = chain_saliency(affinity, touching, border, PARAMS)["map"]
    assert out[alone] == float(close) and out[4 * 9 + 4] > 0.9


def test_values_in_between_are_weighted_by_recurrence_and_clear_ones_are_not():
    affinity, touching, border = grid(10, 12)
    chain = Chain.of(affinity, border)
    plain, weighted = (time / np.ptp(time) for time in (chain.absorbed_time(), chain.weighted_time()))
    stages = chain_saliency(affinity, touching, border, PARAMS)
    assert np.allclose(stages["absorbed time"], plain - plain.min(), atol=1e-6)
    assert np.allclose(stages["map"], weighted - weighted.min(), atol=1e-6)
    clear = chain_saliency(affinity, touching, border, McParams(spread=5.1))
    assert np.array_equal(clear["map"], stages["absorbed time"])


def test_superpixels_isolated_one_and_all_give_a_finite_map():
    affinity, touching, border = grid(3, 3, weight=1e-4)
    out = chain_saliency(affinity, touching, border, McParams(isolated=5.0))["map"]
    assert np.isfinite(out).all() and out.min() >= 0 and out.max() <= 1


def test_a_drawn_frame_is_left_out():
    framed = np.pad(scene((250, 300)), ((12, 12), (12, 12), (0, 0)))
    out = PRIORS.get("mc").compute(framed, PARAMS)
    assert out[:8].max() == out[:, :8].max() == 0 and out[85, 105] > 0.9


def test_steps_end_with_the_map():
    prior, image = PRIORS.get("mc"), scene()
    steps = prior.steps(image, PARAMS)
    assert list(steps) == ["absorbed at the next step", "absorbed time", "map"]
    assert np.array_equal(steps["map"], prior.compute(image, PARAMS))
    assert all(step.shape == (150, 200) and step.min() >= 0 and step.max() <= 1 for step in steps.values())
