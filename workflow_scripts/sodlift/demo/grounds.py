"""Grounds for the demo scenes: photographed and painted textures laid on the plane z = 0."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.demo.develop import blur
from sodlift.demo.noise import Array, blend, smoothstep, spectral_noise, unit
from sodlift.demo.photos import photo
from sodlift.demo.render import Ground

_SIZE = 512
_PIXEL_ANGLE = 0.0016
"""Angle between neighbouring rays, about 0.55 rad over 640 samples; sets how far a texture must be smoothed."""


def linear(srgb: npt.NDArray[Any]) -> Array:
    """Undo the display's gamma: uint8 or [0, 1] values to linear light in [0, 1]."""
    display = srgb / np.float32(255) if srgb.dtype == np.uint8 else srgb
    return np.asarray(unit(display) ** 2.2, dtype=np.float32)


def _tint(grey: Array, dark: tuple[float, ...], light: tuple[float, ...]) -> Array:
    """Colour a grey field in [0, 1] by a ramp between two display colours, as linear light."""
    return linear(unit(blend(dark, light, grey)))


def laid(texture: Array, tile: float, rng: np.random.Generator, gloss: float = 0.0) -> Ground:
    """Lay a linear texture (H, W, 3) around the origin, ``tile`` units wide, at a random angle; mirrored outside."""
    levels: list[Array] = [texture.astype(np.float32)]
    while min(levels[-1].shape[:2]) > 8:
        levels.append(np.asarray(cv2.pyrDown(levels[-1]), np.float32))
    angle = rng.uniform(-0.5, 0.5)
    shift = tile / 2 * np.array([1, texture.shape[0] / texture.shape[1]]) + rng.uniform(-0.1, 0.1, 2) * tile
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    texels = texture.shape[1] / tile

    def sample(level: int, places: Array) -> Array:
        image = levels[level]
        rows, pad = -(-len(places) // 1024), -len(places) % 1024
        spots = places * np.float32(texels * image.shape[1] / texture.shape[1])
        period = 2 * np.array(image.shape[1::-1], np.float32)
        folded = np.abs((spots + period / 2) % period - period / 2)
        uv = np.pad(folded, ((0, pad), (0, 0))).reshape(rows, 1024, 2).astype(np.float32)
        taken = cv2.remap(image, uv[..., 0] - 0.5, uv[..., 1] - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(taken.reshape(-1, 3)[: len(places)], dtype=np.float32)

    def colour(xy: Array, depth: Array) -> Array:
        places = xy @ turn + shift.astype(np.float32)
        wanted = np.clip(np.log2(np.maximum(depth * _PIXEL_ANGLE * 1.6 * texels, 1.0)), 0, len(levels) - 1.001)
        below = wanted.astype(np.int64)
        out = np.zeros((len(xy), 3), np.float32)
        for level in np.unique(below):
            rows = np.flatnonzero(below == level)
            share = (wanted[rows] - level)[:, None]
            out[rows] = sample(level, places[rows]) * (1 - share) + sample(level + 1, places[rows]) * share
        return out

    return Ground(colour, gloss=gloss)


def _patches(rng: np.random.Generator, slope: float = 1.8) -> Array:
    """Broad patches in [0, 1], for moisture and wear."""
    return smoothstep(-1.5, 1.5, spectral_noise(rng, (_SIZE, _SIZE), slope))


def grass(rng: np.random.Generator) -> Ground:
    """The photographed lawn, in greens and straw."""
    grey = photo("grass")[..., 0] / np.float32(255)
    fresh = _tint(grey, (0.05, 0.1, 0.02), (0.62, 0.75, 0.36))
    dry = _tint(grey, (0.13, 0.1, 0.04), (0.8, 0.73, 0.5))
    return laid(blend(fresh, dry, _patches(rng) * rng.uniform(0.1, 0.8)), rng.uniform(3.6, 5.5), rng)


def brick(rng: np.random.Generator) -> Ground:
    """The photographed brick pavement, in reds and greys."""
    grey = unit((photo("brick")[..., 0] / np.float32(255) - 0.2) / 0.55)
    red = _tint(grey, (0.2, 0.1, 0.07), (0.82, 0.62, 0.52))
    ash = _tint(grey, (0.16, 0.15, 0.14), (0.75, 0.72, 0.68))
    return laid(blend(red, ash, unit(_patches(rng) + rng.uniform(-0.6, 0.6))), rng.uniform(5, 8), rng)


def gravel(rng: np.random.Generator) -> Ground:
    """The photographed gravel, warm or bluish."""
    grey = photo("gravel")[..., 0] / np.float32(255)
    warm, cold = _tint(grey, (0.1, 0.07, 0.05), (0.9, 0.8, 0.68)), _tint(grey, (0.06, 0.07, 0.09), (0.75, 0.8, 0.85))
    return laid(blend(warm, cold, unit(_patches(rng) + rng.uniform(-0.6, 0.6))), rng.uniform(4, 6.5), rng)


def table(rng: np.random.Generator) -> Ground:
    """The wood of the photographed café table, from beside the cup."""
    board = photo("coffee")[8:250, 482:596]
    return laid(linear(np.ascontiguousarray(np.rot90(board))), rng.uniform(4, 5), rng, gloss=0.25)


def sand(rng: np.random.Generator) -> Ground:
    """Rippled sand."""
    shape = (_SIZE, _SIZE)
    y = np.arange(_SIZE, dtype=np.float32)[:, None] / _SIZE
    warp = spectral_noise(rng, shape, 1.9, (1, 2))
    waves = int(rng.integers(9, 22))
    ripple = np.sin(2 * np.pi * waves * y + 2.6 * warp) + 0.35 * np.sin(4 * np.pi * waves * y + 5 * warp + 1)
    slope = np.gradient(ripple, axis=0) * 8 / waves * rng.uniform(0.1, 1.0)
    grey = 0.6 + 0.16 * slope + 0.05 * spectral_noise(rng, shape, 0.4) + 0.06 * spectral_noise(rng, shape, 1.5)
    dark, light = [((0.3, 0.22, 0.14), (0.85, 0.72, 0.54)), ((0.25, 0.22, 0.2), (0.8, 0.75, 0.7))][rng.integers(2)]
    return laid(_tint(unit(grey), dark, light), rng.uniform(4, 6.5), rng)


def linen(rng: np.random.Generator) -> Ground:
    """A woven cloth, plain, striped or checked, with broad folds."""
    shape = (_SIZE, _SIZE)
    y, x = np.mgrid[0:_SIZE, 0:_SIZE].astype(np.float32)
    slub = spectral_noise(rng, shape, 0.7, (1, 14)) + spectral_noise(rng, shape, 0.7, (14, 1))
    weave = np.sin(np.pi * x / 2) * np.sin(np.pi * y / 2)
    folds = spectral_noise(rng, shape, 2.4)
    grey = 0.68 + 0.06 * slub + 0.04 * weave + 0.1 * folds
    dye, thread = (rng.uniform(0.2, 0.8) + rng.uniform(-0.18, 0.18, 3) for _ in range(2))
    cloth: Array = np.broadcast_to(dye, (*shape, 3))
    kind, pitch = rng.integers(3), 512 / rng.integers(4, 9)
    bars = smoothstep(0.3, 0.4, np.abs(((x + 3 * folds) / pitch) % 1 - 0.5))
    if kind == 1:
        cloth = blend(cloth, thread, bars)
    if kind == 2:
        cloth = blend(cloth, thread, 0.5 * bars + 0.5 * bars.T)
    return laid(linear(unit(cloth * grey[..., None] * 1.35)), rng.uniform(4, 6), rng)


def concrete(rng: np.random.Generator) -> Ground:
    """Stained concrete with cracks."""
    shape = (_SIZE, _SIZE)
    stain, fine, coarse = (
        spectral_noise(rng, shape, 1.5),
        spectral_noise(rng, shape, 0.3),
        spectral_noise(rng, shape, 1.1),
    )
    crack = smoothstep(0.03, 0.0, np.abs(spectral_noise(rng, shape, 1.7)))
    grey = 0.55 + 0.1 * stain + 0.045 * fine + 0.05 * coarse - 0.3 * crack * smoothstep(0.2, 0.9, stain)
    cast = rng.uniform(-0.06, 0.06)
    return laid(_tint(unit(grey), (0.1, 0.1, 0.1), (0.88 + cast, 0.87, 0.85 - cast)), rng.uniform(4, 6.5), rng)


def straw(rng: np.random.Generator) -> Ground:
    """A litter of straw and needles, drawn stalk by stalk."""
    canvas = np.full((_SIZE, _SIZE, 3), rng.uniform(0.12, 0.22), np.float32)
    hues = np.array([[0.72, 0.6, 0.38], [0.55, 0.42, 0.25], [0.4, 0.3, 0.18], [0.82, 0.74, 0.55], [0.38, 0.36, 0.2]])
    for k in range(5200):
        start, angle, length = rng.uniform(-20, _SIZE + 20, 2), rng.uniform(0, np.pi), rng.uniform(14, 60)
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        tone = hues[rng.integers(5)] * rng.uniform(0.5, 1.1) * (0.4 + 0.6 * k / 5200)
        for offset, gain in ((1.0, 0.35), (0.0, 1.0)):
            a, b = np.rint((start + offset) * 8).astype(int), np.rint((end + offset) * 8).astype(int)
            cv2.line(canvas, a.tolist(), b.tolist(), (tone * gain).tolist(), int(rng.integers(1, 3)), cv2.LINE_AA, 3)
    return laid(linear(canvas), rng.uniform(3.6, 5.5), rng)


def planks(rng: np.random.Generator) -> Ground:
    """Wooden boards with grain, knots and gaps."""
    shape = (_SIZE, _SIZE)
    boards = int(rng.integers(3, 7))
    wide = _SIZE / boards
    y = np.arange(_SIZE, dtype=np.float32)[:, None]
    board = np.minimum(y // wide, boards - 1).astype(np.int64)
    tone, phase = rng.uniform(-0.12, 0.12, boards)[board], rng.uniform(0, 500, boards)[board]
    warp = spectral_noise(rng, shape, 1.9, (1, 5)) * 10
    rings = np.sin((y + warp + phase) * 2 * np.pi / rng.uniform(14, 26) + 2.5 * spectral_noise(rng, shape, 1.6, (1, 9)))
    fibre = spectral_noise(rng, shape, 0.5, (1, 30))
    gap = smoothstep(1.6, 0.4, np.minimum(y % wide, wide - y % wide))
    grey = unit(0.55 + tone + 0.1 * rings + 0.075 * fibre) * (1 - 0.8 * gap)
    ramps = [
        ((0.16, 0.08, 0.03), (0.82, 0.58, 0.36)),
        ((0.2, 0.17, 0.14), (0.78, 0.74, 0.68)),
        ((0.1, 0.04, 0.02), (0.6, 0.34, 0.2)),
    ]
    return laid(_tint(grey, *ramps[rng.integers(3)]), rng.uniform(4, 6), rng, gloss=float(rng.choice([0.0, 0.2])))


def snow(rng: np.random.Generator) -> Ground:
    """Trodden snow."""
    shape = (_SIZE, _SIZE)
    height = spectral_noise(rng, shape, 1.6) + 0.3 * spectral_noise(rng, shape, 0.9)
    slope = np.gradient(blur(height, 2.0), axis=1)
    slope = slope / slope.std()
    grey = unit(0.66 + 0.09 * slope + 0.03 * spectral_noise(rng, shape, 0.2))
    return laid(_tint(grey, (0.3, 0.38, 0.52), (0.97, 0.96, 0.95)) * 0.85, rng.uniform(4, 6.5), rng)


def marble(rng: np.random.Generator) -> Ground:
    """Polished marble tiles."""
    shape = (_SIZE, _SIZE)
    y, x = np.mgrid[0:_SIZE, 0:_SIZE].astype(np.float32)
    cloud, vein = spectral_noise(rng, shape, 1.6), spectral_noise(rng, shape, 1.5)
    lines = smoothstep(0.12, 0.0, np.abs(vein)) * smoothstep(-0.8, 1.2, cloud)
    side = 512 / rng.integers(1, 4)
    joint = smoothstep(
        2.0, 0.5, np.minimum(np.minimum(x % side, side - x % side), np.minimum(y % side, side - y % side))
    )
    grey = unit(0.68 + 0.1 * cloud - 0.35 * lines) * (1 - 0.5 * joint)
    ramps = [
        ((0.3, 0.3, 0.33), (0.9, 0.89, 0.87)),
        ((0.03, 0.05, 0.05), (0.35, 0.4, 0.38)),
        ((0.3, 0.16, 0.12), (0.85, 0.74, 0.65)),
    ]
    return laid(_tint(grey, *ramps[rng.integers(3)]), rng.uniform(4, 6.5), rng, gloss=0.6)


def leaf_litter(rng: np.random.Generator) -> Ground:
    """Fallen leaves, drawn leaf by leaf with ribs and shadows."""
    canvas = np.full((_SIZE, _SIZE, 3), 0.1, np.float32)
    hues = np.array(
        [
            [0.72, 0.4, 0.12],
            [0.6, 0.22, 0.1],
            [0.75, 0.58, 0.2],
            [0.4, 0.26, 0.14],
            [0.42, 0.4, 0.15],
            [0.5, 0.35, 0.24],
        ]
    )
    for k in range(1100):
        where, turn = rng.uniform(-20, _SIZE + 20, 2), rng.uniform(0, 2 * np.pi)
        length, fat = rng.uniform(14, 34), rng.uniform(0.25, 0.45)
        s = np.linspace(-1, 1, 14)
        rim = fat * (1 - s**2) ** 0.8 * (1 + 0.25 * s) + 0.02 * rng.standard_normal(14)
        shape = np.vstack([np.c_[s, rim], np.c_[s[::-1], -rim[::-1]]]) * length
        along = np.array([np.cos(turn), np.sin(turn)])
        spin = np.array([along, [-along[1], along[0]]])
        tone = hues[rng.integers(6)] * rng.uniform(0.5, 1.15) * (0.45 + 0.55 * k / 1100)
        outline = np.rint((shape @ spin + where) * 8).astype(np.int32)
        cv2.fillPoly(canvas, [outline + 16], (tone * 0.22).tolist(), cv2.LINE_AA, 3)
        cv2.fillPoly(canvas, [outline], tone.tolist(), cv2.LINE_AA, 3)
        half = np.vstack([outline[:14], np.rint((where + along * length * np.array([[1], [-1]])) * 8).astype(np.int32)])
        cv2.fillPoly(canvas, [half], (tone * 0.85).tolist(), cv2.LINE_AA, 3)
        ends = np.rint((where + along * length * np.array([[-1.3], [0.9]])) * 8).astype(int)
        cv2.line(canvas, ends[0].tolist(), ends[1].tolist(), (tone * 0.6).tolist(), 1, cv2.LINE_AA, 3)
    grain = 1 + 0.08 * spectral_noise(rng, (_SIZE, _SIZE), 0.6)
    return laid(linear(unit(canvas * grain[..., None])), rng.uniform(4, 6), rng)


GROUNDS: dict[str, dict[str, Callable[[np.random.Generator], Ground]]] = {
    "train": {
        "photo:grass": grass, "photo:brick": brick, "sand": sand, "linen": linen, "concrete": concrete, "straw": straw,
    },
    "test": {
        "photo:gravel": gravel, "photo:coffee": table, "planks": planks, "snow": snow, "marble": marble,
        "leaf_litter": leaf_litter,
    },
}  # fmt: skip
"""Grounds of each part, by the name of their source; ``photo:`` names a photograph."""
