"""BL: its weak map, its samples, its boosting and what it does where there is nothing to learn from."""

import sys

import cv2
import numpy as np
import pytest

from sodlift.arrays import resize, resize_image
from sodlift.errors import MissingDependencyError
from sodlift.priors import PRIORS
from sodlift.priors._boosted_svm import boost, boosted_scores
from sodlift.priors.bl import BlParams, chi_square

BL = PRIORS.get("bl")


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(7)
    image = rng.normal((70, 90, 60), 6, (150, 200, 3)).clip(0, 255).astype(np.uint8)
    image[50:105, 65:130] = (220, 60, 40)
    return image


def test_chi_square_is_its_equation():
    histograms = np.random.default_rng(0).random((6, 59)) * (np.random.default_rng(1).random((6, 59)) > 0.4)
    a, b = histograms[:, None], histograms[None]
    terms = np.divide((a - b) ** 2, a + b, out=np.zeros((6, 6, 59)), where=a + b > 0)
    assert np.allclose(chi_square(histograms), terms.sum(axis=2) / 2, atol=1e-9)


def test_boosting_takes_the_best_machine_first_and_then_one_that_knows_what_it_missed():
    labels = np.array([1.0, 1, 1, -1, -1, -1])
    good = labels * [1, 1, -1, 1, 1, 1]
    helper = labels * [-1, 1, 1, 1, 1, -1]
    taken = boost(np.stack([-good, helper, good]), labels, 10)
    assert [machine for machine, _ in taken[:2]] == [2, 1]
    # ½ log of weights 5/6 right and 1/6 wrong, each with 1/6 added
    assert taken[0][1] == pytest.approx(0.5 * np.log(3))


def test_boosting_ends_where_no_machine_is_right_more_than_wrong():
    labels = np.array([1.0, -1, 1, -1])
    assert boost(np.stack([-labels, labels * [1, 1, -1, -1]]), labels, 10) == []


def test_boosting_without_mistakes_and_with_large_decisions_stays_finite():
    labels = np.array([1.0, -1, 1])
    taken = boost(1e5 * labels[None], labels, 10)
    assert len(taken) == 10 and np.isfinite([weight for _, weight in taken]).all()


def test_samples_without_a_class_get_that_of_their_like():
    rng = np.random.default_rng(2)
    side = np.repeat([1.0, -1.0], 60)
    features = [side[:, None] + rng.normal(0, 0.3, (120, 3)), rng.normal(0, 1, (120, 5))]
    scores = boosted_scores(features, np.where(rng.random(120) < 0.5, side, 0), 10)
    assert (np.sign(scores) == side).all()


def test_learning_gives_an_object_the_parts_that_contrast_alone_misses(scene):
    # the lower half of the object has less contrast than the upper one, and the weak map loses it beside the other
    image = scene.copy()
    image[78:105, 65:130] = (150, 75, 50)
    parts = BL.steps(image, BlParams())
    lost = np.s_[85:100, 75:120]
    assert parts["strong map"][lost].mean() > parts["weak map"][lost].mean()


def test_the_steps_end_in_the_map(scene):
    parts = BL.steps(scene, BlParams())
    assert list(parts) == ["contrast to the border", "weak map", "samples", "strong map", "map"]
    assert np.array_equal(parts["map"], BL.compute(scene, BlParams()))
    assert set(np.unique(parts["samples"])) <= {0, 0.5, 1}
    assert all(part.shape == scene.shape[:2] and part.dtype == np.float32 for part in parts.values())


def test_border_regions_are_never_positive_samples(scene):
    samples = BL.steps(scene, BlParams())["samples"]
    rim = np.concatenate([samples[0], samples[-1], samples[:, 0], samples[:, -1]])
    assert not rim.any() and samples.max() == 1


def test_without_positive_samples_the_map_is_the_weak_one(scene):
    parts = BL.steps(scene, BlParams(positive=1e9))
    assert not (parts["samples"] == 1).any() and np.array_equal(parts["map"], parts["weak map"])


def test_a_large_image_is_worked_on_at_the_work_size(scene):
    params = BlParams(work_side=100)
    small = BL.compute(resize_image(scene, (75, 100)), params)
    assert np.array_equal(BL.compute(scene, params), resize(small, (150, 200)))


def test_the_map_does_not_depend_on_the_number_of_threads(scene):
    threads = cv2.getNumThreads()
    maps = []
    for number in (1, 2):
        cv2.setNumThreads(number)
        maps.append(BL.compute(scene, BlParams()))
    cv2.setNumThreads(threads)
    assert np.array_equal(*maps)


def test_a_missing_scikit_learn_is_said_with_the_mend(scene, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    with pytest.raises(MissingDependencyError, match="learned"):
        BL.compute(scene, BlParams())
