"""A2S's first stage from images to labels: what is trained, what an image's label is, the registered detectors."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import a2s_samples
import mirm_samples
import numpy as np
import pytest
import torch
from a2s_samples import options, train
from training_samples import job, prepared, same

from sodlift.datasets.manifest import Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors.a2s_labels import detect
from sodlift.detectors.a2s_labels.detect import crf, soft, stretched
from sodlift.detectors.a2s_labels.options import A2sLabelsOptions
from sodlift.errors import ConfigError
from sodlift.mapset import MapSet
from sodlift.refiners.densecrf import DenseCrf, DenseCrfOptions


def states(folder: Path, **changes: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train; return the encoder's weights before and after."""
    before = torch.load(folder / "tiny.pth", weights_only=True)
    name = "_".join(changes.values())
    model, memory = train(folder, options(folder, A2sLabelsOptions, {"steps": 1}, **changes), name)
    assert memory is None
    return before, {key: model["state"][f"backbone.{key}"] for key in before}


def test_frozen_encoder_keeps_its_weights_and_only_by_batch_its_averages_drift(tmp_path: Path) -> None:
    folder = prepared(tmp_path, 3)
    for norm, moves in (("frozen", set()), ("batch", {"running_mean", "running_var", "num_batches_tracked"})):
        before, after = states(folder, backbone_norm=norm)
        assert {key.rpartition(".")[2] for key in before if not torch.equal(before[key], after[key])} == moves
    before, after = states(folder, backbone_training="tuned")
    assert all(not torch.equal(before[key], after[key]) for key in before if key.endswith("0.weight"))


@pytest.mark.parametrize("changes", [{"auxiliary": False}, {"drop": 0.0}, {"alpha": 0.3}, {"boundary": "db4"}])
def test_variants_train_other_weights(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = prepared(tmp_path, 3)
    plain, again, other = (
        train(folder, options(folder, A2sLabelsOptions, {"steps": 2}, **given), name)[0]["state"]
        for name, given in (("a", {}), ("b", {}), ("c", changes))
    )
    assert same(plain, again)
    assert not torch.equal(plain["fuse.conv.weight"], other["fuse.conv.weight"])


def test_folded_normalisation_never_runs_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = prepared(tmp_path, 2)
    folded = replace(mirm_samples.TINY, weights={"tiny": replace(mirm_samples.ENTRY, folded_bn=True)})
    monkeypatch.setattr(mirm_samples, "TINY", folded)
    with pytest.raises(ConfigError, match=r"folded[\s\S]*backbone_norm"):
        train(folder, options(folder, A2sLabelsOptions, backbone_norm="batch"))


def test_training_makes_activations_more_decided(tmp_path: Path) -> None:
    folder = prepared(tmp_path, 4)
    train(folder, options(folder, A2sLabelsOptions, {"steps": 12, "head_lr": 0.1}))
    losses = [float(line.split(",")[1]) for line in (folder / "m.csv").read_text().splitlines()[1:]]
    assert np.mean(losses[-5:]) < losses[0] - 0.02


# Labels.


def test_constant_map_gives_an_empty_label() -> None:
    image = np.zeros((5, 6, 3), np.uint8)
    for value in (0.0, 0.5, 1.0):
        flat = np.full((5, 6), value, np.float32)
        assert not soft(image, flat).any()
        assert not crf(image, flat).any()
    assert not stretched(np.float32([[0.5, 0.5 + 5e-7]])).any(), "rounding is no structure"


def test_label_is_the_upper_half_of_the_maps_range_cleaned() -> None:
    image, prior = mirm_samples.scene(3)
    activation = 0.2 + 0.4 * prior
    expected = DenseCrf(DenseCrfOptions.presets()["a2s"]).refine(image, (prior > 0.5).astype(np.float32)).saliency
    found = crf(image, activation)
    assert np.array_equal(found, expected)
    assert set(np.unique(found)) == {0, 1}
    assert np.allclose(soft(image, activation), prior / prior.max(), atol=1e-6)


@pytest.fixture
def detector(tmp_path: Path) -> detect.A2sLabelsDetector:
    folder = prepared(tmp_path, 2)
    chosen = options(folder, A2sLabelsOptions, {"steps": 2})
    train(folder, chosen)
    with ExitStack() as stack:
        a2s_samples.tiny(stack)
        return detect.load(replace(chosen, model=folder / "m.pt", labels="soft"), "cpu")


def test_labels_are_made_at_the_images_own_size_or_the_one_asked_for(detector: detect.A2sLabelsDetector) -> None:
    image = mirm_samples.scene(5)[0]
    (found,) = detector.predict([image])
    assert (found.shape, found.dtype, found.min(), found.max()) == ((48, 64), np.float32, 0, 1)
    assert detector.network_size((48, 64)) == (48, 64)
    square = replace(detector, options=replace(detector.options, label_size=96))
    assert square.network_size((48, 64)) == (96, 96)
    assert square.predict([image])[0].shape == (48, 64)


def test_labels_do_not_depend_on_the_company(detector: detect.A2sLabelsDetector) -> None:
    images = [mirm_samples.scene(seed)[0] for seed in (5, 6)]
    pair = detector.activations(images)
    for image, found in zip(images, pair, strict=True):
        assert np.allclose(detector.activations([image])[0], found, atol=1e-5)


def test_network_without_activation_gives_an_empty_label_that_is_kept(detector: detect.A2sLabelsDetector) -> None:
    torch.nn.init.zeros_(detector.network.fuse.norm.weight)
    torch.nn.init.zeros_(detector.network.fuse.norm.bias)
    hard = replace(detector, options=replace(detector.options, labels="crf"))
    for one in (detector, hard):
        assert not one.predict([mirm_samples.scene(5)[0]])[0].any()


@pytest.mark.parametrize("name", ["a2s_labels", "a2s"])
def test_registered_types_make_maps_of_a_data_set(tmp_path: Path, name: str) -> None:
    kind = DETECTORS.get(name)
    folder = prepared(tmp_path, 3, a2s_samples.labelled)
    chosen = options(folder, kind.options, {"steps": 2})
    assert kind.needs_training(chosen) and kind.deep
    with ExitStack() as stack:
        a2s_samples.tiny(stack)
        kind.train(chosen, job(folder))
        ready = chosen.with_model(folder / "m.pt")
        report = kind.make(name, ready, Manifest.load(folder / "data" / "manifest.csv"), folder / "maps")
    assert report.found == 3
    assert MapSet(folder / "maps").usable(["00", "01", "02"])
    assert kind.seen(ready) == {"digest 0", "digest 1", "digest 2"}
    assert list(kind.files(ready, "scenes")) == [folder / "m.pt"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"size": 32}, "size"),
        ({"label_size": 10}, "label_size"),
        ({"alpha": -1.0}, "alpha"),
        ({"drop": 1.0}, "drop"),
        ({"backbone": "none"}, "backbone"),
    ],
)
def test_senseless_options_are_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        A2sLabelsOptions(**changes)


def test_paper_preset_is_the_published_recipe() -> None:
    paper = A2sLabelsOptions.presets()["paper"]
    recipe, epoch = paper.recipe, 3000 // 8
    assert (paper.backbone, paper.weights, paper.size) == ("resnet50", "moco_v2_800ep", 320)
    assert (paper.backbone_training, paper.backbone_norm, paper.alpha, paper.drop) == ("frozen", "batch", 0.1, 0.5)
    assert (recipe.steps, recipe.optimiser, recipe.hflip) == (20 * epoch, "nesterov", True)
    rates = [recipe.factor(step * epoch) * recipe.head_lr for step in (9, 10, 15, 16)]
    assert rates == pytest.approx([1, 0.1, 0.1, 0.01])
