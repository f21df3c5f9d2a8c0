"""Small things that lie about in a scene and belong to its background."""

import numpy as np

from sodlift.demo.noise import Array, blend, smoothstep, solid_noise, unit
from sodlift.demo.solids import Solid, cone, ellipsoid, union


def stick(rng: np.random.Generator) -> Solid:
    """A crooked twig."""
    bend, tone = rng.uniform(-0.25, 0.25), solid_noise(rng, 3)
    bark = rng.uniform(0.05, 0.22) * np.array([1.0, 0.75, 0.5])

    def distance(points: Array) -> Array:
        first = cone(points, (-0.9, 0, 0.05), (0, bend, 0.06), 0.05, 0.045)
        second = cone(points, (0, bend, 0.06), (0.9, 0, 0.05), 0.045, 0.025)
        fork = cone(points, (0.1, bend, 0.06), (0.45, bend + 0.35, 0.1), 0.03, 0.015)
        return union(first, second, fork)

    def colour(points: Array, normals: Array) -> Array:
        return unit(bark * (1 + 0.5 * tone(points * np.array([4, 18, 18], np.float32)))[:, None])

    return Solid(distance, colour, (0, 0, 0.1), 1.0, 0.03, 0.6, 0.05, 0.9)


def chip(rng: np.random.Generator) -> Solid:
    """A small dull stone."""
    tone, radii = solid_noise(rng, 3), rng.uniform([0.5, 0.4, 0.25], [0.8, 0.6, 0.4]).tolist()
    stone = rng.uniform(0.08, 0.35) * rng.uniform(0.85, 1.1, 3)

    def distance(points: Array) -> Array:
        return ellipsoid(points, (0, 0, radii[2] * 0.8), radii) - 0.05 * tone(points * 2)

    def colour(points: Array, normals: Array) -> Array:
        return unit(stone * (1 + 0.3 * tone(points * 7))[:, None])

    return Solid(distance, colour, (0, 0, 0.3), 1.0, 0.05, 0.5, 0.05, 0.7)


def dry_leaf(rng: np.random.Generator) -> Solid:
    """A curled fallen leaf."""
    curl, tone = rng.uniform(0.1, 0.4), solid_noise(rng, 3)
    hue = np.array([[0.3, 0.14, 0.05], [0.35, 0.22, 0.06], [0.2, 0.1, 0.05], [0.22, 0.2, 0.07]][rng.integers(4)])

    def distance(points: Array) -> Array:
        flat = points.copy()
        flat[:, 2] -= np.float32(curl) * (points[:, 0] ** 2 + 0.8 * points[:, 1] ** 2)
        stalk = cone(flat, (-1.2, 0, 0.04), (-0.6, 0, 0.04), 0.015, 0.025)
        return union(ellipsoid(flat, (0, 0, 0.04), (0.75, 0.38, 0.035)), stalk)

    def colour(points: Array, normals: Array) -> Array:
        rib = smoothstep(0.03, 0.01, np.abs(points[:, 1]))
        return unit(blend(hue * (1 + 0.4 * tone(points * 5))[:, None], hue * 0.5, rib))

    return Solid(distance, colour, (-0.1, 0, 0.15), 1.15, 0.05, 0.5, 0.25, 0.55)


def nut(rng: np.random.Generator) -> Solid:
    """A hazelnut."""
    tone = solid_noise(rng, 3)
    shell = rng.uniform(0.6, 1.1) * np.array([0.3, 0.15, 0.06])

    def distance(points: Array) -> Array:
        return ellipsoid(points, (0, 0, 0.45), (0.55, 0.5, 0.45))

    def colour(points: Array, normals: Array) -> Array:
        pale = smoothstep(0.3, 0.42, points[:, 0]) * 0.6
        grain = 1 + 0.25 * tone(points * np.array([1.5, 8, 8], np.float32))
        return unit(blend(shell * grain[:, None], (0.45, 0.35, 0.22), pale))

    return Solid(distance, colour, (0, 0, 0.45), 0.62, 0.25, 0.3, 0.1, 0.9)
