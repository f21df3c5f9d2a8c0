"""RBD on superpixel graphs small enough to reason about."""

import numpy as np
import pytest

from sodlift.priors import PRIORS
from sodlift.priors.rbd import RbdParams, cues
from sodlift.superpixels.graph import gaussian


def grid(rows, cols):
    """Return positions, links and border of a grid of superpixels."""
    yy, xx = np.mgrid[:rows, :cols]
    y, x = yy.ravel(), xx.ravel()
    links = np.abs(y[:, None] - y) + np.abs(x[:, None] - x) == 1
    border = (y == 0) | (y == rows - 1) | (x == 0) | (x == cols - 1)
    return np.stack([(y + 0.5) / rows, (x + 0.5) / cols], axis=1), links, border


def test_an_inner_patch_is_salient_and_a_border_patch_of_its_colour_is_not():
    positions, links, border = grid(9, 12)
    rng = np.random.default_rng(0)
    colours = np.array([50.0, 0, 0]) + rng.normal(0, 1.5, (108, 3))
    inner = np.zeros((9, 12), bool)
    inner[3:6, 4:7] = True
    touching = np.zeros((9, 12), bool)
    touching[6:, 9:] = True
    colours[inner.ravel()] += (0, 60, 0)
    colours[touching.ravel()] += (0, -60, 0)
    out = cues(colours, positions, links, border, RbdParams())["map"].reshape(9, 12)
    assert out[inner].min() > 3 * out[touching].max() and out[inner].min() > 3 * out[~inner].max()


def test_where_nothing_pulls_to_zero_smoothness_lifts_everything_to_the_foreground():
    positions, links, border = grid(5, 6)
    colours = np.random.default_rng(1).normal(50, 12, (30, 3))
    params = RbdParams(background_weight=0.0, smoothness=1e6)
    assert np.allclose(cues(colours, positions, links, border, params)["map"], 1.0, atol=1e-4)


def test_more_background_weight_lowers_saliency_everywhere():
    positions, links, border = grid(7, 8)
    colours = np.random.default_rng(2).normal(50, 12, (56, 3))
    weak, strong = (cues(colours, positions, links, border, RbdParams(background_weight=w))["map"] for w in (1.0, 10.0))
    assert (strong <= weak + 1e-12).all() and strong.sum() < weak.sum()


def test_a_frame_is_left_out():
    rng = np.random.default_rng(3)
    image = (rng.normal(0, 5, (150, 200, 3)) + 110).clip(0, 255).astype(np.uint8)
    image[50:100, 70:120] = (200, 50, 40)
    framed = np.pad(image, ((9, 9), (9, 9), (0, 0)))
    compute = PRIORS.get("rbd").compute
    out = compute(framed, RbdParams())
    assert out[:9].max() == out[:, :9].max() == 0 and out[80, 100] > 0.9
    assert out[20:40, 20:190].mean() < 0.1


@pytest.mark.parametrize("colours", [2, 3])
def test_flat_colours_give_a_finite_map(colours):
    image = np.zeros((90, 120, 3), np.uint8)
    image[30:60, 40:80] = (255, 255, 0)
    image[70:, :] = (0, 0, 200) if colours == 3 else 0
    out = PRIORS.get("rbd").compute(image, RbdParams())
    assert np.isfinite(out).all() and out[45, 60] == 1.0 and out[10, 10] < 0.1


def test_superpixels_grow_where_an_image_would_have_too_many():
    yy, xx = np.mgrid[:120, :160]
    image = np.stack([yy * 2, xx, 255 - yy - xx // 2], axis=2).clip(0, 255).astype(np.uint8)
    few = PRIORS.get("rbd").compute(image, RbdParams(most_regions=4, frame=0))
    assert np.unique(few).size <= 6 < np.unique(PRIORS.get("rbd").compute(image, RbdParams(frame=0))).size


def test_affinities_of_alike_superpixels_are_one():
    assert gaussian(np.zeros((2, 2)), 1e-6).tolist() == [[1, 1], [1, 1]]
