"""Encompassment scales against box filters, and merging against its rule carried out step by step."""

import numpy as np
import pytest
from scipy.ndimage import label as components
from scipy.ndimage import uniform_filter

from sodlift.superpixels.encompassment import encompassment_scales, merge_below
from sodlift.superpixels.graph import adjacency


def patches(seed, shape=(14, 19), colours=3):
    """Return a random labelling into 4-connected regions: labels and their number."""
    values = np.random.default_rng(seed).integers(0, colours, (shape[0] // 2 + 1, shape[1] // 3 + 1))
    values = values.repeat(2, axis=0).repeat(3, axis=1)[: shape[0], : shape[1]]
    labels = np.zeros(shape, np.int32)
    count = 0
    for value in range(colours):
        parts, found = components(values == value)
        labels[parts > 0] = parts[parts > 0] + count - 1
        count += found
    return labels, count


def scale_by_box_filters(mask):
    """Return the largest t for which the paper's filter, a t x t box, still finds a place inside a region."""
    fits = 1
    while (uniform_filter(mask.astype(float), fits + 1, mode="constant") > 1 - 0.5 / (fits + 1) ** 2).any():
        fits += 1
    return fits


def merge_step_by_step(labels, count, colours, scale):
    labels, colours = labels.copy(), dict(enumerate(colours.astype(float)))
    while len(colours) > 1:
        scales = {k: scale_by_box_filters(labels == k) for k in colours}
        small = min(scales, key=lambda k: (scales[k], k))
        if scales[small] >= scale:
            break
        touching = np.flatnonzero(adjacency(labels, count)[small])
        nearest = min(touching, key=lambda k: np.linalg.norm(colours[k] - colours[small]))
        a, b = (labels == small).sum(), (labels == nearest).sum()
        colours[nearest] = (a * colours.pop(small) + b * colours[nearest]) / (a + b)
        labels[labels == small] = nearest
    return labels


def same_partition(a, b):
    pairs = len(set(zip(a.ravel().tolist(), b.ravel().tolist(), strict=True)))
    return pairs == len(np.unique(a)) == len(np.unique(b))


@pytest.mark.parametrize("seed", range(5))
def test_scales_are_those_that_box_filters_find(seed):
    labels, count = patches(seed)
    expected = [scale_by_box_filters(labels == k) for k in range(count)]
    assert encompassment_scales(labels, count).tolist() == expected


def test_a_long_thin_region_has_a_small_scale():
    labels = np.zeros((20, 30), np.int32)
    labels[9:12] = 1
    assert encompassment_scales(labels, 2).tolist() == [9, 3]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [3, 5])
def test_merging_follows_the_rule(seed, scale):
    labels, count = patches(seed)
    colours = np.random.default_rng(seed).normal(0, 10, (count, 3))
    merged, left = merge_below(labels, count, colours, scale)
    assert same_partition(merged, merge_step_by_step(labels, count, colours, scale))
    assert left == len(np.unique(merged)) == merged.max() + 1
    assert encompassment_scales(merged, left).min() >= scale


def test_regions_that_are_large_enough_stay():
    labels = np.repeat(np.arange(4, dtype=np.int32), 5)[None].repeat(6, axis=0)
    merged, count = merge_below(labels, 4, np.zeros((4, 3)), 5)
    assert count == 4 and np.array_equal(merged, labels)


def test_one_region_is_left_where_no_square_fits():
    merged, count = merge_below(np.arange(9, dtype=np.int32)[None], 9, np.arange(9.0)[:, None], 3)
    assert count == 1 and not merged.any()
