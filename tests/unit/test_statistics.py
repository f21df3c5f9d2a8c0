"""Bootstrap, signed ranks, Holm and counts of wins, against SciPy and against values worked out by hand."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from sodlift.errors import ConfigError, DataError
from sodlift.statistics import bootstrap
from sodlift.statistics.bootstrap import paired_bootstrap
from sodlift.statistics.significance import holm, wilcoxon, win_tie_loss

GAINS = np.random.default_rng(7).normal(0.01, 0.05, (40, 3))


# ---- bootstrap


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_interval_is_scipys_percentile_interval_of_the_same_draws(level: float) -> None:
    theirs = scipy.stats.bootstrap(
        (GAINS[:, 0],),
        np.mean,
        confidence_level=level,
        n_resamples=500,
        method="percentile",
        rng=np.random.default_rng(3),
    ).confidence_interval
    assert paired_bootstrap(GAINS[:, 0], level, 500, seed=3) == pytest.approx(tuple(theirs), abs=1e-14)


def test_interval_does_not_depend_on_how_many_resamples_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = paired_bootstrap(GAINS, resamples=500)
    monkeypatch.setattr(bootstrap, "_AT_ONCE", 120)  # three resamples of forty images
    assert np.allclose(paired_bootstrap(GAINS, resamples=500), whole, rtol=0, atol=1e-15)


def test_metrics_of_one_call_share_the_images_drawn() -> None:
    together = np.array(paired_bootstrap(GAINS, resamples=500))
    alone = np.array([paired_bootstrap(GAINS[:, i], resamples=500) for i in range(3)]).T
    assert np.allclose(together, alone, rtol=0, atol=1e-15)


def test_same_seed_same_interval_other_seed_another() -> None:
    first = paired_bootstrap(GAINS[:, 0])
    assert paired_bootstrap(GAINS[:, 0]) == first
    assert paired_bootstrap(GAINS[:, 0], seed=1) != first
    assert paired_bootstrap(GAINS[:, 0], seed=1) == pytest.approx(first, abs=2e-3)


def test_interval_of_a_normal_mean_is_that_of_theory() -> None:
    gains = np.random.default_rng(0).normal(0.0, 1.0, 900)
    error = gains.std() / 30
    low, high = paired_bootstrap(gains)
    assert (low, high) == pytest.approx((gains.mean() - 1.96 * error, gains.mean() + 1.96 * error), abs=0.05 * error)


def test_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(5)
    samples = draw.exponential(1.0, (120, 400))  # one column an experiment; skewed
    low, high = paired_bootstrap(samples, resamples=1000)
    assert 0.91 <= np.mean((low <= 1) & (high >= 1)) <= 0.98


def test_wider_level_gives_a_wider_interval_around_the_mean() -> None:
    narrow, wide = (paired_bootstrap(GAINS[:, 0], level) for level in (0.8, 0.99))
    assert wide[0] < narrow[0] < GAINS[:, 0].mean() < narrow[1] < wide[1]


def test_equal_differences_have_an_interval_without_width() -> None:
    assert paired_bootstrap([0.25] * 10) == (0.25, 0.25)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0.1, np.nan, np.inf],), DataError, "2 of 3 paired differences are not finite"),
        (([0.1],), DataError, "a bootstrap over 1 images"),
        (([0.1, 0.2], 95), ConfigError, "level 95"),
        (([0.1, 0.2], 0.95, 0), ConfigError, "0 resamples"),
        (([0.1, 0.2], 0.95, 10, -1), ConfigError, "seed -1"),
    ],
)
def test_what_cannot_be_resampled_is_refused(arguments: tuple, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        paired_bootstrap(*arguments)


# ---- signed ranks


def test_small_samples_without_ties_get_the_exact_p() -> None:
    # five changed images, all better: one of 2^5 signings a side is as extreme
    assert wilcoxon([0.1, 0.2, 0.3, 0.4, 0.5]) == 2 / 2**5
    assert wilcoxon([0.1, 0.2, 0.3, 0.4, 0.5, 0.0, 1e-12]) == 2 / 2**5


def test_large_samples_get_scipys_normal_approximation() -> None:
    gains = np.random.default_rng(1).normal(0.01, 0.1, 300)
    assert wilcoxon(gains) == scipy.stats.wilcoxon(gains, method="asymptotic").pvalue


def test_ties_share_their_rank_and_use_the_normal_approximation() -> None:
    gains = np.array([0.25, 0.25, -0.25, 0.5, 0.75, 1.0, 0.0])
    # ranks 2, 2, -2, 4, 5, 6: the negative sum is 2 of 21; its variance loses (3^3 - 3) / 48 to the tie
    z = (2 - 21 / 2) / np.sqrt(6 * 7 * 13 / 24 - 24 / 48)
    assert wilcoxon(gains) == pytest.approx(2 * scipy.stats.norm.cdf(z), rel=1e-12)


def test_refiner_that_changes_nothing_has_p_of_one() -> None:
    assert wilcoxon(np.zeros(100)) == 1.0
    assert wilcoxon([]) == 1.0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=80), st.randoms(use_true_random=False))
def test_p_is_a_probability_that_neither_order_nor_sign_changes(gains: list[float], random: st.DataObject) -> None:
    p = wilcoxon(gains)
    assert 0 <= p <= 1
    assert wilcoxon([-gain for gain in gains]) == pytest.approx(p, rel=1e-9)
    random.shuffle(gains)
    assert wilcoxon(gains) == pytest.approx(p, rel=1e-9)


# ---- Holm


def test_holm_by_hand() -> None:
    # sorted 0.005, 0.01, 0.03, 0.04, times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04; the last may not fall below the third
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02], rel=1e-12)


def test_holm_stops_at_one_and_leaves_a_lone_p_as_it_is() -> None:
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert holm([0.03]).tolist() == [0.03]
    assert holm([]).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_lies_between_no_correction_and_bonferronis_and_keeps_the_order(p_values: list[float]) -> None:
    corrected, given_values = holm(p_values), np.array(p_values)
    assert (corrected >= given_values).all()
    assert (corrected <= np.minimum(given_values * len(p_values), 1)).all()
    assert (np.diff(corrected[np.argsort(given_values, kind="stable")]) >= 0).all()


def test_holm_refuses_what_is_no_probability() -> None:
    with pytest.raises(DataError, match=r"outside 0\.\.1"):
        holm([0.5, 1.5])
    with pytest.raises(DataError, match="1 of 2 p values are not finite"):
        holm([0.5, np.nan])


# ---- wins


def test_wins_ties_and_losses_by_tolerance() -> None:
    gains = [0.2, 1e-10, 0.0, -1e-10, -0.01, -0.2]
    assert win_tie_loss(gains) == (1, 3, 2)
    assert win_tie_loss(gains, tolerance=0.05) == (1, 4, 1)
    assert win_tie_loss(gains, tolerance=0) == (2, 1, 3)


@pytest.mark.parametrize("function", [wilcoxon, win_tie_loss])
def test_undefined_differences_are_refused(function: object) -> None:
    with pytest.raises(DataError, match="1 of 2 paired differences are not finite"):
        function([0.1, np.nan])  # type: ignore[operator]
