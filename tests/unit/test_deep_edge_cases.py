"""Bad input to the deep detectors, through their registered types: a documented value, or an error that names it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mirm_samples
import numpy as np
import pytest
import torch
from a2s_samples import labelled
from deep_samples import NAMES, chosen, manifest, tiny_registry, train
from PIL import Image
from torch import Tensor
from training_samples import job, prepared

from sodlift.datasets.manifest import Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors.a2s_labels.boundary import Boundary
from sodlift.errors import ConfigError, DataError
from sodlift.mapset import MapSet, new_mapset


@pytest.fixture(autouse=True)
def tiny_backbones() -> Iterator[pytest.MonkeyPatch]:
    with tiny_registry() as patch:
        yield patch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return prepared(tmp_path, 3, labelled)


def change_weights(file: Path, change: Callable[[dict[str, Tensor]], None]) -> None:
    content = torch.load(file, weights_only=True)
    change(content["state"])
    torch.save(content, file)


# an empty training set


EMPTY = r"none of 0 training images is usable: the list is empty[\s\S]*name a training set"


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_training_set_is_an_error_and_no_model_is_written(folder: Path, name: str) -> None:
    with pytest.raises(DataError, match=EMPTY):
        DETECTORS.get(name).train(chosen(folder, name), job(folder, name, sources=()))
    assert not list(folder.glob("*.pt"))
    with pytest.raises(DataError, match="'nothing' has no images"):
        Manifest("nothing", ())


def test_a_training_set_all_of_whose_priors_were_dropped_is_empty(folder: Path) -> None:
    with new_mapset(folder / "none") as writer:
        for entry in manifest(folder).entries:
            writer.add(entry.stem, None, "dropped", "test")
    with pytest.raises(DataError, match=EMPTY):
        train(folder, "a2s", priors=MapSet(folder / "none"))


# labels and masks of one side


@pytest.mark.parametrize(
    ("value", "reason"), [(0.0, "label without object"), (1.0, "label without background"), (0.4, "without object")]
)
def test_pseudo_labels_of_one_side_alone_are_an_error_that_counts_them(folder: Path, value: float, reason: str) -> None:
    with new_mapset(folder / "flat") as writer:
        for entry in manifest(folder).entries:
            writer.add(entry.stem, np.full((48, 64), value, np.float32))
    with pytest.raises(DataError, match=rf"none of 3 training images is usable: 3 x \w*\s?{reason}"):
        train(folder, "a2s", priors=MapSet(folder / "flat"))


def test_one_pseudo_label_of_one_side_is_left_out_and_the_rest_is_learnt_from(folder: Path) -> None:
    with new_mapset(folder / "some") as writer:
        for index, entry in enumerate(manifest(folder).entries):
            writer.add(entry.stem, labelled(index)[1] if index else np.ones((48, 64), np.float32))
    ready = train(folder, "a2s", priors=MapSet(folder / "some"))
    images = torch.load(ready.model, weights_only=True)["images"]
    assert [row[-1] for row in images] == ["skipped", "train", "train"]
    assert DETECTORS.get("a2s").seen(ready) == {"digest 1", "digest 2"}


@pytest.mark.parametrize("value", [0, 255])
def test_arn_learns_from_masks_of_one_side(folder: Path, value: int) -> None:
    images = manifest(folder, lambda index: np.full((48, 64), value, np.uint8))
    ready = train(folder, "arn", images, recipe={"steps": 25})
    made(folder, "arn", ready)
    found = np.mean([MapSet(folder / "arn_maps").read(entry.stem) for entry in images.entries])
    assert abs(found - value / 255) < 0.3, "what every mask says is what is found"


# maps


def made(folder: Path, name: str, ready: Any) -> Any:
    """Make the maps by the registered type; return their health."""
    return DETECTORS.get(name).make(name, ready, manifest(folder), folder / f"{name}_maps")


def silence(state: dict[str, Tensor]) -> None:
    for key in ("fuse.norm.weight", "fuse.norm.bias"):
        state[key].zero_()


@pytest.mark.parametrize("labels", ["crf", "soft"])
def test_a_constant_activation_gives_empty_maps_that_are_reported_and_nobody_learns_from(
    folder: Path, labels: str
) -> None:
    ready = train(folder, "a2s_labels", labels=labels)
    change_weights(ready.model, silence)
    report = made(folder, "a2s_labels", ready)
    maps = MapSet(folder / "a2s_labels_maps")
    assert not any(maps.read(entry.stem).any() for entry in manifest(folder).entries)
    assert {finding.kind: len(finding.items) for finding in report.findings}["empty"] == 3
    with pytest.raises(DataError, match="3 x label without object"):
        train(folder, "a2s", priors=maps)


def test_a_constant_answer_of_the_second_stage_gives_empty_maps_that_are_reported(folder: Path) -> None:
    ready = train(folder, "a2s")
    change_weights(ready.model, lambda state: [state[f"local.join.{part}"].zero_() for part in ("weight", "bias")])
    report = made(folder, "a2s", ready)
    assert not any(MapSet(folder / "a2s_maps").read(entry.stem).any() for entry in manifest(folder).entries)
    assert {finding.kind: len(finding.items) for finding in report.findings}["empty"] == 3


@pytest.mark.parametrize("left", [1.0, -1.0])
def test_at_an_exact_tie_of_the_sign_rule_the_positive_half_is_the_object(
    folder: Path, tiny_backbones: pytest.MonkeyPatch, left: float
) -> None:
    ready = train(folder, "a2s_labels", labels="soft")

    def halves(boundary: Boundary, features: Tensor) -> Tensor:
        activation = torch.full((len(features), 1, *features.shape[-2:]), -left)
        activation[..., : features.shape[-1] // 2] = left
        return activation

    tiny_backbones.setattr(Boundary, "forward", halves)
    made(folder, "a2s_labels", ready)
    found = MapSet(folder / "a2s_labels_maps").read("00")
    assert np.array_equal(found[:, 0] == 1, np.full(48, left > 0))
    assert np.array_equal(found[:, -1] == 1, np.full(48, left < 0))
    assert {found.min(), found.max()} == {0, 1}


# backbones without the taps


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("a2s_labels", {}, r"Tiny has 3 taps: 0 \(stride 2\)[\s\S]*at least 4"),
        ("a2s", {}, r"Tiny has 3 taps: 0 \(stride 2\)[\s\S]*at least 4"),
        ("arn", {}, "no tap of stride 16"),
        ("arn", {"strides": (2, 32, 64), "attention": ()}, "no tap of stride 32, 64"),
    ],
)
def test_a_backbone_without_the_taps_is_an_error_in_training_and_when_a_model_is_used(
    folder: Path, tiny_backbones: pytest.MonkeyPatch, name: str, changes: dict[str, Any], message: str
) -> None:
    ready = train(folder, name)
    poor = replace(mirm_samples.TINY, taps=mirm_samples.TINY.taps[:3])
    tiny_backbones.setattr(mirm_samples, "TINY", poor)
    with pytest.raises(ConfigError, match=message):
        train(folder, name, **changes)
    if not changes:
        with pytest.raises(ConfigError, match=message):
            made(folder, name, ready)
    assert not (folder / f"{name}_maps").exists()


@pytest.mark.parametrize("name", NAMES)
def test_an_image_of_one_pixel_gets_a_map_of_one_pixel(folder: Path, name: str) -> None:
    ready = train(folder, name)
    Image.new("RGB", (1, 1), (200, 60, 50)).save(folder / "dot.png")
    dot = replace(manifest(folder).entries[0], stem="dot", image=folder / "dot.png", height=1, width=1)
    DETECTORS.get(name).make(name, ready, Manifest("dots", (dot,)), folder / "dots")
    found = MapSet(folder / "dots").read("dot")
    assert found.shape == (1, 1) and math.isfinite(found.item())
