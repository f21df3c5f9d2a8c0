"""Superpixels' scores smoothed over their neighbourhood (Sec. IV-C), and painted back on pixels."""

import numpy as np
import numpy.typing as npt

from sodlift.alignment.scene import Scene
from sodlift.arrays import FloatMap
from sodlift.superpixels.regions import Labels, to_pixels

Floats = npt.NDArray[np.float64]

SPREAD = 0.4
"""Squared distances of centres are divided by it; the distance across the image is 1 (the spec's reading)."""
NEAR, ALIKE = 0.1, 10.0
"""Deviations with ``colour``: of distance, and of CIELAB colour."""


def weights(scene: Scene, kind: str) -> Floats:
    """Return what each superpixel's smoothed score takes of every one's: (n, n), rows of sum 1.

    ``distance`` is as published: exp(-D^2 / .4), nearly all of the image. ``colour`` keeps to near ones that look
    alike, ``none`` to the superpixel itself.
    """
    if kind == "none":
        return np.eye(scene.count)
    distance = _squares(scene.centres / np.hypot(*scene.labels.shape))
    exponent = distance / SPREAD
    if kind == "colour":
        exponent = distance / (2 * NEAR**2) + _squares(scene.colours) / (2 * ALIKE**2)
    found = np.exp(-exponent)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _squares(points: Floats) -> Floats:
    """Return the squared distances between all pairs of points (n, d)."""
    return np.asarray(((points[:, None] - points[None]) ** 2).sum(axis=2))


def painted(scores: Floats, full: Labels) -> FloatMap:
    """Return the map (H, W) in which each superpixel has its score."""
    return to_pixels(full, scores)


def retouched(base: FloatMap, before: Floats, after: Floats, full: Labels) -> FloatMap:
    """Return the base map (H, W) moved, superpixel by superpixel, by what its score has changed; within [0, 1].

    So it keeps its detail, and stays as it is where nothing has changed.
    """
    return np.asarray(np.clip(base + to_pixels(full, after - before), 0, 1), dtype=np.float32)
