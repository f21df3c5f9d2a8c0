"""MIJR's training: it is repeatable, notices what it depends on, and refuses what it cannot learn from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pool_samples
import pytest
import torch
from mijr_samples import SMALL, job, options, trained, use_tiny_backbone

from sodlift.datasets.manifest import Manifest
from sodlift.errors import ConfigError, DataError, WeightsError
from sodlift.mapset import MapSet, new_mapset
from sodlift.refiners.mijr.data import digest_of_pool
from sodlift.refiners.mijr.refine import load
from sodlift.refiners.mijr.train import train
from sodlift.training.model_file import ModelFile


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return use_tiny_backbone(monkeypatch, tmp_path)


def _state(path: Path) -> dict[str, torch.Tensor]:
    return ModelFile.load(path, refiner="mijr", backbone=SMALL.backbone, weights="tiny").state


def test_the_same_training_gives_the_same_weights_and_leaves_nothing_but_its_outputs(
    tmp_path: Path, weights: Path
) -> None:
    chosen = options(weights_file=weights)
    first, second = job(tmp_path, name="first"), job(tmp_path, name="second")
    for one in (first, second):
        train(chosen, one)
    states = [_state(one.output) for one in (first, second)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    left = {file.name for file in tmp_path.iterdir() if file.name.startswith("first")}
    assert left == {"first.pt", "first.csv", "first.json", "first.png"}


def test_the_model_knows_its_pool_and_refuses_another(tmp_path: Path, weights: Path) -> None:
    trained(tmp_path, weights)
    manifest, _ = pool_samples.dataset(tmp_path / "other data", 3, first=7)
    other = pool_samples.pool(tmp_path / "other pool", manifest)
    with pytest.raises(WeightsError, match="another pool"):
        load(SMALL, tmp_path / "model.pt", "cpu").over(other)


def test_images_without_a_mask_serve_as_partners_alone(tmp_path: Path, weights: Path) -> None:
    refiner = trained(tmp_path, weights, masks=2)
    model = ModelFile.load(tmp_path / "model.pt", refiner="mijr", backbone=SMALL.backbone, weights="tiny")
    assert [row[2] for row in model.images] == ["00", "01"]
    assert refiner.partners is not None
    assert len(refiner.network.certain) == sum(refiner.partners.pool.counts.values())


def test_an_image_with_an_empty_base_map_leaves_the_pool(tmp_path: Path, weights: Path) -> None:
    this = job(tmp_path)
    ((manifest, maps),) = this.sources
    assert maps is not None
    with new_mapset(tmp_path / "emptied") as writer:
        for stem in manifest.stems:
            writer.add(stem, maps.read(stem) * (stem != "01"))
    train(options(weights_file=weights), replace(this, sources=((manifest, MapSet(tmp_path / "emptied")),)))
    model = ModelFile.load(this.output, refiner="mijr", backbone=SMALL.backbone, weights="tiny")
    assert [row[2] for row in model.images] == ["00", "02"]
    counts = list(load(SMALL, this.output, "cpu").over(tmp_path / "pool").partners.pool.counts.values())
    assert not model.state["certain"][counts[0] : counts[0] + counts[1]].any()


def test_what_is_learnt_from_counts_maps_and_links(tmp_path: Path) -> None:
    this = job(tmp_path)
    before = digest_of_pool(this)
    ((manifest, maps),) = this.sources
    assert maps is not None
    with new_mapset(tmp_path / "others") as writer:
        for stem in manifest.stems:
            writer.add(stem, 1 - maps.read(stem))
    assert digest_of_pool(replace(this, sources=((manifest, MapSet(tmp_path / "others")),))) != before
    assert digest_of_pool(this) == before


def test_without_any_mask_there_is_nothing_to_learn(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(DataError, match="no image of the pool has both a mask and a usable base map"):
        trained(tmp_path, weights, masks=0)


def test_training_sets_other_than_the_pool_are_refused(tmp_path: Path, weights: Path) -> None:
    this = job(tmp_path)
    ((manifest, maps),) = this.sources
    fewer = Manifest(manifest.dataset, manifest.entries[:2])
    with pytest.raises(DataError, match="scenes/02"):
        train(options(weights_file=weights), replace(this, sources=((fewer, maps),)))


def test_a_training_without_pool_or_maps_says_what_is_missing(tmp_path: Path, weights: Path) -> None:
    this = job(tmp_path)
    with pytest.raises(DataError, match="needs a pool"):
        train(options(weights_file=weights), replace(this, pool=None, aligned=()))
    ((manifest, _),) = this.sources
    with pytest.raises(DataError, match="comes without maps"):
        train(options(weights_file=weights), replace(this, sources=((manifest, None),)))


def test_several_processes_are_refused(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="one process"):
        train(options(weights_file=weights), job(tmp_path))


def test_without_the_filter_the_classifiers_alone_are_trained(tmp_path: Path, weights: Path) -> None:
    this = job(tmp_path)
    train(options(weights_file=weights, filtered=False), this)
    assert len(this.log.read_text().splitlines()) == 1 + SMALL.recipe.steps


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"size": 50}, "size"),
        ({"classifiers": 0}, "classifiers"),
        ({"trust": 1.5}, "trust"),
        ({"dropout": 1.0}, "dropout"),
        ({"backbone_training": "tuned"}, "backbone_training"),
        ({"recipe": replace(SMALL.recipe, hflip=True)}, "recipe.hflip"),
        ({"recipe": replace(SMALL.recipe, crop=0.9)}, "recipe.crop"),
    ],
)
def test_options_that_make_no_sense_are_named(change: dict[str, object], where: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        options(**change)
    assert refusal.value.where == where


def test_the_published_preset_differs_as_documented() -> None:
    paper = SMALL.presets()["paper"]
    assert (paper.evidence, paper.smoothing, paper.detail) == (False, "distance", False)
    assert (paper.recipe.steps, paper.recipe.head_lr, paper.recipe.weight_decay) == (80_000, 1e-3, 5e-3)
    assert np.isclose(paper.recipe.factor(59_999), 1)
    assert np.isclose(paper.recipe.factor(60_000), 0.1)
