"""MB and MB+: the distance transform, the morphology and the frame, each against something plainer."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.filters import threshold_otsu
from skimage.morphology import reconstruction

from sodlift.priors import PRIORS
from sodlift.priors._barrier import barrier_distance
from sodlift.priors._frame import frame_box
from sodlift.priors._morphology import open_close, reconstruct
from sodlift.priors._otsu import otsu
from sodlift.priors.mb import MbParams
from sodlift.priors.mb_plus import MbPlusParams, backgroundness

GREY = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))


def plain_barrier_distance(plane, sweeps):
    """Return the transform by the paper's algorithm 1, pixel by pixel; left (right) comes before up (down)."""
    height, width = plane.shape
    value = plane.astype(int)
    distance = np.full(plane.shape, np.inf)
    distance[[0, -1]] = distance[:, [0, -1]] = 0
    low, high = value.copy(), value.copy()
    for sweep in range(sweeps):
        step = 1 if sweep % 2 == 0 else -1
        for y in range(1, height - 1)[::step]:
            for x in range(1, width - 1)[::step]:
                for ny, nx in ((y, x - step), (y - step, x)):
                    lo, hi = min(low[ny, nx], value[y, x]), max(high[ny, nx], value[y, x])
                    if hi - lo < distance[y, x]:
                        distance[y, x], low[y, x], high[y, x] = hi - lo, lo, hi
    return distance


@given(GREY, st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_the_wavefront_gives_the_raster_scans_distances_exactly(plane, sweeps):
    assert np.array_equal(barrier_distance(plane, sweeps), plain_barrier_distance(plane, sweeps))


def test_black_and_white_take_the_longest_interval_for_what_it_is():
    plane = np.zeros((7, 9), np.uint8)
    plane[3, 4] = 255
    expected = np.zeros((7, 9))
    expected[3, 4] = 255
    assert np.array_equal(barrier_distance(plane), expected)


@given(GREY, st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_reconstruction_is_scikit_images(mask, seed):
    marker = (mask * np.random.default_rng(seed).random(mask.shape)).astype(np.uint8)
    expected = reconstruction(marker, mask, "dilation", footprint=np.ones((3, 3)))
    assert np.array_equal(reconstruct(marker, mask), expected)


def test_reconstruction_follows_a_spiral_to_its_end():
    mask = np.zeros((9, 9), np.uint8)
    path = [(0, x) for x in range(9)] + [(y, 8) for y in range(9)] + [(8, x) for x in range(9)]
    path += [(y, 0) for y in range(2, 9)] + [(2, x) for x in range(7)] + [(y, 6) for y in range(2, 7)]
    path += [(6, x) for x in range(2, 7)] + [(y, 2) for y in range(4, 7)] + [(4, x) for x in range(2, 5)]
    for y, x in path:
        mask[y, x] = 200
    marker = np.zeros_like(mask)
    marker[0, 0] = 90
    assert np.array_equal(reconstruct(marker, mask), np.minimum(mask, 90))


def test_opening_and_closing_remove_spots_and_keep_the_contour_of_what_is_larger():
    grey = np.full((40, 40), 20, np.uint8)
    grey[10:30, 8:33] = 200
    spotted = grey.copy()
    spotted[3, 3] = 255
    spotted[20, 20] = 0
    assert np.array_equal(open_close(spotted, 5), grey)


@given(hnp.arrays(np.uint8, st.integers(2, 200)))
@settings(max_examples=80, deadline=None)
def test_otsus_threshold_is_scikit_images(levels):
    if np.ptp(levels) == 0:
        assert otsu(levels / 255) == 0
        return
    ours, theirs = otsu(levels / 255) * 255, threshold_otsu(levels)
    # equally good splits differ in the level they name, not in the classes they make
    assert np.array_equal(levels > ours, levels > theirs) or _between(levels, ours) == pytest.approx(
        _between(levels, theirs), rel=1e-9
    )


def _between(levels, threshold):
    upper = levels > threshold
    if upper.all() or not upper.any():
        return 0.0
    return upper.mean() * (1 - upper.mean()) * (levels[upper].mean() - levels[~upper].mean()) ** 2


def scene(height=150, width=200):
    """Return a photograph-like scene: a bright object on a noisy gradient."""
    rng = np.random.default_rng(0)
    image = np.linspace(60, 120, width)[None, :, None] + rng.normal(0, 6, (height, width, 3))
    image[height // 3 : 2 * height // 3, width // 3 : width // 2] = (210, 60, 40)
    return image.clip(0, 255).astype(np.uint8)


def test_a_black_frame_is_cut_on_all_sides_with_the_blurred_edge():
    framed = np.pad(scene(), ((7, 5), (7, 7), (0, 0)))
    rows, cols = frame_box(framed)
    assert (rows.start, framed.shape[0] - rows.stop) == (cols.start, framed.shape[1] - cols.stop)
    assert 7 <= rows.start <= 10


def test_one_black_bar_is_cut_alone():
    rows, cols = frame_box(np.pad(scene(), ((6, 0), (0, 0), (0, 0))))
    assert 6 <= rows.start <= 9 and (rows.stop, cols.start, cols.stop) == (156, 0, 200)


def test_a_scene_without_a_frame_and_one_too_small_for_one_stay_whole():
    assert frame_box(scene()) == (slice(0, 150), slice(0, 200))
    assert frame_box(np.pad(scene(20, 20), ((9, 9), (9, 9), (0, 0)))) == (slice(0, 38), slice(0, 38))


@pytest.mark.parametrize("thickness", [1, 5, 15])
def test_a_coloured_frame_as_light_as_the_scene_is_cut(thickness):
    image = np.random.default_rng(3).normal((70, 90, 60), 6, (150, 200, 3)).clip(0, 255).astype(np.uint8)
    framed = np.pad(image, ((thickness, thickness), (thickness, thickness), (0, 0)))
    is_frame = np.pad(np.zeros((150, 200), bool), thickness, constant_values=True)
    framed[is_frame] = (200, 30, 40)
    grey = cv2.cvtColor(framed, cv2.COLOR_RGB2GRAY)
    assert abs(grey[is_frame].mean() - grey[~is_frame].mean()) < 3
    rows, cols = frame_box(framed)
    margins = {rows.start, cols.start, framed.shape[0] - rows.stop, framed.shape[1] - cols.stop}
    assert len(margins) == 1 and thickness <= margins.pop() <= thickness + 3


def test_an_edge_in_colour_is_no_frame_where_the_scene_goes_on_beyond_it():
    image = scene()
    image[:8, ::2], image[:8, 1::2], image[8:12] = (70, 90, 60), (110, 60, 60), (200, 30, 40)
    assert frame_box(image) == (slice(0, 150), slice(0, 200))


def test_no_frame_is_looked_for_at_depth_0():
    assert frame_box(np.pad(scene(), ((7, 7), (7, 7), (0, 0))), depth=0) == (slice(0, 164), slice(0, 214))


def test_the_frame_is_not_salient():
    framed = np.pad(scene(), ((7, 7), (7, 7), (0, 0)))
    saliency = PRIORS.get("mb_plus").compute(framed, MbPlusParams())
    assert saliency[:6].max() == saliency[:, :6].max() == 0


def test_backgroundness_is_the_whitened_l1_distance_less_its_largest_strip():
    image, params = scene(60, 80), MbPlusParams()
    total = []
    for strip in (image[:6], image[-6:], image[:, :8], image[:, -8:]):
        colours = strip.reshape(-1, 3).astype(float)
        values, vectors = np.linalg.eigh(np.cov(colours.T) + 50 * np.eye(3))
        distance = np.abs((image - colours.mean(0)) @ (vectors / np.sqrt(values))).sum(-1)
        total.append((distance - distance.min()) / np.ptp(distance))
    expected = np.sum(total, axis=0) - np.max(total, axis=0)
    expected = (expected - expected.min()) / np.ptp(expected)
    assert np.allclose(backgroundness(image, params), expected, atol=1e-4)


@pytest.mark.parametrize(("name", "params"), [("mb", MbParams()), ("mb_plus", MbPlusParams())])
def test_the_object_stands_out_from_its_ground(name, params):
    saliency = PRIORS.get(name).compute(scene(), params)
    assert saliency[60:90, 75:95].min() > 0.9 and saliency[:40].mean() < 0.1
