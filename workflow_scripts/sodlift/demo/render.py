"""A small ray caster: solids on a ground, one sun with soft shadows, sky light, contact shadows, glaze reflections.

Solids are found by sphere tracing their distance functions (J. C. Hart, "Sphere tracing", The Visual Computer 12,
1996), each only inside its bounding sphere. World axes: x right, y away from the camera, z up; light is linear.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sodlift.demo.noise import Array
from sodlift.demo.solids import Solid

_STEPS = 72
_SHADOW_STEPS = 28


@dataclass(frozen=True)
class Placed:
    """A solid set on the ground at ``(x, y)``, turned by ``yaw`` (radians) and scaled by ``size``."""

    solid: Solid
    x: float
    y: float
    yaw: float
    size: float

    def turn(self, angle: float) -> Array:
        """Matrix (3, 3) of a turn about the vertical."""
        c, s = np.cos(angle), np.sin(angle)
        return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]], np.float32)

    def local(self, points: Array) -> Array:
        """World points (N, 3) in the solid's own frame."""
        return np.asarray(((points - self.foot) / self.size) @ self.turn(-self.yaw).T, dtype=np.float32)

    def distance(self, points: Array) -> Array:
        """World distance (N,) of world points (N, 3)."""
        return np.asarray(self.solid.distance(self.local(points)) * np.float32(self.size), dtype=np.float32)

    @property
    def foot(self) -> Array:
        """The point of the ground that it stands on."""
        return np.array([self.x, self.y, 0.0], np.float32)

    @property
    def centre(self) -> Array:
        """World centre of the bounding sphere."""
        turned = self.turn(self.yaw) @ np.asarray(self.solid.centre, np.float32)
        return np.asarray(self.foot + turned * np.float32(self.size), dtype=np.float32)

    @property
    def radius(self) -> float:
        """World radius of the bounding sphere."""
        return self.solid.radius * self.size

    def normals(self, points: Array) -> Array:
        """Outward unit normals (N, 3) at surface points (N, 3), by tetrahedral differences."""
        eps = np.float32(0.004 * self.size)
        corners = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], np.float32)
        gradient = sum((k * self.distance(points + k * eps)[:, None] for k in corners), np.zeros_like(points))
        return np.asarray(gradient / np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 1e-9), np.float32)


@dataclass(frozen=True)
class Camera:
    """A camera that looks at ``target`` from ``distance``, tilted down by ``pitch``; angles in radians."""

    target: tuple[float, float, float]
    distance: float
    pitch: float
    field: float

    @property
    def position(self) -> Array:
        """World position (3,)."""
        x, y, z = self.target
        return np.array([x, y - self.distance * np.cos(self.pitch), z + self.distance * np.sin(self.pitch)], np.float32)

    def rays(self, width: int, height: int) -> Array:
        """Unit directions (height * width, 3) through the pixel centres; ``field`` spans the longer side."""
        scale = 2.0 * np.tan(self.field / 2) / max(width, height)
        v, u = np.mgrid[0:height, 0:width].astype(np.float32)
        u, v = (u + 0.5 - width / 2) * scale, (height / 2 - v - 0.5) * scale
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        rays = np.stack([u, c + v * s, -s + v * c], axis=-1).reshape(-1, 3)
        return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True)
class Light:
    """One sun (or lamp) and the light of the surroundings.

    ``sharpness`` is the sun's inverse width: about 3 under clouds, 30 under a clear sky.
    """

    direction: tuple[float, float, float]
    sun: tuple[float, float, float]
    sky: tuple[float, float, float]
    bounce: tuple[float, float, float]
    sharpness: float


@dataclass(frozen=True)
class Ground:
    """The plane z = 0: albedo (N, 3) of places (N, 2) seen from distances (N,); it may end at ``edge`` (as a table)."""

    colour: Callable[[Array, Array], Array]
    edge: float = 60.0
    gloss: float = 0.0


@dataclass(frozen=True)
class Layers:
    """What the camera sees, as (H, W) layers of linear light.

    ``ground_alpha`` is 0 where the backdrop shows; ``coverage`` (H, W) is the solids' share of each pixel, with their
    colours premultiplied in ``solids``; depths are distances from the camera.
    """

    ground: Array
    ground_alpha: Array
    ground_depth: Array
    solids: Array
    coverage: Array
    solid_depth: Array


def _sphere_span(origin: Array, rays: Array, centre: Array, radius: float) -> tuple[Array, Array]:
    """Distances at which rays enter and leave a sphere; leave <= 0 where they miss it."""
    to_centre = centre - origin
    along = (rays * to_centre).sum(axis=-1)
    gap = (to_centre * to_centre).sum(axis=-1) - along**2
    half = np.sqrt(np.maximum(radius**2 - gap, 0.0))
    leave = np.where(gap < radius**2, along + half, -1.0)
    return np.maximum(along - half, 0.0).astype(np.float32), leave.astype(np.float32)


def trace(item: Placed, origin: Array, rays: Array) -> Array:
    """Distance (N,) from ``origin`` along ``rays`` (N, 3) to the solid's surface; infinite where it is missed."""
    hit = np.full(len(rays), np.inf, np.float32)
    enter, leave = _sphere_span(origin, rays, item.centre, item.radius)
    active = np.flatnonzero(leave > 0)
    t = enter[active]
    tolerance = 0.0015 * item.size
    for _ in range(_STEPS):
        if not len(active):
            break
        gap = item.distance(origin + t[:, None] * rays[active])
        found = gap < tolerance
        hit[active[found]] = t[found]
        t = t + np.maximum(gap, tolerance * 0.5) * np.float32(item.solid.step)
        going = ~found & (t < leave[active])
        active, t = active[going], t[going]
    return hit


def sunlight(items: Sequence[Placed], points: Array, normals: Array, light: Light) -> Array:
    """Share (N,) of the sun that reaches the points: 0 in full shadow, with penumbras."""
    sun = np.asarray(light.direction, np.float32)
    lit = np.ones(len(points), np.float32)
    for item in items:
        start = points + normals * np.float32(0.012 * item.size)
        rays = np.broadcast_to(sun, start.shape)
        enter, leave = _sphere_span(start, rays, item.centre, item.radius * (1 + 2 / light.sharpness))
        active = np.flatnonzero(leave > 0)
        t = np.maximum(enter[active], 0.02 * item.size)
        for _ in range(_SHADOW_STEPS):
            if not len(active):
                break
            gap = item.distance(start[active] + t[:, None] * sun)
            lit[active] = np.minimum(lit[active], np.clip(0.5 + 0.5 * light.sharpness * gap / t, 0.0, 1.0))
            t = t + np.maximum(gap * np.float32(item.solid.step), 0.03 * item.size)
            going = (t < leave[active]) & (lit[active] > 0.003)
            active, t = active[going], t[going]
    return lit * lit * (3 - 2 * lit)


def skylight(items: Sequence[Placed], points: Array, normals: Array) -> Array:
    """Share (N,) of the sky's light that reaches the points, from the distances sampled along the normals."""
    open_sky = np.ones(len(points), np.float32)
    for item in items:
        near = np.flatnonzero(np.linalg.norm(points - item.centre, axis=1) < item.radius * 1.8)
        shade = np.zeros(len(near), np.float32)
        for reach, weight in ((0.06, 0.9), (0.16, 0.6), (0.36, 0.45), (0.7, 0.3)):
            step = np.float32(reach * item.size)
            gap = item.distance(points[near] + normals[near] * step)
            shade += weight * np.clip((step - gap) / step, 0.0, 1.0)
        open_sky[near] *= np.exp(-0.85 * shade)
    return open_sky


def _surroundings(rays: Array, light: Light) -> Array:
    """Light (N, 3) that mirrored rays meet: ground below, a horizon, the sky and one wide window above."""
    up = np.clip(rays[:, 2:], -1.0, 1.0)
    sky, bounce = np.asarray(light.sky, np.float32), np.asarray(light.bounce, np.float32)
    scene = np.where(up > 0, sky * (1.3 - 0.5 * up), bounce * (1.0 + 0.6 * up))
    window = np.asarray([-0.55 * np.sign(light.direction[0] or 1.0), -0.35, 0.75], np.float32)
    facing = rays @ (window / np.linalg.norm(window))
    return np.asarray(scene + (np.clip((facing - 0.9) / 0.03, 0, 1) * 1.6)[:, None] * sky, dtype=np.float32)


def shade(item: Placed, items: Sequence[Placed], points: Array, rays: Array, light: Light) -> Array:
    """Light (N, 3) that the surface points of ``item`` send back along the viewing rays."""
    solid, normals = item.solid, item.normals(points)
    albedo = solid.colour(item.local(points), normals @ item.turn(item.yaw))
    sun, sun_light = np.asarray(light.direction, np.float32), np.asarray(light.sun, np.float32)
    facing = normals @ sun
    lit = sunlight(items, points, normals, light)
    near_ground = 0.55 + 0.45 * np.clip(points[:, 2] / (0.35 * item.size), 0, 1)
    opened = skylight([other for other in items if other is not item], points, normals)
    opened = opened * np.exp(-0.8 * _crevice(item, points, normals)) * near_ground

    wrapped = np.clip((facing + solid.glow) / (1 + solid.glow), 0.0, 1.0)
    upward = (normals[:, 2:] + 1) / 2
    ambient = np.asarray(light.sky, np.float32) * upward + np.asarray(light.bounce, np.float32) * (1 - upward)
    diffuse = albedo * (sun_light * (wrapped * lit)[:, None] + ambient * opened[:, None])

    mirrored = rays - 2 * (rays * normals).sum(axis=1, keepdims=True) * normals
    glance = np.clip(1 + (rays * normals).sum(axis=1), 0, 1)
    fresnel = solid.gloss * (0.08 + 0.92 * glance**5)  # Schlick's approximation
    smooth = np.float32(max(0.0, 1 - solid.roughness * 1.6))
    mirror = _surroundings(mirrored, light) * (fresnel * opened)[:, None] * smooth

    half = sun - rays
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    power = 2.0 / solid.roughness**2  # Blinn-Phong highlight
    lobe = np.clip((half * normals).sum(axis=1), 0, 1) ** power * (power + 2) / 14
    spark = lobe * solid.gloss * 0.35 * lit * (facing > 0)
    return np.asarray(diffuse + mirror + spark[:, None] * sun_light, dtype=np.float32)


def _crevice(item: Placed, points: Array, normals: Array) -> Array:
    """How deep (N,) the points lie in folds of their own solid."""
    depth = np.zeros(len(points), np.float32)
    for reach, weight in ((0.05, 0.9), (0.14, 0.7), (0.3, 0.5)):
        step = np.float32(reach * item.size)
        depth += weight * np.clip((step - item.distance(points + normals * step)) / step, 0.0, 1.0)
    return depth


def render(
    items: Sequence[Placed],
    shown: Sequence[bool],
    ground: Ground,
    light: Light,
    camera: Camera,
    size: tuple[int, int],
    samples: int = 2,
) -> Layers:
    """Render the scene at ``size = (height, width)`` with ``samples``² rays per pixel.

    Items that are not ``shown`` as solids (clutter) are drawn into the ground layer, so that they blur with it.
    """
    height, width = size
    rays = camera.rays(width * samples, height * samples)
    origin = camera.position
    floor, floor_alpha, floor_depth = _render_ground(items, ground, light, origin, rays)
    solid = np.zeros_like(floor)
    cover = np.zeros(len(rays), np.float32)
    nearest = np.full(len(rays), np.inf, np.float32)
    for item, is_solid in zip(items, shown, strict=True):
        depth = trace(item, origin, rays)
        seen = np.flatnonzero(depth < (nearest if is_solid else floor_depth))
        if not len(seen):
            continue
        light_back = shade(item, items, origin + depth[seen, None] * rays[seen], rays[seen], light)
        if is_solid:
            solid[seen], cover[seen], nearest[seen] = light_back, 1.0, depth[seen]
        else:
            floor[seen], floor_alpha[seen], floor_depth[seen] = light_back, 1.0, depth[seen]

    def pool(values: Array) -> Array:
        blocks = values.reshape(height, samples, width, samples, *values.shape[1:])
        return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)

    far = np.float32(80.0)
    return Layers(
        pool(floor * floor_alpha[:, None]),
        pool(floor_alpha),
        pool(np.minimum(floor_depth, far)),
        pool(solid),
        pool(cover),
        pool(np.minimum(nearest, far)),
    )


def _render_ground(
    items: Sequence[Placed], ground: Ground, light: Light, origin: Array, rays: Array
) -> tuple[Array, Array, Array]:
    falling = rays[:, 2] < -1e-3
    depth = np.where(falling, -origin[2] / np.where(falling, rays[:, 2], -1.0), np.inf).astype(np.float32)
    depth[np.where(falling, origin[1] + depth * rays[:, 1], np.inf) > ground.edge] = np.inf
    seen = np.flatnonzero(np.isfinite(depth))
    points = origin + depth[seen, None] * rays[seen]
    points[:, 2] = 0.0
    normals = np.broadcast_to(np.array([0, 0, 1], np.float32), points.shape)
    albedo = ground.colour(points[:, :2], depth[seen])
    lit = sunlight(items, points, normals, light) * np.float32(light.direction[2])
    opened = skylight(items, points, normals)
    glow = np.asarray(light.sun, np.float32) * lit[:, None] + np.asarray(light.sky, np.float32) * opened[:, None]
    colour = np.zeros_like(rays)
    colour[seen] = albedo * glow
    if ground.gloss > 0:
        mirrored = rays[seen] * np.array([1, 1, -1], np.float32)
        glance = (1 - mirrored[:, 2]) ** 4
        colour[seen] += _surroundings(mirrored, light) * (ground.gloss * glance * opened)[:, None]
        colour[seen] = _mirror_items(items, light, points, mirrored, ground.gloss * glance, colour[seen])
    return colour, np.isfinite(depth).astype(np.float32), depth


def _mirror_items(
    items: Sequence[Placed], light: Light, points: Array, mirrored: Array, strength: Array, colour: Array
) -> Array:
    """Add the solids' mirror images on a polished ground."""
    for item in items:
        enter, leave = _sphere_span(points, mirrored, item.centre, item.radius)
        near = np.flatnonzero(leave > 0)
        t, alive = enter[near], np.ones(len(near), bool)
        found = np.zeros(len(near), bool)
        for _ in range(30):
            gap = item.distance(points[near] + t[:, None] * mirrored[near])
            found |= alive & (gap < 0.006 * item.size)
            alive &= ~found & (t < leave[near])
            t = np.where(alive, t + np.maximum(gap * np.float32(item.solid.step), 0.004 * item.size), t)
        rows = near[found]
        if len(rows):
            surface = points[rows] + t[found, None] * mirrored[rows]
            image = shade(item, [item], surface, mirrored[rows], light)
            weight = (0.2 + 0.8 * strength[rows])[:, None] * 0.5
            colour[rows] = colour[rows] * (1 - weight) + image * weight
    return colour
