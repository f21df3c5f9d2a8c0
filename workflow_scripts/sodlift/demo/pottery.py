"""Things turned on the lathe: vases, mugs, bottles, bowls, plant pots."""

import numpy as np

from sodlift.demo.noise import Array, blend, smoothstep, solid_noise, unit
from sodlift.demo.solids import Colour, Solid, angles, cone, ellipsoid, lathe, soft_union, torus, union

_GLAZES = np.array(
    [
        [0.02, 0.09, 0.22], [0.05, 0.2, 0.18], [0.35, 0.07, 0.03], [0.62, 0.5, 0.33], [0.12, 0.14, 0.15],
        [0.5, 0.3, 0.06], [0.7, 0.68, 0.62], [0.2, 0.26, 0.14],
    ]
)  # fmt: skip


def _glaze(rng: np.random.Generator, height: float) -> Colour:
    """Two glazes, one dripping over the other, on a toned body."""
    upper, lower = _GLAZES[rng.choice(len(_GLAZES), 2, replace=False)]
    line, drip, tone = rng.uniform(0.25, 0.75) * height, solid_noise(rng, 2), solid_noise(rng, 4)
    bands = rng.random() < 0.4

    def colour(points: Array, normals: Array) -> Array:
        _, _, azimuth = angles(points, (0, 0, 0))
        around = np.stack([np.cos(azimuth) * 2.2, np.sin(azimuth) * 2.2, points[:, 2] * 0.4], axis=1)
        edge = line + 0.11 * drip(around.astype(np.float32))
        body = blend(lower, upper, smoothstep(edge - 0.03, edge + 0.03, points[:, 2]))
        if bands:
            ring = smoothstep(0.6, 0.8, np.sin(points[:, 2] * 34)) * smoothstep(0.18, 0.12, np.abs(points[:, 2] - line))
            body = blend(body, upper * 0.4 + 0.3, ring)
        return unit(body * (1 + 0.22 * tone(points * 4))[:, None])

    return colour


def vase(rng: np.random.Generator) -> Solid:
    """Glazed vase with a random belly and neck."""
    belly, neck, lip = rng.uniform(0.3, 0.46), rng.uniform(0.1, 0.2), rng.uniform(0.16, 0.28)
    belly_z, neck_z = rng.uniform(0.35, 0.6), rng.uniform(0.85, 0.98)
    wall = lathe(
        [(0, 0.04), (0.2, 0.04), (0.24, 0.1), (belly, belly_z), (neck, neck_z), (neck, neck_z + 0.1), (lip, 1.2)], 0.03
    )
    return Solid(wall, _glaze(rng, 1.2), (0, 0, 0.62), 0.82, 0.75, 0.16, 0.05, 0.85)


def bowl(rng: np.random.Generator) -> Solid:
    """Bowl on a foot, filled with round berries or nuts."""
    reach, deep = rng.uniform(0.55, 0.68), rng.uniform(0.4, 0.5)
    wall = lathe([(0, 0.1), (0.2, 0.09), (0.42, 0.2), (reach, deep)], 0.035)
    foot = lathe([(0.2, 0.03), (0.21, 0.08)], 0.03)
    spots = [(r * np.cos(a), r * np.sin(a), z) for r, a, z in _berry_places(rng, reach * 0.72, deep)]
    berry = np.array([[0.06, 0.03, 0.12], [0.45, 0.02, 0.04], [0.3, 0.15, 0.06], [0.35, 0.42, 0.08]][rng.integers(4)])
    glaze, tone = _glaze(rng, deep), solid_noise(rng, 3)

    def heap(points: Array) -> Array:
        return union(*[ellipsoid(points, spot, (0.125, 0.125, 0.12)) for spot in spots])

    def distance(points: Array) -> Array:
        return union(wall(points), foot(points), heap(points))

    def colour(points: Array, normals: Array) -> Array:
        inside = (heap(points) < wall(points)).astype(np.float32)
        return blend(glaze(points, normals), unit(berry * (1 + 0.4 * tone(points * 8))[:, None]), inside)

    return Solid(distance, colour, (0, 0, 0.35), 0.85, 0.6, 0.2, 0.08, 0.8)


def _berry_places(rng: np.random.Generator, reach: float, deep: float) -> list[tuple[float, float, float]]:
    places = [(0.0, 0.0, deep * 0.9)]
    for ring, count in ((0.5, 6), (1.0, 10)):
        turn = rng.uniform(0, 6)
        for k in range(count):
            angle = turn + 2 * np.pi * k / count + rng.uniform(-0.1, 0.1)
            places.append((ring * reach, angle, deep * (0.9 - 0.12 * ring) + rng.uniform(-0.03, 0.03)))
    return places


def mug(rng: np.random.Generator) -> Solid:
    """Mug with a handle, filled with a dark drink."""
    waist, flare = rng.uniform(0.27, 0.36), rng.uniform(0.3, 0.38)
    wall = lathe([(0, 0.05), (0.24, 0.05), (0.29, 0.1), (waist, 0.4), (flare, 0.8)], 0.028)
    drink_z, glaze = rng.uniform(0.62, 0.72), _glaze(rng, 0.8)
    reach = (waist + flare) / 2

    def drink(points: Array) -> Array:
        r = np.hypot(points[:, 0], points[:, 1])
        return np.asarray(np.maximum(r - reach, np.abs(points[:, 2] - drink_z) - 0.01), dtype=np.float32)

    def distance(points: Array) -> Array:
        handle = torus(points * np.array([1, 1, 0.85], np.float32), (reach + 0.05, 0, 0.36), 1, 0.17, 0.042)
        outside = 0.28 - np.hypot(points[:, 0], points[:, 1])
        return union(soft_union(wall(points), np.maximum(handle, outside).astype(np.float32), 0.05), drink(points))

    def colour(points: Array, normals: Array) -> Array:
        wet = (drink(points) < 0.01).astype(np.float32) * (normals[:, 2] > 0.8)
        return blend(glaze(points, normals), (0.06, 0.025, 0.01), wet)

    return Solid(distance, colour, (0.06, 0, 0.42), 0.72, 0.7, 0.17, 0.05, 0.8)


def bottle(rng: np.random.Generator) -> Solid:
    """Dark glass bottle with a paper label."""
    body, neck, shoulder = rng.uniform(0.2, 0.26), rng.uniform(0.07, 0.09), rng.uniform(0.75, 0.95)
    shape = lathe(
        [(0, 0.05), (body - 0.04, 0.05), (body, 0.1), (body, shoulder), (neck, shoulder + 0.3), (neck, 1.5), (0, 1.5)],
        0.03,
    )
    glass = np.array([[0.02, 0.06, 0.025], [0.09, 0.03, 0.01], [0.02, 0.05, 0.1], [0.12, 0.14, 0.03]][rng.integers(4)])
    paper, ink = rng.uniform(0.45, 0.75, 3), rng.uniform(0.02, 0.35, 3)
    low, high, print_ = rng.uniform(0.18, 0.25), shoulder - rng.uniform(0.08, 0.16), solid_noise(rng, 2)

    def colour(points: Array, normals: Array) -> Array:
        z, azimuth = points[:, 2], np.arctan2(points[:, 1], points[:, 0])
        on = smoothstep(low, low + 0.008, z) * (1 - smoothstep(high - 0.008, high, z))
        words = np.stack([azimuth * 3.5, np.floor(z * 22), np.zeros_like(z)], axis=1).astype(np.float32)
        text = (
            smoothstep(0.0, 0.2, print_(words))
            * (np.sin(z * 22 * 2 * np.pi) > 0.1)
            * smoothstep(1.1, 1.0, np.abs(azimuth + 1.57))
        )
        frame = smoothstep(high - 0.1, high - 0.09, z)
        label = blend(paper, ink, np.maximum(text * 0.8, frame))
        foil = smoothstep(1.2, 1.21, z)
        return blend(blend(np.broadcast_to(glass, points.shape), label, on), ink, foil)

    return Solid(shape, colour, (0, 0, 0.77), 0.82, 0.85, 0.1, 0.05, 0.85)


def cactus(rng: np.random.Generator) -> Solid:
    """Ribbed cactus in a clay pot."""
    tall, ribs, fat = rng.uniform(0.35, 0.6), int(rng.integers(9, 14)), rng.uniform(0.26, 0.33)
    pot = lathe([(0, 0.05), (0.2, 0.05), (0.3, 0.4), (0.33, 0.4), (0.335, 0.5)], 0.035)
    tone = solid_noise(rng, 4)
    flesh = np.array([[0.07, 0.17, 0.05], [0.12, 0.22, 0.13], [0.18, 0.24, 0.06]][rng.integers(3)])
    clay = np.array([[0.48, 0.17, 0.07], [0.55, 0.5, 0.44], [0.12, 0.17, 0.24]][rng.integers(3)])

    def plant(points: Array) -> Array:
        azimuth = np.arctan2(points[:, 1], points[:, 0])
        rib = 0.032 * np.abs(np.cos(azimuth * ribs / 2))
        return cone(points, (0, 0, 0.5), (0, 0, 0.5 + tall), fat - 0.02, fat - 0.06) - rib.astype(np.float32)

    def soil(points: Array) -> Array:
        r = np.hypot(points[:, 0], points[:, 1])
        return np.asarray(np.maximum(r - 0.3, np.abs(points[:, 2] - 0.42) - 0.01), dtype=np.float32)

    def distance(points: Array) -> Array:
        return union(pot(points), plant(points), soil(points))

    def colour(points: Array, normals: Array) -> Array:
        azimuth = np.arctan2(points[:, 1], points[:, 0])
        ridge = np.abs(np.cos(azimuth * ribs / 2))
        spine = smoothstep(0.93, 0.98, ridge) * smoothstep(0.2, 0.6, np.sin(points[:, 2] * 55))
        green = blend(flesh * (0.65 + 0.5 * ridge)[:, None], (0.75, 0.7, 0.5), spine * 0.85)
        is_plant = (plant(points) < pot(points)).astype(np.float32)
        earth = (soil(points) < 0.008).astype(np.float32) * (1 - is_plant)
        terracotta = unit(clay * (1 + 0.22 * tone(points * 4))[:, None])
        return blend(blend(terracotta, green, is_plant), (0.05, 0.035, 0.02), earth)

    return Solid(distance, colour, (0, 0, 0.68), 0.9, 0.15, 0.4, 0.12, 0.75)
