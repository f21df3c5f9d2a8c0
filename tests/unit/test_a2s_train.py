"""A2S's second stage from labels to maps: rectifying by hand, labels that are refused, the trained detector."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import a2s_samples
import mirm_samples
import numpy as np
import pytest
import torch
from a2s_samples import labelled, options, train
from training_samples import job, prepared, same

from sodlift.arrays import FloatMap
from sodlift.detectors.a2s import detect, rectify
from sodlift.detectors.a2s.options import A2sOptions
from sodlift.detectors.a2s.rectify import mixed, remember
from sodlift.detectors.a2s.train import refuse
from sodlift.errors import ConfigError, DataError, WeightsError
from sodlift.refiners.densecrf import DenseCrf, DenseCrfOptions
from sodlift.training.data import decode, items_of
from sodlift.training.feed import indices
from sodlift.training.task import Batch


def test_rectifying_two_epochs_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sample's label: (1 - keep) of every answer for it, turned back where its image was mirrored, in 8 bits."""
    folder = prepared(tmp_path, 4, labelled)
    chosen = options(folder, A2sOptions, {"steps": 4, "hflip": True}, rectify_from=0.25)
    seen: list[tuple[Batch, torch.Tensor]] = []

    def spied(given: A2sOptions) -> Any:
        inner = remember(given)

        def noted(batch: Batch, logits: torch.Tensor, done: float) -> torch.Tensor | None:
            seen.append((batch, logits.clone()))
            return inner(batch, logits, done)

        return noted

    monkeypatch.setattr("sodlift.detectors.a2s.train.remember", spied)
    asked = job(folder)
    _, labels = train(folder, chosen)
    expected = [decode(item, 64, "priors").planes[3] for item in items_of(asked, "priors")]
    turned = 0
    for step, (batch, logits) in enumerate(seen):
        assert batch.samples.tolist() == indices(step, 2, 4, asked.seed)
        for sample, flip, target, answer in zip(
            batch.samples.tolist(), batch.flips.tolist(), batch.targets, logits, strict=True
        ):
            turned += flip
            shown = expected[sample][:, ::-1] if flip else expected[sample]
            assert np.array_equal((target[0] * 255).round().numpy(), shown), "the loss sees what the label has become"
            if step == 0:
                continue  # a quarter of the steps leaves labels alone
            mean = 0.4 * torch.from_numpy(expected[sample].copy()) / 255
            back = torch.sigmoid(answer[0]).flip(-1) if flip else torch.sigmoid(answer[0])
            expected[sample] = ((mean + 0.6 * back) * 255).round().to(torch.uint8).numpy()
    assert 0 < turned < 8, "some images were mirrored"
    assert np.abs(labels.astype(int) - np.stack(expected)).max() <= 1  # the last bit of a product may round


def test_keeping_all_of_a_label_never_changes_it(tmp_path: Path) -> None:
    folder = prepared(tmp_path, 4, labelled)
    short = {"steps": 4, "hflip": True}
    kept, labels = train(folder, options(folder, A2sOptions, short, keep=1.0, rectify_from=0.0), "kept")
    none, memory = train(folder, options(folder, A2sOptions, short, rectify="none"), "none")
    assert memory is None
    assert same(kept["state"], none["state"]), "a memory that changes nothing changes no bit"
    priors = [decode(item, 64, "priors").planes[3] for item in items_of(job(folder), "priors")]
    assert np.array_equal(labels, np.stack(priors))


def test_mixture_and_its_start() -> None:
    label, logits = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1), torch.tensor([0.0, 1e3]).view(2, 1, 1, 1)
    batch = Batch(torch.zeros(2, 3, 1, 1, dtype=torch.uint8), label, torch.zeros(2), torch.zeros(2))
    rule = remember(A2sOptions())
    assert rule(batch, logits, 0.0799) is None
    assert rule(batch, logits, 0.08).flatten().tolist() == pytest.approx([0.3, 1.0])
    assert mixed(label, logits, 1.0).equal(label)
    assert remember(A2sOptions(rectify="none")) is None


def test_moving_average_mixes_in_the_prediction_cleaned_by_the_crf() -> None:
    scenes = [mirm_samples.scene(seed, (24, 32)) for seed in range(2)]
    images = torch.from_numpy(np.stack([image for image, _ in scenes])).permute(0, 3, 1, 2)
    logits = torch.logit(torch.from_numpy(np.stack([prior for _, prior in scenes]))[:, None], eps=1e-3)
    batch = Batch(images, torch.ones(2, 1, 24, 32), torch.zeros(2), torch.zeros(2))
    found = remember(A2sOptions(rectify="hma", keep=0.7))(batch, logits, 0.5)
    crf = DenseCrf(DenseCrfOptions.presets()["deepusps"])
    for (image, _), plane, answer in zip(scenes, found, torch.sigmoid(logits), strict=True):
        cleaned = crf.refine(image, answer[0].numpy()).saliency
        assert np.allclose(plane[0].numpy(), 0.7 + 0.3 * cleaned, atol=1e-6)
    assert set(rectify.SOURCES) == {"olr", "hma"}


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ([[0.0, 1.0]], ""),
        ([[0.49, 0.51]], ""),
        ([[0.0, 0.5]], "label without object"),
        ([[0.51, 1.0]], "label without background"),
    ],
)
def test_labels_of_one_side_are_refused(label: list[list[float]], reason: str) -> None:
    values: FloatMap = np.array(label, np.float32)
    assert refuse(values, values) == reason


def empty(seed: int) -> Any:
    image, label = labelled(seed)
    return image, label * (seed % 2) if seed < 2 else label


def test_refused_labels_are_counted_and_none_at_all_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = prepared(tmp_path / "a", 4, empty)
    model, labels = train(folder, options(folder, A2sOptions))
    assert "3 training images; 1 skipped: label without object" in capsys.readouterr().err
    assert labels.shape == (3, 64, 64)
    assert [row[-1] for row in model["images"]] == ["skipped", "train", "train", "train"]
    bare = prepared(tmp_path / "b", 2, lambda seed: (labelled(seed)[0], np.ones((48, 64), np.float32)))
    with pytest.raises(DataError, match="2 x label without background"):
        train(bare, options(bare, A2sOptions))


def test_trained_detector_finds_what_its_labels_show(tmp_path: Path) -> None:
    folder = prepared(tmp_path, 4, labelled)
    chosen = options(folder, A2sOptions, {"steps": 25})
    train(folder, chosen)
    with ExitStack() as stack:
        a2s_samples.tiny(stack)
        detector = detect.load(chosen.with_model(folder / "m.pt"), "cpu")
        with pytest.raises(WeightsError, match="trained with modulation"):
            detect.load(replace(chosen, modulation=False, model=folder / "m.pt"), "cpu")
    image, label = labelled(9)
    other = labelled(10)[0][:40, :50]
    (found,), pair = detector.predict([image]), detector.predict([image, other])
    assert detector.network_size((48, 64)) == (64, 64)
    assert (found.dtype, found.shape, found.min(), found.max()) == (np.float32, (48, 64), 0, 1)
    assert found[label > 0].mean() > found[label == 0].mean() + 0.3
    assert pair[1].shape == (40, 50)
    assert np.allclose(pair[0], found, atol=1e-5)


def test_constant_answer_gives_an_empty_map(tmp_path: Path) -> None:
    folder = prepared(tmp_path, 2, labelled)
    chosen = options(folder, A2sOptions, {"steps": 1})
    train(folder, chosen)
    with ExitStack() as stack:
        a2s_samples.tiny(stack)
        detector = detect.load(chosen.with_model(folder / "m.pt"), "cpu")
    torch.nn.init.zeros_(detector.network.local.join.weight)
    torch.nn.init.zeros_(detector.network.local.join.bias)
    (found,) = detector.predict([labelled(0)[0]])
    assert not found.any()


@pytest.mark.parametrize(
    ("changes", "where"),
    [({"size": 32}, "size"), ({"keep": 1.5}, "keep"), ({"rectify_from": -0.1}, "rectify_from")],
)
def test_senseless_options_are_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        A2sOptions(**changes)


def test_crops_are_refused_where_labels_are_rectified() -> None:
    cropped = replace(A2sOptions().recipe, crop=0.9)
    with pytest.raises(ConfigError, match=r"recipe\.crop"):
        A2sOptions(recipe=cropped)
    assert A2sOptions(recipe=cropped, rectify="none").recipe.crop == 0.9


def test_paper_preset_is_the_published_recipe() -> None:
    paper = A2sOptions.presets()["paper"]
    recipe, epoch = paper.recipe, 3000 // 8
    assert (paper.backbone, paper.weights, paper.size, paper.keep) == ("resnet50", "moco_v2_800ep", 320, 0.4)
    assert recipe.steps == 25 * epoch
    rates = [recipe.head_lr * recipe.factor(step * epoch) for step in (14, 15, 19, 20)]
    assert rates == pytest.approx([5e-3, 5e-4, 5e-4, 5e-5])
    assert recipe.backbone_lr == recipe.head_lr / 10
    assert paper.rectify_from * recipe.steps == pytest.approx(2 * epoch)
