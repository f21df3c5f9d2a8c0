"""Scenes with an object and its mask, and a small DRFI model trained on them."""

from pathlib import Path

import cv2
import numpy as np

from sodlift.arrays import write_map
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.priors._drfi_model import DrfiModel
from sodlift.priors._drfi_training import TrainingParams, train_drfi
from sodlift.training.job import TrainingJob

SMALL = TrainingParams(trees=20, drawn=2000, smallest_leaf=2)


def scene(seed: int, height: int = 150, width: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Return a noisy scene (H, W, 3) uint8 of two grounds with an ellipse of another colour, and its mask (H, W)."""
    rng = np.random.default_rng(seed)
    ground, second, colour = rng.uniform(20, 235, (3, 3))
    image = np.empty((height, width, 3))
    image[:] = ground
    image[int(height * rng.uniform(0.6, 0.9)) :] = 0.6 * ground + 0.4 * second
    centre = (int(width * rng.uniform(0.35, 0.65)), int(height * rng.uniform(0.35, 0.65)))
    axes = (int(width * rng.uniform(0.12, 0.25)), int(height * rng.uniform(0.12, 0.25)))
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    image[mask == 1] = colour
    return (image + rng.normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8), mask == 1


def scenes(folder: Path, count: int = 12) -> Manifest:
    """Write scenes and their masks below a folder, and return their manifest."""
    entries = []
    for seed in range(count):
        image, mask = scene(seed)
        write_map(folder / "masks" / f"{seed:02d}.png", mask.astype(np.float32))
        file = folder / "images" / f"{seed:02d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), image[..., ::-1])
        entries.append(Entry(file.stem, file, folder / "masks" / file.name, *mask.shape, f"digest {seed}"))
    return Manifest("scenes", tuple(entries))


def training(manifest: Manifest, model: Path, seed: int = 0, threads: int = 1) -> TrainingJob:
    """Return the job of training a detector on the masks of a manifest."""
    checkpoint, log = (model.with_suffix(suffix) for suffix in (".checkpoint", ".csv"))
    return TrainingJob(((manifest, None),), model, checkpoint, log, seed, threads=threads)


def small_model(folder: Path) -> DrfiModel:
    """Return a model trained on scenes that are written below a folder; takes about a second."""
    return train_drfi([scenes(folder)], training=SMALL)
