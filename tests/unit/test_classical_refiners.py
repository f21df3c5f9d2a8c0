"""Guided filter, bilateral solver and GrabCut as refiners: what they do, and that every map they give is one."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import mirm_samples
import numpy as np
import pytest

from sodlift.arrays import FloatMap, Image8
from sodlift.errors import ConfigError
from sodlift.options import build
from sodlift.refiners import REFINERS
from sodlift.refiners._base import Refined
from sodlift.refiners.grabcut import GrabCutOptions
from sodlift.refiners.guided_filter import GuidedFilterOptions

NAMES = ("bilateral_solver", "grabcut", "guided_filter")
SETTINGS = [(name, preset) for name in NAMES for preset in REFINERS.get(name).options.presets()]
SIZES = [(1, 1), (1, 7), (2, 9), (20, 20), (33, 40)]


def refined(name: str, image: Image8, prior: FloatMap, **given: object) -> Refined:
    kind = REFINERS.get(name)
    return kind.load(build(kind.options, given, name), None, "cpu").refine(image, prior)


def is_valid(found: Refined, size: tuple[int, int]) -> bool:
    saliency = found.saliency
    within = np.isfinite(saliency).all() and saliency.min() >= 0 and saliency.max() <= 1
    return bool(saliency.shape == size and saliency.dtype == np.float32 and within and found.status == "ok")


def off_the_edge() -> tuple[Image8, FloatMap]:
    """An object on the right whose prior is sure of its inside, unsure up to four pixels beside its edge."""
    image = np.full((40, 60, 3), (30, 90, 160), np.uint8)
    image[:, 30:] = (210, 60, 40)
    image = np.clip(image + np.random.default_rng(0).normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    prior = np.clip((np.arange(60, dtype=np.float32) - 26) / 16, 0, 1)
    return image, np.repeat(prior[None], 40, axis=0)


@pytest.mark.parametrize(("name", "given"), [(n, {"radius": 12} if n == "guided_filter" else {}) for n in NAMES])
def test_refined_map_steps_where_the_image_does(name: str, given: dict[str, object]) -> None:
    image, prior = off_the_edge()  # whose steps are 1 / 16 a pixel
    saliency = refined(name, image, prior, **given).saliency
    assert saliency[:, 30].mean() - saliency[:, 29].mean() > 0.25
    if name != "guided_filter":  # which takes means within a colour, and does not push them to 0 and 1
        truth = (np.arange(60) >= 30).astype(np.float32)
        assert np.abs(saliency - truth).mean() < 0.7 * np.abs(prior - truth).mean()


@pytest.mark.parametrize(("name", "preset"), SETTINGS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("value", [0.0, 0.3, 0.5, 1.0])
def test_a_constant_prior_is_its_own_result(name: str, preset: str, size: tuple[int, int], value: float) -> None:
    image, _ = mirm_samples.scene(0, size)
    prior = np.full(size, value, np.float32)
    found = refined(name, image, prior, preset=preset)
    assert np.array_equal(found.saliency, prior)
    assert found.saliency is not prior
    assert found.note == ("kept prior: no certain background" if name == "grabcut" else "")


@pytest.mark.parametrize(("name", "preset"), SETTINGS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("flat", [False, True])
def test_small_images_of_noise_and_of_one_colour_give_valid_maps(
    name: str, preset: str, size: tuple[int, int], flat: bool
) -> None:
    rng = np.random.default_rng(7)
    image = np.full((*size, 3), 255, np.uint8) if flat else rng.integers(0, 256, (*size, 3), np.uint8)
    for prior in (rng.random(size, np.float32), (rng.random(size) < 0.5).astype(np.float32)):
        assert is_valid(refined(name, image, prior, preset=preset), size)


@pytest.mark.parametrize("name", NAMES)
def test_neither_image_nor_prior_is_written_to_nor_need_be_contiguous(name: str) -> None:
    image, prior = mirm_samples.scene(1)
    expected = refined(name, image, prior).saliency
    wide_image, wide_prior = np.repeat(image, 2, axis=1)[:, ::2], np.repeat(prior, 2, axis=1)[:, ::2]
    for array in (image, prior, wide_image, wide_prior):
        array.setflags(write=False)
    copies = image.copy(), prior.copy()
    assert np.array_equal(refined(name, image, prior).saliency, expected)
    assert np.array_equal(refined(name, wide_image, wide_prior).saliency, expected)
    assert np.array_equal(image, copies[0]) and np.array_equal(prior, copies[1])


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """Set OpenCV's number of threads; it is put back afterwards."""
    before = cv2.getNumThreads()
    yield cv2.setNumThreads
    cv2.setNumThreads(before)


@pytest.mark.parametrize("name", NAMES)
def test_a_map_does_not_depend_on_threads_or_on_what_came_before(name: str, threads: Callable[[int], None]) -> None:
    scenes = [mirm_samples.scene(seed, (90, 120)) for seed in range(4)]
    threads(1)
    alone = [refined(name, *scene).saliency for scene in scenes]
    threads(2)
    cv2.setRNGSeed(5)
    backwards = [refined(name, *scene).saliency for scene in scenes[::-1]][::-1]
    with ThreadPoolExecutor(2) as pool:
        beside = [found.saliency for found in pool.map(lambda scene: refined(name, *scene), scenes)]
    for one, *others in zip(alone, backwards, beside, strict=True):
        assert all(np.array_equal(one, other) for other in others)


# guided filter


def by_definition(image: Image8, prior: FloatMap, radius: int, eps: float) -> FloatMap:
    """Eq. 14-16 of He et al. window by window; inside, where no window leaves the image."""
    guide, side = image.reshape(-1, 3) / 255, 2 * radius + 1
    height, width = prior.shape
    where = np.arange(height * width).reshape(height, width)
    windows = np.lib.stride_tricks.sliding_window_view(where, (side, side)).reshape(-1, side * side)
    coefficients = []
    for window in windows:
        colours, values = guide[window], prior.ravel()[window]
        centred = colours - colours.mean(0)
        a = np.linalg.solve(centred.T @ centred / len(window) + eps * np.eye(3), centred.T @ values / len(window))
        coefficients.append([*a, values.mean() - a @ colours.mean(0)])
    fields = np.reshape(coefficients, (height - side + 1, width - side + 1, 4))
    means = np.lib.stride_tricks.sliding_window_view(fields, (side, side), axis=(0, 1)).mean((-2, -1))
    inner = slice(2 * radius, -2 * radius)
    return (means[..., :3] * (image[inner, inner] / 255)).sum(-1) + means[..., 3]


@pytest.mark.parametrize("eps", [1e-2, 1e-4, 1e-6])
def test_the_guided_filter_is_the_papers_for_weak_edges_too(eps: float) -> None:
    image, prior = mirm_samples.scene(3, (24, 28))
    found = refined("guided_filter", image, prior, radius=3, eps=eps).saliency
    assert np.abs(found[6:-6, 6:-6] - np.clip(by_definition(image, prior, 3, eps), 0, 1)).max() < 1e-4


def test_a_radius_is_a_share_of_the_shorter_side_or_pixels() -> None:
    assert GuidedFilterOptions(radius=0.1).pixels((50, 200)) == 5
    assert GuidedFilterOptions(radius=0.1).pixels((2, 9)) == 1
    assert GuidedFilterOptions(radius=7).pixels((50, 200)) == 7


# GrabCut


def test_grabcut_labels_are_binary_and_keep_what_is_certain() -> None:
    image, prior = mirm_samples.scene(0)
    saliency = refined("grabcut", image, prior).saliency
    assert set(np.unique(saliency)) == {0.0, 1.0}
    assert saliency[prior >= 0.9].all() and not saliency[prior <= 0.1].any()


@pytest.mark.parametrize(
    ("scale", "shift", "note"),
    [(0.5, 0.0, "kept prior: no certain foreground"), (0.5, 0.5, "kept prior: no certain background")],
)
def test_grabcut_keeps_a_prior_without_certain_pixels_of_both_kinds(scale: float, shift: float, note: str) -> None:
    image, prior = mirm_samples.scene(0)
    weak = scale * prior + np.float32(shift)
    found = refined("grabcut", image, weak)
    assert np.array_equal(found.saliency, weak)
    assert found.note == note


def test_relative_thresholds_make_grabcut_indifferent_to_the_priors_scale() -> None:
    image, prior = mirm_samples.scene(0)
    whole, half = (
        refined("grabcut", image, scale * prior, preset="mean") for scale in (np.float32(1), np.float32(0.5))
    )
    assert not half.note
    assert np.array_equal(whole.saliency, half.saliency)


def test_relative_thresholds_are_multiples_of_the_mean_up_to_the_maximum() -> None:
    prior = np.array([[0.0, 0.2], [0.2, 0.4]], np.float32)
    options = GrabCutOptions(background=0.5, probable=1.5, foreground=4, relative=True)
    assert options.thresholds(prior) == pytest.approx((0.1, 0.3, 0.4))


@pytest.mark.parametrize(
    ("name", "given", "key"),
    [
        ("guided_filter", {"radius": 0}, "radius"),
        ("guided_filter", {"radius": 2.5}, "radius"),
        ("guided_filter", {"radius": float("inf")}, "radius"),
        ("guided_filter", {"eps": 0}, "eps"),
        ("grabcut", {"background": 0.6}, "background"),
        ("grabcut", {"background": 1.2, "probable": 2, "foreground": 3, "relative": True}, "background"),
        ("grabcut", {"foreground": 2}, "foreground"),
        ("grabcut", {"iterations": 0}, "iterations"),
        ("bilateral_solver", {"luma": 0.5}, "luma"),
        ("bilateral_solver", {"smoothness": 0}, "smoothness"),
        ("bilateral_solver", {"doubt": 0}, "doubt"),
        ("bilateral_solver", {"iterations": 0}, "iterations"),
    ],
)
def test_senseless_options_are_refused_naming_the_key(name: str, given: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}\.{key}"):
        build(REFINERS.get(name).options, given, name)
