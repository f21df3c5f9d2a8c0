"""Backdrops for the demo scenes: what lies behind the ground's edge, or behind a cut-out."""

from collections.abc import Callable

import cv2
import numpy as np

from sodlift.arrays import Image8
from sodlift.demo.develop import blur
from sodlift.demo.noise import Array, blend, smoothstep, spectral_noise, unit
from sodlift.demo.photos import photo, without_object

Size = tuple[int, int]
Maker = Callable[[np.random.Generator, Size], Array]


def _filled(image: Image8, rng: np.random.Generator, size: Size, zoom: tuple[float, float] = (1.0, 1.5)) -> Array:
    """A random crop of ``image`` that fills ``size``, perhaps mirrored: (H, W, 3) float32 display values in [0, 1]."""
    height, width = size
    scale = max(height / image.shape[0], width / image.shape[1]) * rng.uniform(*zoom)
    large = cv2.resize(
        np.ascontiguousarray(image),
        (max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale))),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
    )
    top = int(rng.integers(0, large.shape[0] - height + 1))
    left = int(rng.integers(0, large.shape[1] - width + 1))
    crop = large[top : top + height, left : left + width].astype(np.float32) / 255
    return np.ascontiguousarray(crop[:, ::-1] if rng.random() < 0.5 else crop)


def _part(name: str, boxes: list[tuple[int, int, int, int]]) -> Maker:
    """Backdrops from object-free parts (x0, y0, x1, y1) of a photograph."""

    def make(rng: np.random.Generator, size: Size) -> Array:
        x0, y0, x1, y1 = boxes[rng.integers(len(boxes))]
        return _filled(photo(name)[y0:y1, x0:x1], rng, size, (1.0, 1.25))

    return make


def _emptied(name: str, softness: tuple[float, float]) -> Maker:
    """Backdrops from a whole photograph with its object painted over, well out of focus."""

    def make(rng: np.random.Generator, size: Size) -> Array:
        return blur(_filled(without_object(name), rng, size), rng.uniform(*softness))

    return make


def _disc(radius: float) -> Array:
    reach = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = smoothstep(radius + 0.7, radius - 0.7, np.hypot(x, y)) * (0.75 + 0.25 * (np.hypot(x, y) / radius) ** 2)
    return np.asarray(disc / disc.sum(), dtype=np.float32)


def _through_lens(scene: Array, radius: float) -> Array:
    """Blur a display image by a round aperture in linear light, so that highlights become discs."""
    bright = np.clip(scene, 0, 4).astype(np.float32) ** 2.2
    return np.asarray(unit(cv2.filter2D(bright, -1, _disc(radius))) ** (1 / 2.2), dtype=np.float32)


def _leaves(palette: list[tuple[float, float, float]]) -> Maker:
    """Foliage out of focus in the colours of ``palette`` (dark, middle, light), with glints of sky."""

    def make(rng: np.random.Generator, size: Size) -> Array:
        shade, leaf = spectral_noise(rng, size, 1.5), spectral_noise(rng, size, 0.9)
        dark, middle, light = palette
        scene = blend(
            blend(dark, middle, smoothstep(-1.2, 0.8, shade)), light, smoothstep(0.3, 1.8, leaf + 0.5 * shade)
        )
        glints = smoothstep(2.3, 3.0, leaf + 0.8 * shade) * rng.uniform(0.5, 2.2)
        gloom = 1 - 0.5 * np.linspace(0, 1, size[0], dtype=np.float32)[:, None] * rng.uniform(0, 1)
        return _through_lens((scene + glints[..., None]) * gloom[..., None], rng.uniform(2.5, 8))

    return make


def clouds(rng: np.random.Generator, size: Size) -> Array:
    """Sky with clouds."""
    height = np.linspace(0, 1, size[0], dtype=np.float32)[:, None] * np.ones(size, np.float32)
    top, low = np.array([0.2, 0.4, 0.72]) * rng.uniform(0.7, 1.1), np.array([0.72, 0.8, 0.88])
    body = spectral_noise(rng, size, 1.55, (1, 2.2))
    cover = smoothstep(rng.uniform(-0.5, 0.6), 1.6, body)
    lit = np.clip(0.86 + 0.12 * np.gradient(blur(body, 3), axis=0) * 12, 0.5, 1)
    return unit(blend(blend(top, low, height), lit[..., None] * np.array([1, 0.99, 0.98]), cover * 0.9))


def dusk(rng: np.random.Generator, size: Size) -> Array:
    """Evening sky over a dark, hilly skyline."""
    v = np.linspace(0, 1, size[0], dtype=np.float32)[:, None] * np.ones(size, np.float32)
    glow = blend(
        blend((0.16, 0.2, 0.42), (0.78, 0.42, 0.42), smoothstep(0, 0.6, v)),
        (0.98, 0.72, 0.38),
        smoothstep(0.4, 0.95, v),
    )
    streaks = smoothstep(0.3, 1.8, spectral_noise(rng, size, 1.6, (1, 6)))
    sky = blend(glow, (0.5, 0.3, 0.38), streaks * 0.6)
    ridge = rng.uniform(0.7, 0.95) + 0.05 * np.cumsum(rng.standard_normal(size[1])) / np.sqrt(size[1]) * 3
    hills = smoothstep(-0.01, 0.01, v - ridge[None, :].astype(np.float32))
    return blur(blend(sky, (0.1, 0.08, 0.12), hills), rng.uniform(1, 4))


def night(rng: np.random.Generator, size: Size) -> Array:
    """City lights at night, far out of focus."""
    scene = np.zeros((*size, 3), np.float32) + np.array([0.05, 0.06, 0.1], np.float32)
    scene += 0.05 * smoothstep(-1, 2, spectral_noise(rng, size, 1.8))[..., None]
    lamps = np.array([[1, 0.62, 0.25], [1, 0.85, 0.6], [0.9, 0.2, 0.15], [0.3, 0.6, 1], [0.4, 1, 0.6]])
    for _ in range(int(rng.integers(18, 46))):
        row = int(np.clip(rng.normal(0.5, 0.2), 0.02, 0.98) * size[0])
        scene[row : row + 2, int(rng.uniform(0, size[1] - 2)) :][:, :2] += lamps[rng.integers(5)] * rng.uniform(1, 3.4)
    return _through_lens(scene, rng.uniform(5, 11))


def room(rng: np.random.Generator, size: Size) -> Array:
    """A plastered wall with window light falling across it, a shelf or a panel."""
    height, width = size
    wall = rng.uniform(0.35, 0.8, 3) * 0.35 + rng.uniform(0.25, 0.5)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    tone = 1 + 0.05 * spectral_noise(rng, size, 1.3) + 0.03 * spectral_noise(rng, size, 0.6)
    scene = wall * tone[..., None]
    slant, left, wide = rng.uniform(-0.6, 0.6), rng.uniform(0, 0.7) * width, rng.uniform(0.2, 0.4) * width
    across = x - slant * y - left
    beam = smoothstep(0, 12, across) * smoothstep(wide + 12, wide, across)
    bars = 1 - smoothstep(4, 1, np.abs(across - wide / 2))
    scene = scene * (0.72 + 0.5 * beam * bars)[..., None]
    if rng.random() < 0.6:
        line = rng.uniform(0.3, 0.75) * height
        scene = scene * (1 - 0.35 * smoothstep(3, 0, np.abs(y - line)))[..., None]
        scene = np.where((y > line)[..., None], scene * rng.uniform(0.6, 0.9, 3), scene)
    return blur(unit(scene).astype(np.float32), rng.uniform(1, 5))


BACKDROPS: dict[str, dict[str, Maker]] = {
    "train": {
        "photo:china": _part(
            "china", [(340, 10, 640, 330), (520, 120, 640, 427), (350, 0, 560, 240), (360, 260, 560, 420)]
        ),
        "photo:camera": _part("camera", [(335, 30, 512, 300), (330, 160, 512, 300)]),
        "photo:hopper": _part("hopper", [(380, 10, 511, 330)]),
        "photo:chelsea": _emptied("chelsea", (3, 8)),
        "foliage": _leaves([(0.05, 0.1, 0.04), (0.2, 0.34, 0.12), (0.55, 0.68, 0.3)]),
        "clouds": clouds,
    },
    "test": {
        "photo:flower": _part("flower", [(0, 0, 165, 427), (455, 0, 640, 370)]),
        "photo:astronaut": _emptied("astronaut", (5, 10)),
        "photo:coffee": _emptied("coffee", (4, 9)),
        "autumn": _leaves([(0.14, 0.07, 0.04), (0.45, 0.24, 0.1), (0.85, 0.6, 0.25)]),
        "night": night,
        "dusk": dusk,
        "room": room,
    },
}
"""Backdrops of each part, by the name of their source; ``photo:`` names a photograph."""
