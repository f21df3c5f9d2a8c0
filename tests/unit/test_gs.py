"""GS on superpixel graphs small enough to reason about."""

import numpy as np
import pytest

from sodlift.priors.gs import PRIOR, GsParams, geodesic_saliency, oddness
from sodlift.superpixels.graph import pairwise_distances


def chain(lightness):
    """Return colour distances and links of superpixels in a row, and which are its ends."""
    count = len(lightness)
    colours = np.array(lightness, float)[:, None]
    links = np.abs(np.subtract.outer(np.arange(count), np.arange(count))) == 1
    return pairwise_distances(colours), links, np.isin(np.arange(count), [0, count - 1])


def test_saliency_is_the_length_of_the_cheapest_path_to_the_background():
    # every superpixel has an equal within two rings, so that the clip is zero; steps of 10, 20 and 30 - 10
    colour, links, ends = chain([0, 0, 10, 10, 30, 30, 20, 20])
    background = np.arange(8) == 0
    out = geodesic_saliency(colour, links, ends, background, top=0.02)
    # from the right end there is a way across the border, of cost 20, and the ring's own way of 10 + 20 + 10
    assert np.allclose(out * 30, [0, 0, 10, 10, 30, 30, 20, 20])


def test_small_steps_are_free():
    colour, links, ends = chain(range(12))
    # neighbours differ by 1, which is the clip: a smooth ramp has no object
    assert not geodesic_saliency(colour, links, ends, ends, top=0.02).any()


def test_the_largest_distances_are_shown_as_one():
    colour, links, ends = chain([0, 0, 50, 50, 0, 0, 80, 80, 0, 0])
    out = geodesic_saliency(colour, links, ends, ends, top=0.4)
    # lengths 0 0 50 50 100 100 80 80 0 0: the four largest have the mean 90
    assert np.allclose(out, [0, 0, 5 / 9, 5 / 9, 1, 1, 8 / 9, 8 / 9, 0, 0])


def test_the_odd_one_of_the_border_is_the_one_unlike_its_fellows():
    colours = np.array([[10.0], [11], [12], [90], [13]])
    out = oddness(pairwise_distances(colours), np.zeros((5, 5)), 2, 3.0)
    assert out.argmax() == 3 and out[3] == 1 and np.delete(out, 3).max() < 0.05


def test_distance_lowers_dissimilarity():
    colour = np.array([[0.0, 8, 8], [8, 0, 8], [8, 8, 0]])
    position = np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0.0]])
    # C / (1 + 3 P): 2 to the far one, 8 to the near one
    assert oddness(colour, position, 1, 3.0).tolist() == [0, 0, 0]
    assert oddness(colour, position, 2, 3.0).tolist() == [0, 1, 1]


def test_a_border_without_fellows_is_not_odd():
    assert oddness(np.zeros((1, 1)), np.zeros((1, 1)), 5, 3.0).tolist() == [0]


def test_an_object_at_the_border_is_found_because_it_is_odd_there():
    image = np.random.default_rng(0).normal((80, 110, 90), 5, (300, 400, 3)).clip(0, 255).astype(np.uint8)
    image[200:, 180:240] = (230, 190, 40)
    found, missed = (PRIOR.compute(image, GsParams(odd=odd)) for odd in (0.5, 1.0))
    assert found[220:, 190:230].mean() > 0.8 and found[:180].mean() < 0.1
    assert missed[280:, 190:230].mean() < 0.1


@pytest.mark.parametrize("depth", [4, 12])
def test_a_frame_is_left_out(depth):
    image = np.random.default_rng(1).normal(110, 5, (150, 200, 3)).clip(0, 255).astype(np.uint8)
    image[50:100, 70:120] = (200, 50, 40)
    out = PRIOR.compute(np.pad(image, ((depth, depth), (depth, depth), (0, 0))), GsParams())
    assert out[:depth].max() == out[:, :depth].max() == 0 and out[80, 100] > 0.8
