"""Refinement by LPS: iterations, several priors at once, and every prior that the published code divides by zero on."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lps_samples import refiner
from mirm_samples import scene

from sodlift.arrays import FloatMap, Image8, resize, resize_image
from sodlift.backbones._base import normalise
from sodlift.refiners.lps.refine import KEPT, STOPPED, LpsRefiner, has_regions, iterations


def shown(lps: LpsRefiner, image: Image8) -> torch.Tensor:
    side = lps.options.size
    small = resize_image(image, (side, side))
    return normalise(torch.from_numpy(np.array(small)).permute(2, 0, 1)[None], lps.entry)


def test_refined_map_is_the_networks_map_at_the_images_size() -> None:
    lps, (image, prior) = refiner(), scene(0)
    refined = lps.refine(image, prior)
    with torch.inference_mode():
        logits = lps.network(shown(lps, image), torch.from_numpy(resize(prior, (64, 64)))[None, None])
    expected = resize(torch.sigmoid(logits)[0, 0].numpy(), prior.shape)
    assert np.allclose(refined.saliency, expected, rtol=0, atol=1e-6)
    assert (refined.status, refined.note) == ("ok", "")
    assert not np.allclose(refined.saliency, prior, atol=0.1)


def test_refining_twice_gives_the_same_bits() -> None:
    first, second = (refiner(iterations=3).refine(*scene(0)).saliency for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("times", [1, 3])
def test_priors_of_an_image_refined_together_are_what_they_are_alone(times: int) -> None:
    lps, (image, prior) = refiner(iterations=times), scene(0)
    priors = [prior, np.zeros_like(prior), prior[:, ::-1].copy(), prior**2]
    together = lps.refine_all(lps.features(image), priors)
    assert [refined.note for refined in together] == ["", KEPT, "", ""]
    for refined, own in zip(together, priors, strict=True):
        assert np.allclose(refined.saliency, lps.refine(image, own).saliency, rtol=0, atol=1e-6)


def test_iterations_average_the_networks_maps_in_which_the_prior_has_no_part() -> None:
    lps, (image, prior) = refiner(), scene(0)
    with torch.inference_mode():
        encoded = lps.network.encode(shown(lps, image))
        maps = list(iterations(lps.network, encoded, torch.from_numpy(resize(prior, (64, 64)))[None, None], 4))
        found = [torch.sigmoid(lps.network.decide(encoded, before)) for before in maps[:-1]]
    assert torch.equal(maps[1], found[0])
    for t in range(1, 5):
        assert torch.allclose(maps[t], torch.stack(found[:t]).mean(dim=0), rtol=0, atol=1e-6)


def test_iterate_gives_the_map_of_every_number_of_iterations() -> None:
    image, prior = scene(0)
    maps = refiner().iterate(image, prior, 3)
    assert maps[0] is prior
    for times, expected in enumerate(maps):
        assert np.array_equal(refiner(iterations=times).refine(image, prior).saliency, expected)
    assert not np.allclose(maps[1], maps[3], atol=1e-3)


@pytest.mark.parametrize("resample", ["nearest", "bilinear"])
def test_option_resample_brings_the_prior_to_the_networks_size(resample: str) -> None:
    image, prior = scene(0, (100, 90))
    small = resize(prior, (64, 64), resample)
    at_size = refiner().refine(resize_image(image, (64, 64)), small).saliency
    assert np.array_equal(refiner(resample=resample).refine(image, prior).saliency, resize(at_size, (100, 90)))


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-6])
def test_prior_without_a_region_is_kept_and_noted(value: float) -> None:
    image, prior = scene(0)
    empty = np.full_like(prior, value)
    refined = refiner().refine(image, empty)
    assert np.array_equal(refined.saliency, empty)
    assert (refined.status, refined.note) == ("ok", KEPT)
    assert all(np.array_equal(m, empty) for m in refiner().iterate(image, empty, 2))


@pytest.mark.parametrize(("mass", "kept"), [(0.9, True), (1.1, False)])
def test_a_region_needs_the_mass_of_one_pixel_at_the_networks_size(mass: float, kept: bool) -> None:
    image, _ = scene(0, (64, 64))
    prior = np.full((64, 64), mass / 4096, np.float32)
    for one in (prior, 1 - prior):
        assert (refiner().refine(image, one).note == KEPT) == kept


def test_iterations_that_lose_a_region_stop_there_and_say_so() -> None:
    image, prior = scene(0)
    lps = refiner(iterations=4)
    lps.network.decide = lambda encoded, priors: torch.full_like(priors, -40.0)  # type: ignore[method-assign]
    refined = lps.refine(image, prior)
    assert refined.note == STOPPED
    assert refined.saliency.max() < 1e-6


@given(st.floats(0, 1, width=32), st.integers(1, 5))
def test_regions_are_there_from_one_pixel_of_mass_on(value: float, side: int) -> None:
    found = has_regions(torch.full((1, 1, side, side), value, dtype=torch.float64))
    assert bool(found) == (1 <= value * side**2 <= side**2 - 1)


@pytest.mark.parametrize("size", [(1, 1), (5, 90), (31, 31), (33, 37), (120, 200)])
def test_tiny_and_odd_images_keep_their_size(size: tuple[int, int]) -> None:
    image, prior = scene(0, size)
    mixed: FloatMap = np.clip(prior, 0.2, 0.8)
    refined = refiner().refine(image, mixed)
    assert refined.saliency.shape == size
    assert refined.note == ""
    assert 0 <= refined.saliency.min() <= refined.saliency.max() <= 1


def test_no_iteration_keeps_the_prior() -> None:
    image, prior = scene(0)
    assert np.array_equal(refiner(iterations=0).refine(image, prior).saliency, prior)
