"""Pictures of their own, and data sets of them, for the tests of near-identical images."""

from pathlib import Path

import cv2
import numpy as np

from sodlift.datasets.manifest import Entry, Manifest


def scene(seed: int, height: int = 240, width: int = 320) -> np.ndarray:
    """Return a picture of its own: coloured clouds, and a bright ellipse off the middle."""
    rng = np.random.default_rng(seed)
    clouds = cv2.resize(rng.uniform(20, 200, (7, 9, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    x, y = int(rng.integers(30, width // 3)), int(rng.integers(30, height - 30))
    cv2.ellipse(clouds, (x, y), (28, 18), float(rng.integers(180)), 0, 360, (230.0, 210.0, 190.0), -1)
    return np.clip(clouds, 0, 255).astype(np.uint8)


def write(file: Path, image: np.ndarray, quality: int = 95) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return file


def manifest(folder: Path) -> Manifest:
    files = sorted(folder.glob("*.jpg"))
    return Manifest(folder.name, tuple(Entry(file.stem, file, None, 1, 1, "") for file in files))
