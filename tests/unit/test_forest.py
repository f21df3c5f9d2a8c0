"""The forest against scikit-learn's own answers."""

import sys

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from sodlift.errors import MissingDependencyError
from sodlift.priors._forest import Forest, _from_trees, grow


def samples(n=600, seed=0):
    """Return features, many of them equal so that thresholds lie close to samples, and targets."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.normal(size=(n, 4)), rng.integers(0, 4, (n, 3)) / 3], axis=1).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] + x[:, 4] > 0.3).astype(np.float32)


def test_it_answers_as_scikit_learn_does():
    x, y = samples()
    theirs = RandomForestRegressor(12, min_samples_leaf=2, random_state=3).fit(x, y)
    ours = _from_trees([tree.tree_ for tree in theirs.estimators_])
    fresh = np.concatenate([x, samples(seed=1)[0], np.nextafter(x, np.float32(9)), np.nextafter(x, np.float32(-9))])
    assert np.allclose(ours.predict(fresh), theirs.predict(fresh), atol=1e-6)


def test_samples_on_a_threshold_go_left_as_in_scikit_learn():
    x = np.nextafter(np.float32(0.1), np.float32([0, 1]))[:, None].repeat(20, axis=0)
    y = np.repeat([0.0, 1.0], 20)
    theirs = RandomForestRegressor(3, random_state=0).fit(x, y)
    ours = _from_trees([tree.tree_ for tree in theirs.estimators_])
    probe = np.float32([[0.1], [x[0, 0]], [x[-1, 0]]])
    assert ours.predict(probe).tolist() == pytest.approx(theirs.predict(probe).tolist())


def test_the_forest_does_not_depend_on_the_number_of_workers():
    x, y = samples()
    one, two = (grow(x, y, 8, 3, 200, 2, 5, workers) for workers in (1, 2))
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in Forest.__dataclass_fields__)
    other = grow(x, y, 8, 3, 200, 2, 6, 1)
    assert not np.array_equal(one.threshold, other.threshold)


def test_it_learns_and_answers_within_the_targets():
    x, y = samples()
    answers = grow(x, y, 30, 3, 10**6, 1, 0, 1).predict(x)
    assert answers.min() >= 0 and answers.max() <= 1 and ((answers > 0.5) == y).mean() > 0.97


def test_targets_that_are_all_equal_make_leaves_only():
    x, _ = samples(50)
    forest = grow(x, np.ones(50), 4, 3, 50, 1, 0, 1)
    assert (forest.feature == -1).all() and (forest.predict(x) == 1).all()


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(MissingDependencyError, match=r"sodlift\[learned\]"):
        grow(*samples(50), 4, 3, 50, 1, 0, 1)
