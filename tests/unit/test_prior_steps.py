"""The steps that priors show: the same work as the map, in order, each fit to be looked at."""

import numpy as np
import pytest

from sodlift.priors import PRIORS


@pytest.mark.parametrize("name", ["mb", "mb_plus", "rbd"])
@pytest.mark.parametrize("flat", [False, True])
def test_steps_end_in_the_map_and_lie_in_the_unit_interval(name, flat):
    image = np.full((90, 120, 3), 80, np.uint8)
    if not flat:
        image = (image + np.random.default_rng(0).normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8)
        image[30:60, 40:80] = (220, 60, 40)
    prior = PRIORS.get(name)
    steps = prior.steps(image, prior.params())
    assert 3 <= len(steps) <= 6
    assert np.array_equal(list(steps.values())[-1], prior.compute(image, prior.params()))
    for step in steps.values():
        assert step.shape == (90, 120) and step.dtype == np.float32 and step.min() >= 0 and step.max() <= 1
        assert flat or step.max() == 1
