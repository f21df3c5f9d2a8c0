"""BSCA: its equations written out, and its automaton on graphs small enough to reason about."""

import numpy as np
import pytest

from sodlift.priors import PRIORS
from sodlift.priors.bsca import Automaton, BscaParams, background_saliency
from sodlift.superpixels.kmeans import kmeans

PARAMS = BscaParams()


def stretched(values):
    return (values - values.min()) / (values.max() - values.min())


def cells(rows=6, cols=7, seed=0):
    """Return colours in [0, 1], positions and the border of a grid of superpixels."""
    yy, xx = np.mgrid[:rows, :cols]
    y, x = yy.ravel(), xx.ravel()
    border = (y == 0) | (y == rows - 1) | (x == 0) | (x == cols - 1)
    colours = np.random.default_rng(seed).random((rows * cols, 3))
    return colours, np.stack([y * 20.0 + 3, x * 20.0 + 5], axis=1), border


def chain(length):
    """Return affinities of cells in a row, each joined to the next."""
    affinity = np.zeros((length, length))
    affinity[np.arange(length - 1), np.arange(1, length)] = 1.0
    return affinity + affinity.T


def scene(size=(150, 200)):
    image = np.random.default_rng(7).normal((70, 90, 60), 6, (*size, 3)).clip(0, 255).astype(np.uint8)
    image[50:100, 70:120] = (220, 60, 40)
    return image


def test_the_background_map_is_equations_1_to_3():
    colours, positions, border = cells()
    members = np.flatnonzero(border)
    cluster, _ = kmeans(colours[members], colours[members[[1, (len(members) - 1) // 2, len(members) - 2]]])
    total = np.zeros(len(colours))
    for k in range(3):
        own = members[cluster == k]
        gcd, gsd = np.zeros(len(colours)), np.zeros(len(colours))
        for i in range(len(colours)):
            apart = [np.linalg.norm(colours[i] - colours[j]) for j in own]
            gcd[i] = np.mean([1 / (np.exp(-d / (2 * 0.2**2)) + 10) for d in apart])
            offsets = stretched(positions)[i] - stretched(positions[own])
            gsd[i] = np.mean([np.exp(-(d @ d) / (2 * 1.3**2)) for d in offsets])
        total += gsd * stretched(gcd)
    assert np.allclose(background_saliency(colours, positions, border, PARAMS), stretched(total), atol=1e-5)


def test_a_colour_that_the_border_lacks_stands_out_and_one_that_it_has_does_not():
    colours, positions, border = cells(9, 12)
    colours[:] = 0.2
    colours[positions[:, 1] > 120] = 0.3
    colours[np.flatnonzero(~border)[:4]] = (0.9, 0.1, 0.8)
    out = background_saliency(colours, positions, border, PARAMS)
    assert out[np.flatnonzero(~border)[:4]].min() > 0.9 and out[border].max() < 0.2


@pytest.mark.parametrize("size", [1, 2, 3])
def test_fewer_superpixels_than_clusters_are_enough(size):
    colours, positions = np.arange(size * 3.0).reshape(size, 3) / 9, np.arange(size * 2.0).reshape(size, 2)
    out = background_saliency(colours, positions, np.ones(size, bool), PARAMS)
    assert out.shape == (size,) and np.isfinite(out).all() and out.min() >= 0


def test_impact_rows_sum_to_one_and_coherence_spans_its_range():
    affinity = chain(9) * np.random.default_rng(1).random(8).cumsum()[:, None].repeat(9, 1)[[*range(8), 7]]
    automaton = Automaton.of(affinity + affinity.T, np.zeros(9, bool), PARAMS)
    assert np.allclose(automaton.impact.sum(axis=1), 1)
    assert automaton.coherence.min() == pytest.approx(0.2) and automaton.coherence.max() == pytest.approx(0.8)
    # the cell with the least of a largest influence heeds itself most
    assert automaton.coherence.argmax() == automaton.impact.max(axis=1).argmin()


def test_an_update_is_equation_8_and_never_leaves_the_range_of_the_states():
    rng = np.random.default_rng(2)
    affinity = rng.random((12, 12))
    automaton = Automaton.of(affinity + affinity.T, np.zeros(12, bool), PARAMS)
    state = rng.random(12)
    own = np.diag(automaton.coherence)
    expected = own @ state + (np.eye(12) - own) @ automaton.impact @ state
    assert np.allclose(automaton.update(state), expected)
    assert state.min() <= expected.min() and expected.max() <= state.max()
    assert np.allclose(automaton.update(np.full(12, 0.7)), 0.7)


def test_updates_even_out_alike_cells_and_the_border_ends_lowest():
    affinity = chain(11)
    affinity[[3, 4, 7, 8], [4, 3, 8, 7]] = 1e-4  # an object of four cells, alike among themselves
    border = np.zeros(11, bool)
    border[[0, 10]] = True
    start = np.array([0.1, 0.3, 0.1, 0.2, 0.9, 0.6, 0.4, 0.8, 0.2, 0.1, 0.2])
    late = Automaton.of(affinity, border, PARAMS).run(start)[-1]
    assert late[4:8].min() > 0.9 and late[border].max() < 0.15 and border[late.argmin()]
    assert np.ptp(late[4:8]) < 0.2 * np.ptp(start[4:8])


def test_foreground_is_lifted_only_while_too_little_of_it_is_certain():
    border = np.zeros(60, bool)
    border[[0, 59]] = True
    automaton = Automaton.of(chain(60), border, PARAMS)
    few, enough = np.full(60, 0.5), np.full(60, 0.5)
    few[30], enough[30:32] = 1.0, 1.0
    for state, changes in ((few, True), (enough, False)):
        plain, lifted = (automaton.guided(state, lift=lift) for lift in (False, True))
        assert changes != np.array_equal(plain, lifted)


def test_where_all_cells_are_border_the_states_stay_finite():
    late = Automaton.of(chain(5), np.ones(5, bool), PARAMS).run(np.linspace(0, 1, 5))[-1]
    assert np.isfinite(late).all() and late.min() >= 0 and late.max() <= 1


def test_a_frame_is_left_out():
    framed = np.pad(scene(), ((9, 9), (9, 9), (0, 0)))
    out = PRIORS.get("bsca").compute(framed, PARAMS)
    assert out[:9].max() == out[:, :9].max() == 0 and out[80, 100] > 0.9


def test_steps_end_with_the_map():
    prior, image = PRIORS.get("bsca"), scene()
    steps = prior.steps(image, PARAMS)
    assert list(steps) == ["background map", "coherence", "border pushed down", "foreground lifted", "map"]
    assert np.array_equal(steps["map"], prior.compute(image, PARAMS))
    assert all(step.shape == (150, 200) and step.min() >= 0 and step.max() <= 1 for step in steps.values())
