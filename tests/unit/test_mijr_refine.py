"""Refinement by MIJR: it mends what it has learnt to mend, and keeps the prior where it has nothing to go by."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pool_samples
import pytest
from mijr_samples import SMALL, job, options, trained, use_tiny_backbone

from sodlift.alignment.scene import scene as scene_of
from sodlift.errors import ConfigError, DataError
from sodlift.inference.shared import SharedRefiner
from sodlift.refiners.mijr.refine import ALONE, EMPTY, NONE_PASSED, NOT_TRAINED, MijrRefiner, load
from sodlift.refiners.mijr.smooth import painted, retouched, weights
from sodlift.refiners.mijr.train import train

LEARNT = options(widths=(64, 32), filter_steps=80, instances=32, dropout=0.0)
LEARNT = replace(LEARNT, recipe=replace(LEARNT.recipe, steps=80, batch=4, head_lr=1e-2))


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> MijrRefiner:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("learnt")
        return trained(folder, use_tiny_backbone(patch, folder), LEARNT, count=12)


def _unseen() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    image, mask = pool_samples.scene(101)
    return image, mask, pool_samples.base_map(mask, 101)


def test_it_mends_errors_that_it_has_learnt(learnt: MijrRefiner) -> None:
    before, after = [], []
    for seed in (101, 103, 105):
        image, mask = pool_samples.scene(seed)
        base = pool_samples.base_map(mask, seed)
        before.append(np.abs(base - mask).mean())
        after.append(np.abs(learnt.refine(image, base).saliency - mask).mean())
    assert np.mean(after) < 0.6 * np.mean(before)


def test_several_priors_of_an_image_give_what_each_gives_alone(learnt: MijrRefiner) -> None:
    image, mask, base = _unseen()
    together = learnt.refine_all(learnt.features(image), [base, mask])
    for one, prior in zip(together, (base, mask), strict=True):
        np.testing.assert_array_equal(one.saliency, learnt.refine(image, prior).saliency)
    assert isinstance(learnt, SharedRefiner)


def test_a_map_is_finite_within_the_unit_interval_and_as_large_as_its_image(learnt: MijrRefiner) -> None:
    image, _, base = _unseen()
    found = learnt.refine(image, base).saliency
    assert found is not None
    assert found.shape == base.shape
    assert found.dtype == np.float32
    assert found.min() == 0
    assert found.max() == 1


def test_an_image_aligned_beforehand_gives_the_same_map(learnt: MijrRefiner, tmp_path: Path) -> None:
    manifest, maps = pool_samples.dataset(tmp_path / "data", 2, name="others", first=50)
    pool = learnt.partners.pool.folder
    known = learnt.over(pool, pool_samples.aligned(tmp_path / "aligned", manifest, pool))
    image, _ = pool_samples.scene(50)
    np.testing.assert_array_equal(
        known.refine(image, maps.read("00")).saliency, learnt.refine(image, maps.read("00")).saliency
    )
    with pytest.raises(DataError, match="none of the aligned ones"):
        known.refine(_unseen()[0], maps.read("00"))


def test_an_empty_prior_is_kept(learnt: MijrRefiner) -> None:
    image, mask, _ = _unseen()
    found = learnt.refine(image, np.zeros_like(mask))
    assert found.note == EMPTY
    assert not found.saliency.any()


def test_a_full_prior_gives_a_map(learnt: MijrRefiner) -> None:
    image, mask, _ = _unseen()
    found = learnt.refine(image, np.ones_like(mask)).saliency
    assert np.isfinite(found).all()


def test_an_image_of_20x20_is_refined(learnt: MijrRefiner) -> None:
    random = np.random.default_rng(0)
    found = learnt.refine(random.integers(0, 255, (20, 20, 3)).astype(np.uint8), random.random((20, 20), np.float32))
    assert found.saliency.shape == (20, 20)


def test_where_no_pair_passes_the_prior_is_kept(learnt: MijrRefiner) -> None:
    image, _, base = _unseen()
    strict = replace(learnt, network=learnt.network)
    trust, strict.network.trust = strict.network.trust, 1.0
    try:
        found = strict.refine(image, base)
    finally:
        strict.network.trust = trust
    assert found.note == NONE_PASSED
    np.testing.assert_array_equal(found.saliency, base)


def test_a_pool_of_one_image_keeps_that_image_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refiner = trained(tmp_path, use_tiny_backbone(monkeypatch, tmp_path), count=1)
    known = refiner.over(tmp_path / "pool", tmp_path / "aligned")
    image, mask = pool_samples.scene(0)
    base = pool_samples.base_map(mask, 0)
    found = known.refine(image, base)
    assert found.note == ALONE
    np.testing.assert_array_equal(found.saliency, base)


def test_a_training_without_pairs_of_use_keeps_priors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector is right everywhere, so that there is nothing to learn from it."""
    this, chosen = job(tmp_path), options(weights_file=use_tiny_backbone(monkeypatch, tmp_path), wrong=0.0, right=1.0)
    monkeypatch.setattr("sodlift.refiners.mijr.data.agreement", lambda certain, mask: np.ones_like(mask))
    train(chosen, this)
    image, mask = pool_samples.scene(100)
    found = load(SMALL, this.output, "cpu").over(tmp_path / "pool").refine(image, mask)
    assert found.note == NOT_TRAINED


def test_without_its_pool_it_says_so(learnt: MijrRefiner) -> None:
    image, _, base = _unseen()
    with pytest.raises(ConfigError, match="needs its pool"):
        replace(learnt, partners=None).refine(image, base)


def test_an_explanation_tells_which_superpixels_were_judged_anew(learnt: MijrRefiner) -> None:
    image, _, base = _unseen()
    found = learnt.explain(learnt.features(image), base)
    assert 0 < found.passed.mean() < 1
    np.testing.assert_allclose(found.scores[~found.passed], found.base[~found.passed], atol=1e-6)


def test_smoothing_weights_are_means_that_favour_what_is_near_and_alike() -> None:
    scene = scene_of(pool_samples.scene(0)[0], 30)
    for kind in ("none", "distance", "colour"):
        np.testing.assert_allclose(weights(scene, kind).sum(axis=1), 1)
    assert (weights(scene, "none") == np.eye(scene.count)).all()
    colour = weights(scene, "colour")
    assert (colour.argmax(axis=1) == np.arange(scene.count)).all()
    distance = weights(scene, "distance")
    far = np.hypot(*(scene.centres[0] - scene.centres[-1])) / 250
    assert distance[0, -1] / distance[0, 0] == pytest.approx(np.exp(-(far**2) / 0.4))


def test_retouching_keeps_detail_and_painting_does_not() -> None:
    labels = np.zeros((4, 4), np.int32)
    labels[:, 2:] = 1
    base = np.linspace(0, 0.5, 16, dtype=np.float32).reshape(4, 4)
    before, after = np.array([0.2, 0.3]), np.array([0.2, 0.8])
    moved = retouched(base, before, after, labels)
    np.testing.assert_array_equal(moved[:, :2], base[:, :2])
    np.testing.assert_allclose(moved[:, 2:], np.minimum(base[:, 2:] + 0.5, 1), atol=1e-6)
    np.testing.assert_allclose(painted(after, labels)[0], [0.2, 0.2, 0.8, 0.8])
