"""Scenes made from cut-outs of the photographs, set before backdrops or laid on grounds."""

from dataclasses import dataclass

import cv2
import numpy as np

from sodlift.arrays import Image8, Mask
from sodlift.demo.backdrops import BACKDROPS
from sodlift.demo.develop import blur, defocus, develop, expose
from sodlift.demo.grounds import GROUNDS
from sodlift.demo.noise import Array, blend, smoothstep, spectral_noise, unit
from sodlift.demo.photos import outline, photo
from sodlift.demo.render import Camera, render
from sodlift.demo.still_life import illuminate


@dataclass(frozen=True)
class Cutout:
    """Part of a photograph that can be set into another scene.

    ``box`` (x0, y0, x1, y1) holds it in the photograph; ``manner`` says how it sits in a scene: ``flat`` (seen from
    above, lying), ``hang`` (anywhere), ``stand`` (on its feet), ``rise`` (cut by the lower border), ``lean`` (cut by
    the lower and a side border) or ``fill`` (cut by the upper border too). It may be turned by up to ``spin`` radians
    and, where ``mirror`` allows, mirrored.
    """

    name: str
    box: tuple[int, int, int, int]
    manner: str
    split: str
    spin: float = 0.0
    mirror: bool = True


CUTOUTS: dict[str, tuple[Cutout, ...]] = {
    "photo:chelsea": (Cutout("chelsea", (0, 0, 451, 300), "fill", "train"),),
    "photo:camera": (Cutout("camera", (0, 40, 420, 512), "lean", "train"),),
    "photo:china": (Cutout("china", (40, 10, 390, 344), "rise", "train"),),
    "photo:hopper": (Cutout("hopper", (0, 0, 512, 430), "rise", "train", mirror=False),),
    "photo:coins": tuple(
        Cutout("coins", box, "flat", "train", np.pi, mirror=False)
        for box in (
            (298, 8, 372, 80),
            (238, 88, 302, 150),
            (182, 163, 242, 223),
            (244, 166, 304, 222),
            (124, 22, 184, 80),
        )
    ),
    "photo:horse": (Cutout("horse", (0, 0, 400, 328), "stand", "train"),),
    "photo:astronaut": (Cutout("astronaut", (0, 0, 512, 455), "rise", "test", mirror=False),),
    "photo:coffee": (Cutout("coffee", (60, 0, 500, 400), "flat", "test", 0.35),),
    "photo:flower": (Cutout("flower", (150, 70, 465, 370), "hang", "test", 0.6),),
    "photo:clock": (Cutout("clock", (125, 75, 300, 235), "hang", "test", mirror=False),),
}
"""Cut-outs by the name of their source; several of one source are several individuals."""


@dataclass(frozen=True)
class Collage:
    """What a scene of cut-outs is to hold; ``ground`` is empty for a scene before a backdrop, and see ``StillLife``."""

    split: str
    objects: tuple[str, ...]
    ground: str
    backdrop: str
    size: tuple[int, int]
    area: float
    where: tuple[float, float]


def cut(piece: Cutout, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return colours (H, W, 3) and coverage (H, W) of the cut-out, in [0, 1]; colours run on beyond the outline."""
    x0, y0, x1, y1 = piece.box
    inside = outline(piece.name)[y0:y1, x0:x1].astype(np.uint8)
    if piece.name == "horse":
        return _cast(inside, rng), inside.astype(np.float32)
    colour = np.ascontiguousarray(photo(piece.name)[y0:y1, x0:x1])
    core = cv2.erode(inside, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    _, nearest = cv2.distanceTransformWithLabels(1 - core, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(core)
    spots = np.zeros((nearest.max() + 1, 2), np.int64)
    spots[nearest[rows, columns]] = np.c_[rows, columns]
    run_on = colour[spots[nearest, 0], spots[nearest, 1]]
    return np.where(core[..., None] > 0, colour, run_on).astype(np.float32) / 255, inside.astype(np.float32)


def _cast(inside: Image8, rng: np.random.Generator) -> Array:
    """Model a silhouette in relief and give it a coat: display colours (H, W, 3)."""
    depth = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    relief = blur(np.sqrt(np.minimum(depth, 60) * 60).astype(np.float32), 4)
    relief += 1.3 * spectral_noise(rng, inside.shape, 1.6)
    dy, dx = np.gradient(relief)
    normal = np.stack([-dx, -dy, np.full_like(dx, 0.9)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = np.array([-0.45, -0.7, 0.55])
    lit = unit(normal @ (light / np.linalg.norm(light)))
    coat = np.array([[0.42, 0.24, 0.12], [0.3, 0.28, 0.27], [0.62, 0.52, 0.4], [0.2, 0.13, 0.1]][rng.integers(4)])
    hair = 1 + 0.07 * spectral_noise(rng, inside.shape, 0.8, (3, 1)) + 0.1 * spectral_noise(rng, inside.shape, 1.6)
    rows = np.linspace(0, 1, inside.shape[0], dtype=np.float32)[:, None]
    socks = blend(coat, coat * 0.35, np.broadcast_to(smoothstep(0.75, 0.95, rows), inside.shape))
    return unit(socks * hair[..., None] * (0.35 + 1.0 * lit)[..., None] + 0.25 * lit[..., None] ** 20)


def warp(values: Array, matrix: Array, size: tuple[int, int]) -> Array:
    """Warp by a 2x3 matrix to ``size`` with four samples per pixel side, so that edges are smooth."""
    height, width = size
    scaled = np.vstack([matrix, [0, 0, 1]]).astype(np.float64)
    up = np.array([[4, 0, 1.5], [0, 4, 1.5], [0, 0, 1]], np.float64)
    large = cv2.warpAffine(values, (up @ scaled)[:2], (width * 4, height * 4), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _pose(
    piece: Cutout,
    coverage: Array,
    area: float,
    where: tuple[float, float],
    size: tuple[int, int],
    rng: np.random.Generator,
) -> Array:
    """Choose the 2x3 matrix from the cut-out to the image: scale from the wanted area, place from ``where``."""
    height, width = size
    scale = np.sqrt(area * height * width / coverage.sum())
    if piece.manner == "fill":
        scale = rng.uniform(1.01, 1.12) * height / coverage.shape[0]
    mirror = rng.random() < 0.5 and piece.mirror
    angle = rng.uniform(-piece.spin, piece.spin)
    rows, columns = np.nonzero(coverage)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * turn @ np.diag([-1.0 if mirror else 1.0, 1.0])
    corners = np.c_[columns, rows] @ linear.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    x = width / 2 * (1 + where[0]) - (low[0] + high[0]) / 2
    y = height / 2 * (1 + where[1]) - (low[1] + high[1]) / 2
    if piece.manner == "stand":
        y = height * rng.uniform(0.8, 0.92) - high[1]
    if piece.manner in {"rise", "lean"}:
        y = height - high[1] + scale
    if piece.manner == "lean":
        x = (width - high[0] + scale) if mirror else -low[0] - scale
    if piece.manner == "fill":  # push it out sideways until the wanted area is left
        seen = coverage.sum(axis=0)[::-1].cumsum() * scale**2
        left_out = (coverage.shape[1] - np.searchsorted(seen, area * height * width)) * scale
        x, y = (width + left_out if mirror else -left_out), rng.uniform(height - high[1], 0)
    return np.asarray(np.c_[linear, [x, y]])


def _floor(plan: Collage, rng: np.random.Generator) -> Array:
    """The ground alone, seen from above or (for standing cut-outs) from low down with a backdrop behind."""
    low = CUTOUTS[plan.objects[0]][0].manner == "stand"
    pitch = rng.uniform(0.16, 0.3) if low else rng.uniform(0.8, 1.35)
    camera = Camera((0.0, 0.0, 0.55 if low else 0.0), rng.uniform(5, 8), pitch, 0.55)
    ground = GROUNDS[plan.split][plan.ground](rng)
    layers = render([], [], ground, illuminate(low, rng), camera, plan.size)
    display = expose(layers.ground / np.maximum(layers.ground_alpha, 1e-3)[..., None], rng.uniform(0.12, 0.24))
    if not low:
        return display
    far = blur(BACKDROPS[plan.split][plan.backdrop](rng, plan.size), rng.uniform(1.5, 4))
    joined = blend(far, display, layers.ground_alpha)
    return defocus(joined, np.clip(np.abs(layers.ground_depth - camera.distance) * 0.35, 0, 3).astype(np.float32))


def _places(plan: Collage, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Places for one to three cut-outs that keep apart."""
    if len(plan.objects) == 1:
        return [plan.where]
    turn = rng.uniform(0, np.pi)
    steps = np.linspace(-1, 1, len(plan.objects)) * 0.52
    return [
        (
            float(np.clip(s * np.cos(turn) + rng.uniform(-0.08, 0.08), -0.7, 0.7)),
            float(np.clip(s * np.sin(turn) * 1.1, -0.6, 0.6)),
        )
        for s in steps
    ]


def _shadow(piece: Cutout, alpha: Array, lean: tuple[float, float]) -> Array:
    """How much light (H, W) the cut-out leaves on what is behind it, 0 to 1."""
    height, width = alpha.shape
    reach = np.sqrt(alpha.sum()) * 0.1
    if piece.manner == "stand":
        feet = float(np.nonzero(alpha.max(axis=1) > 0.5)[0].max())
        shear = np.array([[1, -1.1 * lean[0], 1.1 * lean[0] * feet], [0, 0.3, feet * 0.7 - 2]], np.float32)
        thrown = np.asarray(cv2.warpAffine(alpha, shear, (width, height)), np.float32)
        return np.asarray(1 - 0.6 * blur(thrown, 1.8), dtype=np.float32)
    shift = np.array([[1, 0, lean[0] * reach], [0, 1, lean[1] * reach]], np.float32)
    moved = np.asarray(cv2.warpAffine(alpha, shift, (width, height)), np.float32)
    thrown = blur(moved, reach * 0.45 + 0.6)
    contact = blur(alpha, 1.5)
    return np.asarray((1 - 0.55 * thrown) * (1 - 0.3 * contact), dtype=np.float32)


def make_collage(plan: Collage, rng: np.random.Generator) -> tuple[Image8, Mask]:
    """Compose the scene: image (H, W, 3) uint8 and the exact mask (H, W) of its cut-outs."""
    if plan.ground:
        scene = _floor(plan, rng)
    else:
        scene = BACKDROPS[plan.split][plan.backdrop](rng, plan.size).astype(np.float32)
        scene = blur(scene, rng.uniform(0.6, 4.0))
    covered = np.zeros(plan.size, np.float32)
    lean = (float(rng.choice([-1, 1]) * rng.uniform(0.4, 1)), float(rng.uniform(0.4, 1)))
    bag: dict[str, list[int]] = {}
    for name, where in zip(plan.objects, _places(plan, rng), strict=True):
        order = bag.setdefault(name, rng.permutation(len(CUTOUTS[name])).tolist())
        piece = CUTOUTS[name][order.pop()]
        colour, coverage = cut(piece, rng)
        matrix = _pose(piece, coverage, plan.area / len(plan.objects), where, plan.size, rng)
        alpha = blur(warp(coverage, matrix, plan.size), 0.5)
        paint = _relit(warp(colour, matrix, plan.size), alpha, scene, rng)
        if plan.ground:
            scene = scene * _shadow(piece, alpha, lean)[..., None]
        scene = blend(scene, paint, alpha)
        covered = np.maximum(covered, alpha)
    return develop(unit(scene), rng), covered > 0.5


def _relit(paint: Array, alpha: Array, scene: Array, rng: np.random.Generator) -> Array:
    """Jitter the cut-out's colours and give it some of the scene's brightness and cast."""
    own = float((paint.mean(axis=-1) * alpha).sum() / max(alpha.sum(), 1.0))
    around = scene.reshape(-1, 3).mean(axis=0)
    gain = np.clip(around.mean() / max(own, 0.05), 0.6, 1.6) ** rng.uniform(0.1, 0.5)
    cast = np.clip(around / around.mean(), 0.6, 1.6) ** 0.2
    grey = paint.mean(axis=-1, keepdims=True)
    saturated = grey + (paint - grey) * rng.uniform(0.75, 1.2)
    return unit(saturated * gain * cast * (1 + rng.uniform(-0.03, 0.03, 3))).astype(np.float32)
