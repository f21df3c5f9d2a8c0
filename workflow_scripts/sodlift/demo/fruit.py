"""Fruit and vegetables as solids: each call of a maker gives another individual."""

import numpy as np

from sodlift.demo.noise import Array, blend, smoothstep, solid_noise, unit
from sodlift.demo.solids import Colour, Distance, Solid, angles, cone, soft_union, union


def _round_body(centre_z: float, profile: Distance, stem: Distance | None = None) -> Distance:
    """Body whose radius about (0, 0, centre_z) is ``profile(points)``; optionally with a stem."""

    def distance(points: Array) -> Array:
        radius = np.linalg.norm(points - np.array([0, 0, centre_z], np.float32), axis=1)
        body = (radius - profile(points)).astype(np.float32)
        return body if stem is None else union(body, stem(points))

    return distance


def _with_stem(skin: Colour, stem_from: float, stem_radius: float, wood: tuple[float, float, float]) -> Colour:
    """Paint what lies above ``stem_from`` near the axis as wood."""

    def colour(points: Array, normals: Array) -> Array:
        near_axis = 1 - smoothstep(stem_radius, stem_radius * 1.7, np.hypot(points[:, 0], points[:, 1]))
        return blend(skin(points, normals), wood, near_axis * smoothstep(stem_from, stem_from + 0.03, points[:, 2]))

    return colour


def apple(rng: np.random.Generator) -> Solid:
    """Apple with a blush, streaks from the stem and pale lenticels."""
    bumps, streaks, speckle = solid_noise(rng, 2), solid_noise(rng, 3), solid_noise(rng, 1)
    lobes, phase, lean = 0.025 * rng.uniform(0.5, 1.2), rng.uniform(0, 6), rng.uniform(-0.12, 0.12, 2)
    base = np.array([[0.45, 0.5, 0.08], [0.62, 0.5, 0.12], [0.35, 0.42, 0.06]][rng.integers(3)])
    blush = np.array([[0.5, 0.03, 0.03], [0.42, 0.02, 0.04], [0.62, 0.12, 0.04]][rng.integers(3)])
    share = rng.uniform(-0.5, 0.7)

    def profile(points: Array) -> Array:
        _, polar, azimuth = angles(points, (0, 0, 0.46))
        dimple = 0.27 * np.exp(-((polar / 0.42) ** 2)) + 0.1 * np.exp(-(((np.pi - polar) / 0.3) ** 2))
        ribs = lobes * np.cos(5 * azimuth + phase) * smoothstep(1.2, 2.8, polar)
        taper = 0.05 * np.cos(polar)
        return np.asarray(0.5 - dimple + ribs + taper + 0.012 * bumps(points * 2), dtype=np.float32)

    def skin(points: Array, normals: Array) -> Array:
        _, polar, azimuth = angles(points, (0, 0, 0.46))
        along = np.stack([np.cos(azimuth) * 5, np.sin(azimuth) * 5, polar * 0.9], axis=1).astype(np.float32)
        red = smoothstep(-0.7, 0.7, share + 0.8 * streaks(along) + 0.6 * np.sin(azimuth + phase))
        fleck = smoothstep(0.75, 0.95, speckle(points * 55)) * 0.3
        paint = blend(blend(base, blush, red), (0.75, 0.65, 0.4), fleck)
        return unit(paint * (1 - 0.25 * np.exp(-((polar / 0.3) ** 2)))[:, None])

    def stem(points: Array) -> Array:
        return cone(points, (0, 0, 0.66), (lean[0], lean[1], 1.0), 0.02, 0.028)

    colour = _with_stem(skin, 0.86, 0.1, (0.13, 0.07, 0.03))
    return Solid(_round_body(0.46, profile, stem), colour, (0, 0, 0.5), 0.63, 0.45, 0.22, 0.15, 0.7)


def pear(rng: np.random.Generator) -> Solid:
    """Pear: two soft spheres, russet dots, a crooked stem."""
    neck, lean, phase = rng.uniform(0.19, 0.25), rng.uniform(-0.14, 0.14, 2), rng.uniform(0, 6)
    mottle, dots = solid_noise(rng, 4), solid_noise(rng, 1)
    skin_low = np.array([[0.5, 0.5, 0.08], [0.42, 0.45, 0.1], [0.6, 0.42, 0.1]][rng.integers(3)])
    blush = np.array([[0.6, 0.18, 0.05], [0.35, 0.2, 0.07], [0.5, 0.1, 0.06]][rng.integers(3)])

    def distance(points: Array) -> Array:
        low = np.linalg.norm(points - np.array([0, 0, 0.42], np.float32), axis=1) - 0.42
        high = cone(points, (0, 0, 0.6), (lean[0] * 0.6, lean[1] * 0.6, 1.02), 0.27, neck * 0.72)
        body = soft_union(low.astype(np.float32), high, 0.34) + 0.01 * mottle(points * 2.2)
        stem = cone(points, (lean[0] * 0.6, lean[1] * 0.6, 1.1), (lean[0] * 1.6, lean[1] * 1.6, 1.42), 0.022, 0.03)
        return union(body, stem)

    def colour(points: Array, normals: Array) -> Array:
        azimuth = np.arctan2(points[:, 1], points[:, 0])
        red = smoothstep(0.1, 1.3, np.sin(azimuth + phase) + 0.5 * mottle(points * 3))
        russet = smoothstep(0.7, 0.95, dots(points * 45)) * 0.5 + 0.4 * smoothstep(0.2, 1.1, mottle(points * 7))
        body = blend(blend(skin_low, blush, red * 0.8), (0.28, 0.18, 0.07), np.clip(russet, 0, 0.7))
        return blend(body, (0.11, 0.06, 0.03), smoothstep(1.17, 1.21, points[:, 2]))

    return Solid(distance, colour, (0, 0, 0.68), 0.86, 0.25, 0.35, 0.18, 0.8)


def lemon(rng: np.random.Generator) -> Solid:
    """Lemon (or lime) lying on its side, with pores."""
    bumps, pores = solid_noise(rng, 2), solid_noise(rng, 2)
    tip, length = rng.uniform(0.1, 0.16), rng.uniform(1.2, 1.4)
    peel = np.array([[0.75, 0.55, 0.04], [0.8, 0.62, 0.08], [0.28, 0.42, 0.04]][rng.integers(3)])

    def distance(points: Array) -> Array:
        local = (points - np.array([0, 0, 0.4], np.float32)) / np.array([length, 1, 1], np.float32)
        radius = np.linalg.norm(local, axis=1)
        end = np.abs(local[:, 0]) / np.maximum(radius, 1e-6)
        shape = (
            0.4
            + tip * smoothstep(0.93, 1.0, end)
            + 0.012 * bumps(points * 2.5)
            - 0.005 * smoothstep(0.2, 0.8, pores(points * 26))
        )
        return np.asarray(radius - shape, dtype=np.float32)

    def colour(points: Array, normals: Array) -> Array:
        green = smoothstep(0.35, 0.62, np.abs(points[:, 0])) * 0.35
        patches = 0.12 * bumps(points * 3) - 0.1 * smoothstep(0.2, 0.8, pores(points * 26))
        return unit(blend(peel, (0.3, 0.4, 0.05), green) * (1 + patches)[:, None])

    return Solid(distance, colour, (0, 0, 0.4), 0.8, 0.35, 0.3, 0.25, 0.6)


def pumpkin(rng: np.random.Generator) -> Solid:
    """Ribbed pumpkin or squash with a woody stalk."""
    ribs, depth, flat = int(rng.integers(8, 14)), rng.uniform(0.05, 0.085), rng.uniform(0.68, 0.9)
    mottle, lean = solid_noise(rng, 4), rng.uniform(-0.15, 0.15, 2)
    skin = np.array([[0.72, 0.24, 0.02], [0.62, 0.3, 0.06], [0.2, 0.25, 0.08], [0.75, 0.6, 0.38]][rng.integers(4)])
    groove = skin * np.array([0.55, 0.45, 0.4])

    def wave(azimuth: Array) -> Array:
        return np.asarray(np.sqrt(np.abs(np.sin(azimuth * ribs / 2)) + 0.02), dtype=np.float32)

    def profile(points: Array) -> Array:
        _, polar, azimuth = angles(points, (0, 0, 0.42))
        dimple = 0.22 * np.exp(-((polar / 0.45) ** 2))
        squash = 1 / np.sqrt(np.sin(polar) ** 2 + (np.cos(polar) / flat) ** 2)
        body = 0.56 * squash - dimple + depth * (wave(azimuth) - 0.8) * np.sin(polar)
        return np.asarray(body + 0.01 * mottle(points * 3), dtype=np.float32)

    def stem(points: Array) -> Array:
        return cone(points, (0, 0, 0.5), (lean[0], lean[1], 0.98), 0.085, 0.05)

    def paint(points: Array, normals: Array) -> Array:
        azimuth = np.arctan2(points[:, 1], points[:, 0])
        tone = unit((1 - wave(azimuth)) + 0.35 * mottle(points * 5))
        return unit(blend(skin, groove, tone) * (1 + 0.12 * mottle(points * 9))[:, None])

    colour = _with_stem(paint, 0.72, 0.14, (0.24, 0.2, 0.08))
    return Solid(_round_body(0.42, profile, stem), colour, (0, 0, 0.45), 0.74, 0.22, 0.35, 0.12, 0.6)


def pepper(rng: np.random.Generator) -> Solid:
    """Bell pepper: four glossy lobes and a green stalk."""
    lobes, phase, lean = int(rng.integers(3, 5)), rng.uniform(0, 6), rng.uniform(-0.12, 0.12, 2)
    bumps, tall = solid_noise(rng, 2), rng.uniform(1.15, 1.4)
    skin = np.array([[0.55, 0.015, 0.015], [0.75, 0.42, 0.01], [0.06, 0.22, 0.02], [0.7, 0.2, 0.01]][rng.integers(4)])

    def distance(points: Array) -> Array:
        stretch = np.array([1, 1, 1 / tall], np.float32)
        local = np.asarray((points - np.array([0, 0, 0.52], np.float32)) * stretch, np.float32)
        radius, polar, azimuth = angles(local, (0, 0, 0))
        box = 0.43 / (np.abs(np.sin(polar)) ** 3.2 + np.abs(np.cos(polar)) ** 3.2 + 1e-6) ** (1 / 3.2)
        lobe = 0.055 * np.cos(lobes * azimuth + phase) * (0.4 + 0.6 * np.abs(np.cos(polar)))
        dimple = 0.16 * np.exp(-((polar / 0.4) ** 2)) + 0.1 * np.exp(-(((np.pi - polar) / 0.35) ** 2))
        taper = 0.05 * np.cos(polar)
        body = (radius - (box + lobe * np.sin(polar) - dimple + taper + 0.014 * bumps(points * 2))).astype(np.float32)
        stalk = cone(points, (0, 0, 0.85), (lean[0], lean[1], 1.28), 0.09, 0.055)
        return union(body, stalk)

    def paint(points: Array, normals: Array) -> Array:
        return unit(skin * (1 + 0.18 * bumps(points * 2.3))[:, None])

    colour = _with_stem(paint, 0.93, 0.12, (0.13, 0.26, 0.05))
    return Solid(distance, colour, (0, 0, 0.6), 0.82, 0.6, 0.16, 0.15, 0.6)


def aubergine(rng: np.random.Generator) -> Solid:
    """Aubergine or courgette lying on its side."""
    bend, fat = rng.uniform(-0.25, 0.25), rng.uniform(0.25, 0.32)
    tone = solid_noise(rng, 3)
    skin = np.array([[0.035, 0.01, 0.05], [0.09, 0.02, 0.1], [0.05, 0.14, 0.03]][rng.integers(3)])

    def distance(points: Array) -> Array:
        bent = points.copy()
        bent[:, 1] += np.float32(bend) * points[:, 0] ** 2
        body = cone(bent, (-0.45, 0, fat), (0.32, 0, fat * 0.85), fat, fat * 0.62)
        calyx = cone(bent, (0.42, 0, fat * 0.85), (0.62, 0, fat * 0.9), fat * 0.58, 0.1)
        stalk = cone(bent, (0.6, 0, fat * 0.9), (0.88, 0.03, fat * 1.15), 0.06, 0.05)
        return soft_union(union(body, calyx), stalk, 0.08)

    def colour(points: Array, normals: Array) -> Array:
        azimuth = np.arctan2(points[:, 2] - fat, points[:, 1])
        jag = 0.05 * np.cos(5 * azimuth) + 0.03 * tone(points * 5)
        body = skin * (1 + 0.25 * tone(points * np.array([1.5, 6, 6], np.float32)))[:, None]
        return blend(unit(body), (0.16, 0.24, 0.07), smoothstep(0.46, 0.49, points[:, 0] + jag))

    return Solid(distance, colour, (0.08, 0, fat), 0.95, 0.7, 0.14, 0.08, 0.75)
