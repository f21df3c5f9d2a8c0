"""Refinement by MIRM: the merge, the modes, and every prior that the published code trips over."""

from pathlib import Path
from typing import Any

import mirm_samples
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from mirm_samples import model_file

from sodlift.arrays import FloatMap, Image8, minmax, resize
from sodlift.errors import WeightsError
from sodlift.refiners.mirm.options import MirmOptions
from sodlift.refiners.mirm.refine import FLAT, MirmRefiner, load, merge, pad, stretch

MAPS = arrays.arrays(np.float32, (3, 4), elements=st.floats(0, 1, width=32))
KEPT = "kept prior: no pixel >= theta_fg"


def refiner(**options: object) -> MirmRefiner:
    chosen = MirmOptions(backbone=mirm_samples.NAME, **options)
    return MirmRefiner(mirm_samples.network().eval(), mirm_samples.ENTRY, chosen, torch.device("cpu"))


def sample(size: tuple[int, int] = (48, 64)) -> tuple[Image8, FloatMap]:
    return mirm_samples.scene(0, size)


def test_merge_keeps_the_prior_on_a_tie() -> None:
    prior = np.array([[0.25, 0.75, 0.5]], np.float32)
    assert np.array_equal(merge(prior, 1 - prior), prior)


@given(MAPS, MAPS)
def test_merge_takes_the_more_confident_value(prior: FloatMap, prediction: FloatMap) -> None:
    merged = merge(prior, prediction)
    assert np.array_equal(np.abs(merged - 0.5), np.maximum(np.abs(prior - 0.5), np.abs(prediction - 0.5)))
    certain = (prior == 0) | (prior == 1)
    assert np.array_equal(merged[certain], prior[certain])


@given(MAPS)
def test_stretched_map_spans_zero_to_one_or_is_a_constant_in_range(merged: FloatMap) -> None:
    stretched = stretch(merged)
    assert stretched.dtype == np.float32
    if float(np.ptp(merged)) < FLAT:
        assert np.array_equal(stretched, merged)
    else:
        assert stretched.min() == 0
        assert stretched.max() == pytest.approx(1, abs=1e-5)


def test_refined_map_is_the_stretched_merge_of_prior_and_prediction() -> None:
    image, prior = sample()
    mirm = refiner()
    refined = mirm.refine(image, prior)
    assert refined.status == "ok"
    assert refined.note == ""
    assert np.array_equal(refined.saliency, stretch(merge(prior, mirm.predict(image, prior, 0.9))))
    assert refined.saliency.shape == prior.shape
    assert not np.allclose(refined.saliency, prior)


def test_refining_twice_gives_the_same_bits() -> None:
    image, prior = sample()
    assert np.array_equal(refiner().refine(image, prior).saliency, refiner().refine(image, prior).saliency)


def test_prior_without_certain_foreground_is_kept_unchanged_and_noted() -> None:
    image, prior = sample()
    weak = prior * np.float32(0.8)
    refined = refiner().refine(image, weak)
    assert np.array_equal(refined.saliency, weak)
    assert (refined.status, refined.note) == ("ok", KEPT)


def test_empty_prior_gives_an_empty_map() -> None:
    image, prior = sample()
    refined = refiner().refine(image, np.zeros_like(prior))
    assert not refined.saliency.any()
    assert refined.note == KEPT


def test_prior_without_background_is_refined_as_usual() -> None:
    image, prior = sample()
    refined = refiner().refine(image, prior * np.float32(0.5) + np.float32(0.5))
    assert refined.status == "ok"
    assert refined.note == ""


def test_prior_that_is_certain_everywhere_is_refined_as_usual() -> None:
    image, prior = sample()
    refined = refiner().refine(image, np.full_like(prior, 0.95))
    assert np.isfinite(refined.saliency).all()
    assert refined.note == ""


def test_constant_merged_map_is_not_stretched_to_zero() -> None:
    image, prior = sample()
    assert np.array_equal(refiner().refine(image, np.ones_like(prior)).saliency, np.ones_like(prior))


@pytest.mark.parametrize(
    ("scale", "shift", "note"),
    [(0.89, 0.0, "prior's maximum below 0.9"), (0.65, 0.35, "prior's minimum above 0.3")],
)
def test_drop_leaves_out_what_the_authors_code_leaves_out(scale: float, shift: float, note: str) -> None:
    image, prior = sample()
    refined = refiner(mode="drop").refine(image, prior * np.float32(scale) + np.float32(shift))
    assert (refined.saliency, refined.status, refined.note) == (None, "dropped", note)


def test_drop_rule_stays_when_theta_fg_is_lowered() -> None:
    image, prior = sample()
    weak = prior * np.float32(0.85)
    assert refiner(mode="drop", theta_fg=0.7).refine(image, weak).status == "dropped"
    assert refiner(mode="keep", theta_fg=0.7).refine(image, weak).note == ""


def test_drop_refines_the_others() -> None:
    image, prior = sample()
    assert np.array_equal(refiner(mode="drop").refine(image, prior).saliency, refiner().refine(image, prior).saliency)


def test_adaptive_lowers_theta_fg_to_nine_tenths_of_the_maximum() -> None:
    image, prior = sample()
    weak = prior * np.float32(0.6)
    refined = refiner(mode="adaptive").refine(image, weak)
    assert refined.note == "theta_fg lowered to 0.540"
    assert np.array_equal(refined.saliency, refiner(theta_fg=0.54).refine(image, weak).saliency)


def test_adaptive_keeps_a_prior_below_one_half() -> None:
    image, prior = sample()
    assert refiner(mode="adaptive").refine(image, prior * np.float32(0.49)).note == KEPT


def test_maximum_lowered_by_resizing_keeps_the_prior() -> None:
    image, prior = sample((200, 200))
    spike = prior * np.float32(0.5)
    spike[100, 100] = 1
    refined = refiner(size=64).refine(image, spike)
    assert np.array_equal(refined.saliency, spike)
    assert refined.note == "kept prior: no pixel >= theta_fg at the network's size"


def test_option_size_resizes_for_the_network_and_merges_at_the_images_size() -> None:
    image, prior = sample((100, 80))
    mirm = refiner(size=64)
    small_image, small_prior = mirm.at_network_size(image, prior)
    assert small_image.shape == (64, 64, 3)
    expected = stretch(merge(prior, resize(mirm.predict(small_image, small_prior, 0.9), (100, 80))))
    assert np.array_equal(mirm.refine(image, prior).saliency, expected)


@pytest.mark.parametrize("size", [(1, 1), (5, 90), (31, 31), (33, 37)])
def test_tiny_and_odd_images_keep_their_size(size: tuple[int, int]) -> None:
    image, prior = sample(size)
    prior = np.maximum(prior, np.eye(*size, dtype=np.float32))
    refined = refiner().refine(image, prior)
    assert refined.saliency.shape == size
    assert np.isfinite(refined.saliency).all()


def test_padding_adds_border_colours_and_no_foreground() -> None:
    image, prior = sample((20, 100))
    padded_image, padded_prior = pad(image, prior)
    assert padded_image.shape == (64, 100, 3)
    assert np.array_equal(padded_image[-1], image[-1])
    assert np.array_equal(padded_prior[:20], prior)
    assert not padded_prior[20:].any()


def test_another_images_foreground_changes_the_prediction_and_its_own_does_not() -> None:
    image, prior = sample()
    mirm = refiner()
    own = mirm.foreground_vector(image, prior, 0.9)
    other = mirm.foreground_vector(*mirm_samples.scene(3), 0.9)
    prediction = mirm.predict(image, prior, 0.9)
    assert np.array_equal(mirm.predict(image, prior, 0.9, foreground=own), prediction)
    assert not np.allclose(mirm.predict(image, prior, 0.9, foreground=other), prediction)


@pytest.fixture
def tiny_backbones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sodlift.training.trained.BACKBONES", mirm_samples.TinyRegistry)


@pytest.mark.usefixtures("tiny_backbones")
def test_loaded_model_refines_as_the_saved_one(tmp_path: Path) -> None:
    model_file().save(tmp_path / "m.pt")
    loaded = load(MirmOptions(backbone=mirm_samples.NAME), tmp_path / "m.pt", "cpu")
    image, prior = sample()
    assert np.allclose(loaded.refine(image, prior).saliency, refiner().refine(image, prior).saliency, atol=1e-5)
    assert not loaded.network.training


@pytest.mark.usefixtures("tiny_backbones")
@pytest.mark.parametrize("key", ["refiner", "backbone", "weights"])
def test_model_of_another_network_is_refused(tmp_path: Path, key: str) -> None:
    model_file(**{key: "other"}).save(tmp_path / "m.pt")
    with pytest.raises(WeightsError, match=rf"{key} 'other'[\s\S]*m\.pt"):
        load(MirmOptions(backbone=mirm_samples.NAME), tmp_path / "m.pt", "cpu")


@pytest.mark.usefixtures("tiny_backbones")
@pytest.mark.parametrize("options", [{"discriminator": 5}, {"pair_order": "random"}])
def test_model_of_another_form_is_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    model_file().save(tmp_path / "model.pt")
    (key,) = options
    with pytest.raises(WeightsError, match=f"model file was trained with {key}"):
        load(MirmOptions(backbone=mirm_samples.NAME, **options), tmp_path / "model.pt", "cpu")


@pytest.mark.usefixtures("tiny_backbones")
def test_model_file_without_all_its_weights_is_refused(tmp_path: Path) -> None:
    state = dict(mirm_samples.network().state_dict())
    del state["discriminator.last.weight"]
    model_file(state=state).save(tmp_path / "m.pt")
    with pytest.raises(WeightsError, match=r"missing: discriminator\.last\.weight"):
        load(MirmOptions(backbone=mirm_samples.NAME), tmp_path / "m.pt", "cpu")


@pytest.mark.usefixtures("tiny_backbones")
def test_missing_model_file_is_an_error_with_its_mend(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="train the model"):
        load(MirmOptions(backbone=mirm_samples.NAME), tmp_path / "none.pt", "cpu")
    with pytest.raises(WeightsError, match="trained model file"):
        load(MirmOptions(backbone=mirm_samples.NAME), None, "cpu")


def test_minmax_of_the_merge_uses_the_published_epsilon() -> None:
    values = np.array([[0.2, 0.7]], np.float32)
    assert np.allclose(stretch(values), minmax(values, eps=1e-12), atol=1e-7)
