"""Discs, noisy maps of them, and the manifests and map sets that hold them."""

from pathlib import Path

import numpy as np
from PIL import Image

from sodlift.datasets.manifest import Entry, Manifest
from sodlift.evaluation.protocols import Protocol, load_protocol
from sodlift.evaluation.scores import CellScores, Score
from sodlift.mapset import MapSet, new_mapset

SHAPE = (30, 40)


def protocol(name: str) -> Protocol:
    return load_protocol(name)


def disc(radius: float = 9, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (y - 14) ** 2 + (x - 19) ** 2 < radius**2


def soft(seed: int, low: float = 0.0, high: float = 1.0, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """A noisy map of the disc that spans low..high exactly."""
    noise = np.random.default_rng(seed).uniform(0, 0.5, shape)
    values = 0.5 * disc(shape=shape) + noise
    values = (values - values.min()) / (values.max() - values.min())
    return np.clip(low + (high - low) * values, 0, 1)


def manifest_of(folder: Path, masks: dict[str, np.ndarray | None]) -> Manifest:
    entries = []
    for stem, mask in masks.items():
        path = None
        if mask is not None:
            path = folder / "masks" / f"{stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((mask * 255).astype(np.uint8) if mask.dtype == bool else mask).save(path)
        height, width = SHAPE if mask is None else mask.shape
        entries.append(Entry(stem, folder / f"{stem}.jpg", path, height, width, "0" * 64))
    return Manifest("toy", tuple(entries))


def mapset_of(folder: Path, maps: dict[str, np.ndarray | None]) -> MapSet:
    with new_mapset(folder) as writer:
        for stem, saliency in maps.items():
            status = "ok" if saliency is not None else "dropped"
            writer.add(stem, saliency, status, "" if saliency is not None else "no pixel >= theta_fg")
    return MapSet(folder)


def three_images(folder: Path) -> tuple[Manifest, MapSet]:
    """Three images: prior maps of full range, of low range, and of full range again."""
    manifest = manifest_of(folder, {"a": disc(), "b": disc(), "c": disc(6)})
    return manifest, mapset_of(folder / "maps", {"a": soft(1), "b": soft(2, 0.2, 0.7), "c": soft(3)})


def score(cell: CellScores, name: str, metric: str) -> Score:
    return next(s for s in cell.scores if s.protocol == name and s.metric == metric)
