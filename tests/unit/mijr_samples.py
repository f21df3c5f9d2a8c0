"""A small MIJR on a tiny backbone, its pool and its training."""

from dataclasses import replace
from pathlib import Path

import mirm_samples
import pool_samples
import pytest

from sodlift.datasets.manifest import Manifest
from sodlift.mapset import MapSet
from sodlift.refiners.mijr.options import MijrOptions
from sodlift.refiners.mijr.refine import MijrRefiner, load
from sodlift.refiners.mijr.train import train
from sodlift.training import pretrained as pretrained_module
from sodlift.training.job import TrainingJob
from sodlift.training.recipe import Recipe

RECIPE = Recipe(optimiser="adam", head_lr=3e-3, steps=3, batch=2)
SMALL = MijrOptions(
    backbone=mirm_samples.NAME, size=128, classifiers=2, widths=(16, 8), filter_steps=3, instances=8, recipe=RECIPE
)


def options(**changes: object) -> MijrOptions:
    return replace(SMALL, **changes)


def use_tiny_backbone(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Let the registered backbone be the tiny one; return its weights."""
    registry = mirm_samples.TinyRegistry()
    monkeypatch.setattr(pretrained_module, "BACKBONES", registry)
    monkeypatch.setattr("sodlift.refiners.mijr.refine.BACKBONES", registry)
    return mirm_samples.save_weights(folder / "tiny.pth")


def job(folder: Path, count: int = 3, masks: int | None = None, name: str = "model") -> TrainingJob:
    """Write a pool of ``count`` images with base maps, and return the training on it."""
    if not (folder / "pool").exists():
        manifest, _ = pool_samples.dataset(folder / "data", count, masks=masks)
        pool_samples.pool(folder / "pool", manifest)
        pool_samples.aligned(folder / "aligned", manifest, folder / "pool")
        manifest.save(folder / "manifest.csv")
    manifest, maps = Manifest.load(folder / "manifest.csv"), MapSet(folder / "data" / "base")
    return TrainingJob(
        sources=((manifest, maps),),
        output=folder / f"{name}.pt",
        checkpoint=folder / f"{name}.checkpoint.pt",
        log=folder / f"{name}.csv",
        seed=219,
        pool=folder / "pool",
        aligned=(folder / "aligned",),
    )


def trained(folder: Path, weights: Path, chosen: MijrOptions = SMALL, **changes: object) -> MijrRefiner:
    """Train and load, with the pool of the training."""
    this = job(folder, **changes)
    train(replace(chosen, weights_file=weights), this)
    return load(chosen, this.output, "cpu").over(folder / "pool")
