"""Scenes of one to three solids on a ground, in front of a backdrop, with clutter around them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sodlift.arrays import Image8, Mask
from sodlift.demo.backdrops import BACKDROPS
from sodlift.demo.develop import defocus, develop, expose
from sodlift.demo.grounds import GROUNDS, linear
from sodlift.demo.noise import Array
from sodlift.demo.objects import CLUTTER, OBJECTS
from sodlift.demo.render import Camera, Ground, Light, Placed, render, trace

_FIELD = 0.55


@dataclass(frozen=True)
class StillLife:
    """What a rendered scene is to hold.

    ``area`` is the share of the image wanted for the objects; ``where`` their centre in the image, (0, 0) being the
    middle and 1 the border; ``camouflage`` pulls the ground's colour to that of the objects (0 to 1). With a
    ``backdrop`` the camera looks from low down; without one, from above.
    """

    split: str
    objects: tuple[str, ...]
    ground: str
    backdrop: str
    clutter: str
    size: tuple[int, int]
    area: float
    where: tuple[float, float]
    camouflage: float

    @property
    def low(self) -> bool:
        """Whether the camera looks from low down, so that the backdrop shows."""
        return bool(self.backdrop)


def arrange(plan: StillLife, rng: np.random.Generator) -> list[Placed]:
    """Set the objects side by side, some a little behind, close but not touching."""
    items: list[Placed] = []
    edge = 0.0
    for k, name in enumerate(plan.objects):
        solid = OBJECTS[plan.split][name](rng)
        size = rng.uniform(0.7, 1.15) if k else 1.0
        reach = solid.radius * size * 0.78
        x = 0.0 if not k else edge + reach + rng.uniform(0.0, 0.15)
        edge = x + reach
        aside = rng.choice([-1.0, 1.0]) * rng.uniform(0.5, np.pi / 2 + 0.3)  # faces are seen from the side or aslant
        items.append(Placed(solid, x, rng.uniform(-0.25, 0.55) if k else 0.0, -np.pi / 2 + aside, size))
    middle = edge / 2 if len(items) > 1 else 0.0
    flip = rng.choice([-1.0, 1.0])
    return [replace(item, x=float(flip * (item.x - middle))) for item in items]


def frame(plan: StillLife, items: Sequence[Placed], rng: np.random.Generator) -> Camera:
    """Choose the camera: its distance from the wanted area, its aim from the wanted place."""
    pitch = rng.uniform(0.12, 0.38) if plan.low else rng.uniform(0.6, 1.15)
    centre = np.mean([item.centre for item in items], axis=0)
    camera = Camera((float(centre[0]), float(centre[1]), float(centre[2])), 6.0, pitch, _FIELD)
    height, width = plan.size[0] // 5, plan.size[1] // 5
    for _ in range(4):
        rays = camera.rays(width, height)
        depth = np.min([trace(item, camera.position, rays) for item in items], axis=0)
        share = max(float(np.isfinite(depth).mean()), 0.01)
        camera = replace(camera, distance=float(np.clip(camera.distance * np.sqrt(share / plan.area), 2.2, 25)))
    half = camera.distance * np.tan(_FIELD / 2)
    longer = max(plan.size)
    dx, dv = plan.where[0] * half * plan.size[1] / longer, plan.where[1] * half * plan.size[0] / longer
    x, y, z = camera.target
    aim = (x - dx, y + dv * np.sin(pitch), z + dv * np.cos(pitch))
    return replace(camera, target=(float(aim[0]), float(aim[1]), float(aim[2])))


def illuminate(low: bool, rng: np.random.Generator) -> Light:
    """A lamp or sun from a random side, high or low, hard or soft, warm or cool."""
    azimuth, height = rng.uniform(-np.pi, 0.4), rng.uniform(0.45, 1.15)
    direction = (np.cos(height) * np.cos(azimuth), np.cos(height) * np.sin(azimuth), np.sin(height))
    warm = rng.uniform(-0.15, 0.3)
    sun = np.array([1 + warm * 0.5, 1.0, 1 - warm]) * rng.uniform(1.2, 3.0)
    sky = np.array([0.9, 1.0, 1.15 + 0.2 * rng.random()]) * rng.uniform(0.35, 0.7)
    bounce = sky * np.array([0.5, 0.42, 0.35])
    return Light(
        (float(direction[0]), float(direction[1]), float(direction[2])),
        (float(sun[0]), float(sun[1]), float(sun[2])),
        (float(sky[0]), float(sky[1]), float(sky[2])),
        (float(bounce[0]), float(bounce[1]), float(bounce[2])),
        float(rng.choice([3.0, 6.0, 14.0, 24.0])),
    )


def scatter(plan: StillLife, items: Sequence[Placed], rng: np.random.Generator) -> list[Placed]:
    """Strew clutter beside and behind the objects, never in front of one."""
    if not plan.clutter:
        return []
    make = CLUTTER[plan.split][plan.clutter]
    placed: list[Placed] = []
    reach = max(item.radius for item in items)
    front = min(item.y for item in items)
    for _ in range(int(rng.integers(5, 13))):
        x, y, size = rng.uniform(-4.5, 4.5) * reach, rng.uniform(-1.2, 5.0) * reach, rng.uniform(0.1, 0.24) * reach
        thing = Placed(make(rng), float(x), float(y), float(rng.uniform(-3, 3)), float(size))
        gaps = [np.hypot(x - item.x, y - item.y) - item.radius * 1.05 - thing.radius for item in items]
        hides = y < front + reach and any(abs(x - item.x) < item.radius + thing.radius for item in items)
        if min(gaps) > 0 and not hides:
            placed.append(thing)
    return placed


def _camouflaged(ground: Ground, towards: Array, mean: Array, strength: float) -> Ground:
    gain = np.clip(towards / np.maximum(mean, 0.02), 0.35, 2.2) ** strength

    def colour(xy: Array, depth: Array) -> Array:
        return np.clip(ground.colour(xy, depth) * gain.astype(np.float32), 0, 1)

    return replace(ground, colour=colour)


def make_still_life(plan: StillLife, rng: np.random.Generator) -> tuple[Image8, Mask]:
    """Render the scene: image (H, W, 3) uint8 and the exact mask (H, W) of its objects."""
    items = arrange(plan, rng)
    camera = frame(plan, items, rng)
    light = illuminate(plan.low, rng)
    ground = GROUNDS[plan.split][plan.ground](rng)
    if plan.low:
        ground = replace(ground, edge=float(rng.uniform(1.6, 5.0)))
    if plan.camouflage:
        small = render(items, [True] * len(items), ground, light, camera, (plan.size[0] // 6, plan.size[1] // 6), 1)
        tone = small.solids[small.coverage > 0.5].mean(axis=0)
        floor = small.ground[(small.ground_alpha > 0.5) & (small.coverage < 0.5)].mean(axis=0)
        ground = _camouflaged(ground, tone, floor, plan.camouflage)
    clutter = scatter(plan, items, rng)
    everything = [*items, *clutter]
    shown = [True] * len(items) + [False] * len(clutter)
    layers = render(everything, shown, ground, light, camera, plan.size)

    aperture = rng.uniform(2, 22) if plan.low else rng.uniform(0, 8)
    focus = float(layers.solid_depth[layers.coverage > 0.5].mean())
    spread = aperture * np.abs(1 - focus / np.maximum(layers.ground_depth, 0.1))
    behind = layers.ground
    if plan.low:
        backdrop = linear(BACKDROPS[plan.split][plan.backdrop](rng, plan.size)) * np.float32(rng.uniform(0.5, 1.1))
        far = np.full(plan.size, min(8.0, aperture * 0.6), np.float32)
        behind = defocus(backdrop, far) * (1 - layers.ground_alpha[..., None]) + layers.ground
        spread = np.where(layers.ground_alpha > 0.5, spread, far)
    behind = defocus(behind, spread.astype(np.float32))
    scene = behind * (1 - layers.coverage[..., None]) + layers.solids
    return develop(expose(scene, rng.uniform(0.12, 0.24)), rng), layers.coverage > 0.5
