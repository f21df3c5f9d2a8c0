"""HS: its cues and its tree on regions small enough to reason about."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize

from sodlift.priors import PRIORS
from sodlift.priors.hs import HsParams, Layer, contrast, gradient, infer, layers_of, saturate
from sodlift.superpixels.encompassment import encompassment_scales


def scene(size=(150, 200), noise=6):
    """Return a greenish scene with a red object in its middle."""
    image = np.random.default_rng(7).normal((70, 90, 60), noise, (*size, 3)).clip(0, 255).astype(np.uint8)
    image[size[0] // 3 : 2 * size[0] // 3, size[1] // 3 : 2 * size[1] // 3] = (220, 60, 40)
    return image


def layer(labels, cue):
    return Layer(labels, np.bincount(labels.ravel()).astype(float), np.asarray(cue, float))


def tree():
    """Return three layers of 6, 3 and 2 regions on 4 x 6 pixels."""
    bottom = np.tile(np.array([0, 1, 2, 3, 4, 5], np.int32), (4, 1))
    bottom[:2, 1] = 0
    middle = np.array([0, 0, 0, 1, 2, 2], np.int32)[bottom]
    top = np.array([0, 1, 1], np.int32)[middle]
    return [layer(bottom, [0.1, 0.9, 0.4, 0.7, 0.0, 1.0]), layer(middle, [0.3, 0.8, 0.2]), layer(top, [0.5, 0.6])]


def energy(maps, layers, params):
    """Return the energy of three maps (3, H, W), summed over pixels."""
    data = [b * (s - x.cue[x.labels]) ** 2 for s, x, b in zip(maps, layers, params.confidence, strict=True)]
    bonds = params.coherence * (np.diff(maps, axis=0) ** 2)
    return np.sum(data) + bonds.sum()


@pytest.mark.parametrize("params", [HsParams(), HsParams(confidence=(2.0, 0.5, 3.0), coherence=0.7)])
def test_the_two_passes_find_the_least_energy(params):
    layers = tree()

    def of_regions(values):
        parts = np.split(values, [6, 9])
        return energy(np.stack([s[x.labels] for s, x in zip(parts, layers, strict=True)]), layers, params)

    least = minimize(of_regions, np.full(11, 0.5), method="BFGS", options={"gtol": 1e-8}).x
    assert np.allclose(infer(layers, params), least[:6], atol=1e-5)


def test_without_bonds_the_bottom_layer_keeps_its_cue_and_with_firm_ones_all_agree():
    layers = tree()
    assert np.array_equal(infer(layers, HsParams(coherence=0.0)), layers[0].cue)
    firm = infer(layers, HsParams(coherence=1e9))
    assert np.allclose(firm[:3], firm[0], atol=1e-6) and np.allclose(firm[3:], firm[3], atol=1e-6)


def test_contrast_is_the_sum_of_the_paper():
    rng = np.random.default_rng(3)
    colours, positions, pixels = rng.normal(0, 30, (40, 3)), rng.random((40, 2)), rng.integers(1, 900, 40).astype(float)
    for variance in (0.01, 0.12, 1.32):
        squares = ((positions[:, None] - positions) ** 2).sum(axis=2)
        apart = np.sqrt(((colours[:, None] - colours) ** 2).sum(axis=2))
        expected = (np.exp(-squares / variance) * apart) @ pixels
        assert np.allclose(contrast(colours, positions, pixels, variance), expected, rtol=2e-4)


def test_the_brightest_share_of_the_pixels_is_full():
    values, pixels = np.array([0.1, 0.5, 0.9, 0.7, 0.3], np.float32), np.array([600.0, 200, 10, 30, 160])
    assert saturate(values, pixels, 0.0) == pytest.approx([0, 0.5, 1, 0.75, 0.25])
    assert saturate(values, pixels, 0.01) == pytest.approx([0, 0.5, 1, 0.75, 0.25])
    assert saturate(values, pixels, 0.02) == pytest.approx([0, 2 / 3, 1, 1, 1 / 3])
    assert saturate(values, pixels, 0.2) == pytest.approx([0, 1, 1, 1, 0.5])


def test_a_spot_smaller_than_that_share_is_not_lost():
    values, pixels = np.array([0.2, 0.8], np.float32), np.array([999.0, 1])
    assert saturate(values, pixels, 0.02).tolist() == [0, 1]
    assert not saturate(values * 0, pixels, 0.02).any()


def test_the_gradient_of_a_slope_is_its_steepness_in_steps():
    planes = np.zeros((3, 9, 12), np.float32)
    planes[0] = 6 * np.arange(12)
    planes[1] = 8 * np.arange(9)[:, None]
    assert (gradient(planes, 2.5)[1:-1, 1:-1] == 4).all()


def test_each_layer_holds_the_one_below_and_keeps_its_scale():
    layers, params = layers_of(scene(), HsParams()), HsParams()
    for below, above in pairwise(layers):
        pairs = np.unique(np.stack([below.labels.ravel(), above.labels.ravel()]), axis=1)
        assert pairs.shape[1] == len(below.pixels) > len(above.pixels)
    for each, scale in zip(layers, params.scales, strict=True):
        assert encompassment_scales(each.labels, len(each.pixels)).min() >= scale
        assert each.pixels.sum() == each.labels.size and 0 <= each.cue.min() <= each.cue.max() <= 1


def test_steps_end_with_the_map():
    prior = PRIORS.get("hs")
    maps = prior.steps(scene(), HsParams())
    assert list(maps) == ["bottom layer", "middle layer", "top layer", "saliency"]
    assert np.array_equal(maps["saliency"], prior.compute(scene(), HsParams()))
    assert all(m.shape == (150, 200) and m.dtype == np.float32 and 0 <= m.min() <= m.max() <= 1 for m in maps.values())


def test_large_images_are_worked_at_their_longest_side():
    small = scene((75, 100), noise=0)
    large = small.repeat(8, axis=0).repeat(8, axis=1)
    compute = PRIORS.get("hs").compute
    out = compute(large, HsParams(side=100))
    assert out.shape == (600, 800)
    assert np.corrcoef(out[4::8, 4::8].ravel(), compute(small, HsParams()).ravel())[0, 1] > 0.98
