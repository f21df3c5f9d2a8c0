"""The lasso against scikit-learn's and against the conditions that its minimum satisfies."""

import numpy as np
import pytest
from sklearn.linear_model import Lasso

from sodlift.priors._lasso import lasso


def problem(seed, atoms, targets, dims):
    rng = np.random.default_rng(seed)
    rows = rng.random((atoms + targets, dims))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows[:atoms], rows[atoms:]


def duality_gap(atoms, targets, penalty, found):
    left = targets - found @ atoms
    scale = np.minimum(1, penalty / np.abs(left @ atoms.T).max(axis=1, initial=penalty))
    primal = 0.5 * (left**2).sum(axis=1) + penalty * np.abs(found).sum(axis=1)
    dual = 0.5 * (targets**2).sum(axis=1) - 0.5 * ((targets - scale[:, None] * left) ** 2).sum(axis=1)
    return primal - dual


@pytest.mark.parametrize("penalty", [0.01, 0.05, 0.2])
def test_it_finds_scikit_learns_solution(penalty):
    atoms, targets = problem(0, 30, 25, 8)
    # scikit-learn divides the squared error by the number of dimensions
    model = Lasso(alpha=penalty / 8, fit_intercept=False, tol=1e-12, max_iter=1_000_000)
    theirs = np.stack([model.fit(atoms.T, target).coef_ for target in targets])
    assert np.abs(lasso(atoms, targets, penalty) - theirs).max() < 1e-4


def test_no_better_solution_exists():
    for seed, count in enumerate((1, 3, 8, 60, 300)):
        atoms, targets = problem(seed, count, 40, 8)
        gap = duality_gap(atoms, targets, 0.01, lasso(atoms, targets, 0.01))
        assert gap.min() > -1e-12 and gap.max() < 1e-7


def test_nearly_parallel_equal_and_empty_atoms_are_taken():
    atoms, targets = problem(5, 20, 40, 8)
    close = atoms[:1] + 1e-5 * atoms
    atoms = np.concatenate([close, atoms, atoms[:7], np.zeros((2, 8))])
    found = lasso(atoms, targets, 0.01)
    assert np.isfinite(found).all() and not found[:, -2:].any()
    assert duality_gap(atoms, targets, 0.01, found).max() < 1e-6


def test_orthogonal_atoms_are_soft_thresholded():
    targets = np.random.default_rng(6).normal(0, 1, (10, 5))
    expected = np.sign(targets) * np.maximum(np.abs(targets) - 0.3, 0)
    assert np.allclose(lasso(np.eye(5), targets, 0.3), expected, atol=1e-8)


def test_a_penalty_above_all_products_leaves_nothing():
    atoms, targets = problem(7, 10, 5, 4)
    assert not lasso(atoms, targets, 1.1).any()


def test_solutions_do_not_depend_on_the_target_before():
    atoms, targets = problem(8, 40, 30, 8)
    forward, backward = lasso(atoms, targets, 0.01), lasso(atoms, targets[::-1], 0.01)[::-1]
    assert np.abs(forward @ atoms - backward @ atoms).max() < 1e-6
