"""The deep detectors on the tiny backbone, trained for a few steps by their registered types."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import mirm_samples
import numpy as np
import pytest
from a2s_samples import labelled, options
from PIL import Image
from training_samples import job

from sodlift.datasets.manifest import Manifest
from sodlift.detectors import DETECTORS
from sodlift.mapset import MapSet

NAMES = ["a2s_labels", "a2s", "arn"]


@contextmanager
def tiny_registry() -> Iterator[pytest.MonkeyPatch]:
    """Let the tiny backbone stand in for the registry's within the block."""
    with pytest.MonkeyPatch.context() as patch:
        for place in ("pretrained", "trained"):
            patch.setattr(f"sodlift.training.{place}.BACKBONES", mirm_samples.TinyRegistry)
        yield patch


def chosen(folder: Path, name: str, recipe: dict[str, Any] | None = None, **changes: Any) -> Any:
    """Options for a few steps of a type's training on three images; ARN starts with constant maps."""
    own: dict[str, Any] = {"width": 16} if name == "arn" else {}
    fast = {"steps": 6, "head_lr": 0.01, "schedule": "constant"} if name == "arn" else {"steps": 2}
    short = {**fast, "validation": 0.0, "keep": "last", "crop": 1.0, **(recipe or {})}
    return options(folder, DETECTORS.get(name).options, short, **own, **changes)


def manifest(folder: Path, mask: Callable[[int], np.ndarray] | None = None) -> Manifest:
    """The images, each with a mask in 8 bits where ``mask`` gives one."""
    read = Manifest.load(folder / "data" / "manifest.csv")
    if mask is None:
        return read
    entries = []
    for index, entry in enumerate(read.entries):
        file = folder / f"mask_{index}.png"
        Image.fromarray(mask(index)).save(file)
        entries.append(replace(entry, mask=file, mask_sha256=f"mask {index}"))
    return Manifest(read.dataset, tuple(entries))


def core(index: int) -> np.ndarray:
    return (255 * labelled(index)[1]).astype(np.uint8)


def train(folder: Path, name: str, images: Manifest | None = None, priors: MapSet | None = None, **changes: Any) -> Any:
    """Train by the registered type; return the options with the model."""
    given = manifest(folder, core if name == "arn" else None) if images is None else images
    maps = (priors or MapSet(folder / "data" / "priors")) if name == "a2s" else None
    made = chosen(folder, name, **changes)
    DETECTORS.get(name).train(made, job(folder, name, sources=((given, maps),)))
    return made.with_model(folder / f"{name}.pt")
