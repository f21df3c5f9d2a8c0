"""The spanning tree of an image's pixels, and barrier distances along it."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import minimum_spanning_tree

from sodlift.priors._tree import Tree, spanning_tree, tree_barrier

SHAPES = [(1, 1), (1, 9), (9, 1), (2, 2), (23, 31), (40, 17)]


def noise(shape, top=256):
    return np.random.default_rng(sum(shape)).integers(0, top, (*shape, 3), dtype=np.uint8)


def border(shape):
    seeds = np.ones(shape, bool)
    seeds[1:-1, 1:-1] = False
    return seeds


def least_weight(image):
    """Return the weight of a minimum spanning tree by scipy, which takes a weight of 0 for no edge."""
    height, width = image.shape[:2]
    index = np.arange(height * width).reshape(height, width)
    values = image.astype(float)
    weights = [np.abs(np.diff(values, axis=axis)).max(axis=2).ravel() + 1 for axis in (0, 1)]
    ends = (np.r_[index[:-1].ravel(), index[:, :-1].ravel()], np.r_[index[1:].ravel(), index[:, 1:].ravel()])
    graph = coo_matrix((np.concatenate(weights), ends), shape=(index.size, index.size)).tocsr()
    return minimum_spanning_tree(graph).sum() - (index.size - 1)


def by_all_paths(plane, seeds, tree):
    """Return the barrier distances along the tree by walking every path from every seed."""
    values = plane.ravel().astype(int)
    neighbours = [[] for _ in values]
    for pixel, parent in zip(tree.pixels[1:], tree.pixels[tree.parents[1:]], strict=True):
        neighbours[pixel].append(parent)
        neighbours[parent].append(pixel)
    out = np.full(plane.size, 255)
    for seed in np.flatnonzero(seeds):
        ways = [(seed, -1, values[seed], values[seed])]
        while ways:
            pixel, before, low, high = ways.pop()
            out[pixel] = min(out[pixel], high - low)
            ways += [(n, pixel, min(low, values[n]), max(high, values[n])) for n in neighbours[pixel] if n != before]
    return out.reshape(plane.shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("top", [1, 2, 12, 256])
def test_it_spans_all_pixels_at_the_least_weight(shape, top):
    image = noise(shape, top)
    tree = spanning_tree(image)
    assert sorted(tree.pixels) == list(range(shape[0] * shape[1]))
    colours = image.reshape(-1, 3)[tree.pixels].astype(int)
    assert np.abs(colours - colours[tree.parents]).max(axis=1).sum() == least_weight(image)


def test_parents_are_neighbours_that_stand_before():
    tree = spanning_tree(noise((23, 31)))
    assert (tree.parents[1:] < np.arange(1, tree.parents.size)).all()
    (y, x), (py, px) = (np.divmod(pixels, 31) for pixels in (tree.pixels, tree.pixels[tree.parents]))
    assert (np.abs(y - py) + np.abs(x - px))[1:].tolist() == [1] * (tree.parents.size - 1)


def test_distances_to_one_seed_are_those_of_the_only_paths():
    image = noise((14, 19))
    tree, seeds = spanning_tree(image), np.zeros((14, 19), bool)
    seeds[5, 11] = True
    plane = np.ascontiguousarray(image[..., 1])
    assert np.array_equal(tree_barrier(plane, seeds, tree), by_all_paths(plane, seeds, tree))


def test_distances_to_the_border_are_reached_by_a_path_and_mostly_by_the_best():
    rows, columns = np.mgrid[:30, :40]
    waves = 120 + 60 * np.sin(rows / 4) + 50 * np.cos(columns / 5)
    image = (waves[..., None] + np.random.default_rng(1).normal(0, 5, (30, 40, 3))).clip(0, 255).astype(np.uint8)
    tree, plane = spanning_tree(image), np.ascontiguousarray(image[..., 0])
    excess = tree_barrier(plane, border((30, 40)), tree) - by_all_paths(plane, border((30, 40)), tree)
    assert excess.min() == 0 and (excess == 0).mean() > 0.7 and excess.mean() < 5


def test_a_pixel_keeps_one_path_only():
    # 3 - 5 - 9 with 8 at the 5, the 3 and the 8 seeds: the 5 keeps the way to 3, which costs 2, and so the 9 pays 6 for
    # it and not 4 for the way to 8, which cost the 5 one more
    values, seeds = np.array([[3, 5, 9, 8]], np.uint8), np.array([[True, False, False, True]])
    tree = Tree(np.arange(4, dtype=np.int32), np.array([0, 0, 1, 1], np.int32))
    assert by_all_paths(values, seeds, tree).tolist() == [[0, 2, 4, 0]]
    assert tree_barrier(values, seeds, tree).tolist() == [[0, 2, 6, 0]]


def test_negative_and_shifted_planes_have_the_same_distances():
    image = noise((20, 25), 200)
    tree, plane = spanning_tree(image), np.ascontiguousarray(image[..., 0])
    distances = tree_barrier(plane, border((20, 25)), tree)
    for other in (255 - plane, plane + np.uint8(55)):
        assert np.array_equal(tree_barrier(other, border((20, 25)), tree), distances)


def test_without_seeds_nothing_is_reached():
    tree = spanning_tree(noise((4, 5)))
    assert (tree_barrier(np.zeros((4, 5), np.uint8), np.zeros((4, 5), bool), tree) == 255).all()
