"""What every registered prior keeps."""

from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest

from prior_samples import assert_is_a_map, model_file, ready
from sodlift.options import build
from sodlift.priors import PRIORS
from sodlift.priors._base import Prior

NAMES = PRIORS.names()
SHAPES = [(1, 1), (1, 2), (1, 50), (50, 1), (2, 2), (5, 400), (37, 61), (700, 3)]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return model_file(tmp_path_factory.mktemp("model"))


@pytest.fixture(params=NAMES)
def prior(request, model) -> Prior:
    return ready(request.param, model)


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def test_the_priors_of_the_papers_are_registered():
    regions = {"rbd", "bsca", "dsr", "mc", "hs", "bl", "drfi", "mr", "gs", "sf"}
    assert regions | {"mb", "mb_plus", "mst", "gu", "ft"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is_and_all_its_parameters_have_defaults(name):
    prior = PRIORS.get(name)
    assert prior.title and prior.source and is_dataclass(prior.params)
    assert build(prior.params, {}) == prior.params()
    documented = "".join(cls.__doc__ or "" for cls in prior.params.__mro__)
    assert all(f"    {field.name} : " in documented for field in fields(prior.params))


@pytest.mark.parametrize("shape", SHAPES)
def test_any_size_gives_a_map(prior, shape):
    assert_is_a_map(prior.compute(noise(shape), prior.params()), shape)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_nothing_stands_out_of_a_constant_image(prior, grey):
    for shape in SHAPES:
        assert not prior.compute(np.full((*shape, 3), grey, np.uint8), prior.params()).any()


def test_two_colours_give_a_map(prior):
    for shape in SHAPES:
        image = np.zeros((*shape, 3), np.uint8)
        image[shape[0] // 2 :, shape[1] // 2 :] = (255, 0, 255)
        assert_is_a_map(prior.compute(image, prior.params()), shape)


def test_a_checkerboard_of_extremes_gives_a_map(prior):
    image = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    assert_is_a_map(prior.compute(image, prior.params()), (64, 64))


def test_its_steps_end_in_the_map(prior):
    image = noise((50, 70))
    shown = prior.steps(image, prior.params())
    assert 2 <= len(shown) <= 8
    for step in shown.values():
        assert_is_a_map(step, (50, 70))
    assert np.array_equal(list(shown.values())[-1], prior.compute(image, prior.params()))


def test_two_runs_agree_bit_for_bit_and_leave_the_image_alone(prior):
    image = noise((90, 120))
    before = image.copy()
    first, second = (prior.compute(image, prior.params()) for _ in range(2))
    assert np.array_equal(first, second) and np.array_equal(image, before)


def test_views_of_an_image_are_taken(prior):
    wide = noise((60, 200))
    view = wide[:, ::2]
    assert np.array_equal(
        prior.compute(view, prior.params()), prior.compute(np.ascontiguousarray(view), prior.params())
    )


def test_a_bright_object_in_the_middle_of_a_dull_scene_is_found(prior):
    image = np.random.default_rng(7).normal((70, 90, 60), 6, (150, 200, 3)).clip(0, 255).astype(np.uint8)
    image[50:105, 65:130] = (220, 60, 40)
    saliency = prior.compute(image, prior.params())
    assert saliency[60:95, 75:120].mean() > 0.7 and saliency[:40].mean() < 0.2
