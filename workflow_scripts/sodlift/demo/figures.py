"""Small figures of animals, and things found outdoors: stones, mushrooms, shells, starfish."""

import numpy as np

from sodlift.demo.noise import Array, blend, smoothstep, solid_noise, unit
from sodlift.demo.solids import Solid, carve, cone, ellipsoid, roughen, soft_union, soft_unions, union


def _near(points: Array, spot: tuple[float, float, float], radius: float) -> Array:
    """1 inside a small ball around ``spot`` and its mirror image in y (eyes), 0 outside, soft at the rim."""
    mirrored = np.stack([points[:, 0], np.abs(points[:, 1]), points[:, 2]], axis=1)
    gap = np.linalg.norm(mirrored - np.asarray(spot, np.float32), axis=1)
    return 1 - smoothstep(radius * 0.9, radius * 1.1, gap)


def duck(rng: np.random.Generator) -> Solid:
    """Rubber duck."""
    head_x, head_r, tail = rng.uniform(0.18, 0.28), rng.uniform(0.24, 0.29), rng.uniform(0.55, 0.72)
    rubber = np.array([[0.85, 0.55, 0.02], [0.8, 0.62, 0.2], [0.1, 0.3, 0.5], [0.75, 0.25, 0.3]][rng.integers(4)])
    bill = np.array([0.75, 0.16, 0.02])
    tone = solid_noise(rng, 2)

    def beak(points: Array) -> Array:
        return ellipsoid(points, (head_x + head_r + 0.06, 0, 0.8), (0.15, 0.13, 0.05))

    def distance(points: Array) -> Array:
        body = ellipsoid(points, (0, 0, 0.33), (0.52, 0.4, 0.33))
        rump = cone(points, (-0.35, 0, 0.38), (-0.62, 0, tail), 0.18, 0.05)
        head = ellipsoid(points, (head_x, 0, 0.82), (head_r, head_r, head_r))
        wing = ellipsoid(
            np.stack([points[:, 0], np.abs(points[:, 1]), points[:, 2]], 1), (-0.08, 0.36, 0.4), (0.27, 0.09, 0.16)
        )
        return union(soft_unions(0.12, body, rump, head, wing), beak(points))

    def colour(points: Array, normals: Array) -> Array:
        base = unit(rubber * (1 + 0.08 * tone(points * 2))[:, None])
        painted = blend(base, bill, (beak(points) < 0.012).astype(np.float32))
        eye = (head_x + head_r * 0.72, head_r * 0.5, 0.82 + head_r * 0.42)
        return blend(
            blend(painted, (0.8, 0.8, 0.78), _near(points, eye, 0.075)), (0.01, 0.01, 0.01), _near(points, eye, 0.05)
        )

    return Solid(distance, colour, (0, 0, 0.52), 0.86, 0.55, 0.2, 0.2, 0.8)


def rabbit(rng: np.random.Generator) -> Solid:
    """Sitting rabbit, in fur colours."""
    spread, ear = rng.uniform(0.05, 0.16), rng.uniform(0.42, 0.6)
    fur = np.array([[0.3, 0.2, 0.12], [0.55, 0.52, 0.48], [0.12, 0.1, 0.09], [0.42, 0.28, 0.16]][rng.integers(4)])
    coat, hairs = solid_noise(rng, 4), solid_noise(rng, 3)

    def distance(points: Array) -> Array:
        p = np.stack([points[:, 0], np.abs(points[:, 1]), points[:, 2]], axis=1)
        body = ellipsoid(p, (-0.12, 0, 0.4), (0.42, 0.33, 0.4))
        haunch = ellipsoid(p, (-0.2, 0.22, 0.26), (0.3, 0.16, 0.26))
        chest = ellipsoid(p, (0.18, 0, 0.42), (0.24, 0.23, 0.32))
        head = soft_union(
            ellipsoid(p, (0.32, 0, 0.82), (0.24, 0.2, 0.2)), ellipsoid(p, (0.48, 0, 0.76), (0.13, 0.12, 0.11)), 0.1
        )
        ears = cone(p, (0.22, 0.08, 0.95), (0.1, 0.1 + spread, 0.98 + ear), 0.075, 0.05)
        paws = ellipsoid(p, (0.33, 0.12, 0.07), (0.17, 0.085, 0.075))
        tail = ellipsoid(p, (-0.55, 0, 0.3), (0.13, 0.13, 0.13))
        shape = soft_unions(0.09, body, haunch, chest, head, ears, paws, tail)
        return roughen(shape, points, 0.012, lambda p: hairs(p * np.array([9, 9, 5], np.float32)))

    def colour(points: Array, normals: Array) -> Array:
        light = np.clip(smoothstep(0.1, -0.6, normals[:, 2]) * 0.5 + 0.3 * coat(points * 2), 0, 0.8)
        ticked = (
            blend(fur, (0.6, 0.52, 0.42), light)
            * (1 + 0.35 * hairs(points * np.array([22, 22, 9], np.float32)))[:, None]
        )
        eyes = _near(points, (0.45, 0.17, 0.86), 0.045)
        nose = _near(points, (0.6, 0.0, 0.79), 0.035)
        return blend(blend(unit(ticked), (0.01, 0.005, 0.005), eyes), (0.3, 0.1, 0.09), nose)

    return Solid(distance, colour, (0, 0, 0.72), 0.95, 0.08, 0.5, 0.2, 0.75)


def bear(rng: np.random.Generator) -> Solid:
    """Sitting teddy bear of worn plush."""
    plush = np.array([[0.38, 0.2, 0.08], [0.55, 0.38, 0.2], [0.2, 0.11, 0.06], [0.5, 0.46, 0.42]][rng.integers(4)])
    pad, fuzz, wear = plush * 0.5 + 0.3, solid_noise(rng, 3), solid_noise(rng, 3)
    arm = rng.uniform(0.3, 0.6)

    def muzzle(points: Array) -> Array:
        return ellipsoid(points, (0.24, 0, 0.88), (0.14, 0.14, 0.11))

    def distance(points: Array) -> Array:
        p = np.stack([points[:, 0], np.abs(points[:, 1]), points[:, 2]], axis=1)
        body = ellipsoid(p, (0, 0, 0.38), (0.3, 0.32, 0.38))
        head = ellipsoid(p, (0.05, 0, 0.92), (0.26, 0.29, 0.26))
        ears = ellipsoid(p, (0.02, 0.24, 1.14), (0.06, 0.11, 0.11))
        legs = cone(p, (0.12, 0.2, 0.15), (0.52, 0.3, 0.15), 0.15, 0.14)
        arms = cone(p, (0.02, 0.28, 0.58), (0.22, 0.44, arm), 0.12, 0.1)
        shape = soft_unions(0.07, body, head, ears, legs, arms, muzzle(points))
        return roughen(shape, points, 0.011, lambda p: fuzz(p * 13))

    def colour(points: Array, normals: Array) -> Array:
        cloth = blend(plush, pad, unit((muzzle(points) < 0.03) + smoothstep(0.58, 0.64, points[:, 0])))
        cloth = unit(cloth * (1 + 0.3 * fuzz(points * 19) + 0.2 * wear(points * 2))[:, None])
        eyes = _near(points, (0.28, 0.12, 1.0), 0.042)
        return blend(blend(cloth, (0.01, 0.01, 0.01), eyes), (0.03, 0.02, 0.02), _near(points, (0.37, 0, 0.92), 0.055))

    return Solid(distance, colour, (0.1, 0, 0.62), 0.92, 0.03, 0.6, 0.25, 0.75)


def pebble(rng: np.random.Generator) -> Solid:
    """Rounded stone, with veins or grain."""
    flat, wide = rng.uniform(0.45, 0.75), rng.uniform(0.8, 1.0)
    bumps, grain, vein = solid_noise(rng, 3), solid_noise(rng, 4), solid_noise(rng, 3)
    stone = np.array(
        [[0.28, 0.26, 0.24], [0.12, 0.12, 0.13], [0.4, 0.24, 0.16], [0.45, 0.43, 0.4], [0.2, 0.25, 0.22]][
            rng.integers(5)
        ]
    )
    veined, angle = rng.random() < 0.5, rng.uniform(-1, 1, 3)

    def distance(points: Array) -> Array:
        scale = np.array([1, wide, flat], np.float32)
        local = (points - np.array([0, 0, 0.5 * flat], np.float32)) / scale
        shape = (np.linalg.norm(local, axis=1) - 0.5) * flat
        return roughen(shape.astype(np.float32), points, 0.06 * flat, lambda p: bumps(p * 1.6) + 0.1 * grain(p * 7))

    def colour(points: Array, normals: Array) -> Array:
        tone = stone * (1 + 0.25 * grain(points * 12) + 0.15 * bumps(points * 2))[:, None]
        if veined:
            sheet = np.abs(points @ angle.astype(np.float32) * 5 + 0.9 * vein(points * 2))
            tone = blend(tone, (0.62, 0.6, 0.56), (1 - smoothstep(0.03, 0.16, np.abs(sheet - 1))) * 0.8)
        return unit(tone)

    return Solid(distance, colour, (0, 0, 0.3), 0.68, 0.15, 0.4, 0.03, 0.7)


def mushroom(rng: np.random.Generator) -> Solid:
    """Fly agaric or brown cap."""
    cap_r, tall, lean = rng.uniform(0.36, 0.5), rng.uniform(0.55, 0.75), rng.uniform(-0.1, 0.1, 2)
    skin = np.array([[0.55, 0.03, 0.02], [0.3, 0.13, 0.05], [0.45, 0.26, 0.12], [0.6, 0.16, 0.03]][rng.integers(4)])
    warts = rng.random() < 0.6
    spots, tone = solid_noise(rng, 1), solid_noise(rng, 4)

    def cap(points: Array) -> Array:
        local = points - np.array([lean[0], lean[1], tall], np.float32)
        dome = ellipsoid(local, (0, 0, 0), (cap_r, cap_r, cap_r * 0.75))
        hollow = ellipsoid(local, (0, 0, -0.2), (cap_r * 1.05, cap_r * 1.05, cap_r * 0.55))
        bump = 0.012 * smoothstep(0.35, 0.55, spots(points * 9)) if warts else np.float32(0)
        return np.asarray(carve(dome, hollow) - bump, dtype=np.float32)

    def distance(points: Array) -> Array:
        stem = cone(points, (0, 0, 0.06), (lean[0], lean[1], tall + 0.12), 0.12, 0.075)
        ring = ellipsoid(points, (lean[0] * 0.7, lean[1] * 0.7, tall * 0.68), (0.15, 0.15, 0.035))
        return union(soft_unions(0.05, stem, ring, ellipsoid(points, (0, 0, 0.06), (0.17, 0.17, 0.1))), cap(points))

    def colour(points: Array, normals: Array) -> Array:
        on_cap = (cap(points) < 0.012).astype(np.float32) * smoothstep(-0.15, 0.1, normals[:, 2])
        red = skin * (1 + 0.2 * tone(points * 4))[:, None]
        if warts:
            red = blend(red, (0.75, 0.7, 0.6), smoothstep(0.35, 0.5, spots(points * 9)))
        flesh = np.array([0.68, 0.62, 0.5]) * (1 + 0.15 * tone(points * np.array([14, 14, 2], np.float32)))[:, None]
        return unit(blend(flesh, red, on_cap))

    return Solid(distance, colour, (0, 0, 0.55), 0.8, 0.25, 0.3, 0.2, 0.7)


def egg(rng: np.random.Generator) -> Solid:
    """Speckled egg lying on its side."""
    shell = np.array([[0.7, 0.55, 0.42], [0.55, 0.62, 0.58], [0.75, 0.72, 0.66], [0.42, 0.25, 0.16]][rng.integers(4)])
    speckle, tone, dense = solid_noise(rng, 2), solid_noise(rng, 3), rng.uniform(0.45, 0.95)

    def distance(points: Array) -> Array:
        x = points[:, 0]
        local = points - np.array([0, 0, 0.36], np.float32)
        swell = 0.36 * (1 - 0.2 * x)
        return np.asarray((np.hypot(np.hypot(local[:, 1], local[:, 2]) / swell, x / 0.5) - 1) * 0.33, dtype=np.float32)

    def colour(points: Array, normals: Array) -> Array:
        fleck = smoothstep(dense, dense + 0.15, speckle(points * 24) + 0.3 * tone(points * 2))
        return unit(blend(shell * (1 + 0.08 * tone(points * 3))[:, None], (0.16, 0.09, 0.05), fleck * 0.85))

    return Solid(distance, colour, (0, 0, 0.36), 0.6, 0.2, 0.4, 0.2, 0.8)


def starfish(rng: np.random.Generator) -> Solid:
    """Starfish with knobbly, slightly curled arms."""
    tilt, curl = rng.uniform(0, 6), rng.uniform(-0.35, 0.35, 5)
    skin = np.array([[0.6, 0.2, 0.06], [0.5, 0.12, 0.12], [0.55, 0.42, 0.25], [0.25, 0.14, 0.3]][rng.integers(4)])
    knobs, tone = solid_noise(rng, 1), solid_noise(rng, 3)

    def distance(points: Array) -> Array:
        total = ellipsoid(points, (0, 0, 0.1), (0.26, 0.26, 0.15))
        for k in range(5):
            a = tilt + 2 * np.pi * k / 5
            bend = a + curl[k]
            knee = (0.36 * np.cos(a), 0.36 * np.sin(a), 0.09)
            tip = (knee[0] + 0.36 * np.cos(bend), knee[1] + 0.36 * np.sin(bend), 0.04)
            arm = union(cone(points, (0, 0, 0.1), knee, 0.15, 0.11), cone(points, knee, tip, 0.11, 0.04))
            total = soft_union(total, arm, 0.08)
        return roughen(total, points, 0.012, lambda p: smoothstep(0.3, 0.6, knobs(p * 24)))

    def colour(points: Array, normals: Array) -> Array:
        light = smoothstep(0.3, 0.6, knobs(points * 24)) * 0.55
        return unit(blend(skin * (1 + 0.2 * tone(points * 3))[:, None], (0.8, 0.62, 0.42), light))

    return Solid(distance, colour, (0, 0, 0.1), 0.82, 0.12, 0.45, 0.1, 0.7)


def snail(rng: np.random.Generator) -> Solid:
    """Snail: a coiled, banded shell on a soft foot."""
    shell = np.array([[0.55, 0.36, 0.16], [0.62, 0.5, 0.3], [0.3, 0.16, 0.08], [0.6, 0.48, 0.12]][rng.integers(4)])
    band, tone = shell * rng.uniform(0.2, 0.5), solid_noise(rng, 4)
    hub = np.array([-0.1, 0.0, 0.54], np.float32)

    def coil(points: Array) -> tuple[Array, Array]:
        """Distance to the coil, and where along its tube the nearest turn lies (for the bands)."""
        local = points - hub
        rho = np.hypot(local[:, 0], local[:, 2]) + 1e-6
        turn = np.arctan2(local[:, 2], local[:, 0]) / (2 * np.pi)
        grow = np.log(2.1)
        best, offset = np.full(len(points), 9.0, np.float32), np.zeros(len(points), np.float32)
        lap = np.round(np.log(rho / 0.42) / grow - turn)
        for k in (-1, 0, 1):
            lap_k = np.minimum(lap + k, np.where(turn > -0.22, -1.0, 0.0))
            mid = 0.42 * np.exp(grow * (lap_k + turn))
            tube = 0.36 * mid
            gap = np.hypot(rho - mid, local[:, 1] * 0.5) - tube * 1.02
            closer = gap < best
            best = np.where(closer, gap, best).astype(np.float32)
            offset = np.where(closer, (rho - mid) / tube, offset).astype(np.float32)
        return best, offset

    def foot(points: Array) -> Array:
        sole = cone(points, (-0.6, 0, 0.05), (0.5, 0, 0.1), 0.05, 0.13)
        neck = cone(points, (0.4, 0, 0.12), (0.66, 0, 0.36), 0.12, 0.09)
        p = np.stack([points[:, 0], np.abs(points[:, 1]), points[:, 2]], axis=1)
        horns = cone(p, (0.7, 0.03, 0.4), (0.82, 0.12, 0.62), 0.025, 0.03)
        hump = ellipsoid(points, (0.1, 0, 0.2), (0.3, 0.17, 0.2))
        return soft_unions(0.06, sole, neck, horns, hump)

    def distance(points: Array) -> Array:
        return union(coil(points)[0], roughen(foot(points), points, 0.006, lambda p: tone(p * 9)))

    def colour(points: Array, normals: Array) -> Array:
        gap, offset = coil(points)
        stripes = smoothstep(0.2, 0.5, np.sin(offset * 5.5 + 0.6)) * 0.8
        growth = 1 + 0.25 * tone(points * 6)
        flesh = np.array([0.32, 0.25, 0.17]) * (1 + 0.3 * tone(points * 14))[:, None]
        return unit(blend(flesh, blend(shell, band, stripes) * growth[:, None], (gap < 0.012).astype(np.float32)))

    return Solid(distance, colour, (0.05, 0, 0.48), 0.95, 0.35, 0.25, 0.15, 0.5)


def turtle(rng: np.random.Generator) -> Solid:
    """Tortoise with a scuted shell."""
    shell, rim = (
        np.array([[0.16, 0.12, 0.05], [0.25, 0.2, 0.08], [0.1, 0.13, 0.06]][rng.integers(3)]),
        np.array([0.5, 0.4, 0.18]),
    )
    tone = solid_noise(rng, 4)
    centres = np.array([[0, 0], *[[0.33 * np.cos(a), 0.27 * np.sin(a)] for a in np.arange(6) * np.pi / 3]], np.float32)

    def scutes(points: Array) -> Array:
        gaps = np.sort(np.linalg.norm(points[:, None, :2] - centres, axis=2), axis=1)
        return np.asarray(gaps[:, 1] - gaps[:, 0], dtype=np.float32)

    def dome(points: Array) -> Array:
        body = ellipsoid(points, (0, 0, 0.2), (0.58, 0.48, 0.42))
        return np.asarray(
            np.maximum(body, 0.14 - points[:, 2]) - 0.02 * smoothstep(0.0, 0.12, scutes(points)), np.float32
        )

    def distance(points: Array) -> Array:
        p = np.stack([points[:, 0], np.abs(points[:, 1]), points[:, 2]], axis=1)
        head = soft_union(
            cone(p, (0.45, 0, 0.2), (0.72, 0, 0.32), 0.1, 0.1), ellipsoid(p, (0.76, 0, 0.34), (0.14, 0.11, 0.11)), 0.05
        )
        legs = union(
            cone(p, (0.32, 0.3, 0.2), (0.45, 0.45, 0.07), 0.11, 0.08),
            cone(p, (-0.34, 0.3, 0.2), (-0.48, 0.42, 0.07), 0.11, 0.08),
        )
        skin = soft_unions(0.04, head, legs, cone(p, (-0.5, 0, 0.16), (-0.68, 0, 0.08), 0.05, 0.02))
        return union(dome(points), roughen(skin, points, 0.008, lambda p: tone(p * 10)))

    def colour(points: Array, normals: Array) -> Array:
        ring = smoothstep(0.02, 0.1, scutes(points))
        plates = blend(rim * 0.45, blend(rim, shell, smoothstep(0.1, 0.24, scutes(points))), ring)
        skin = np.array([0.3, 0.27, 0.16]) * (1 + 0.3 * tone(points * 16))[:, None]
        eyes = _near(points, (0.85, 0.09, 0.38), 0.03)
        painted = blend(skin, plates * (1 + 0.2 * tone(points * 7))[:, None], (dome(points) < 0.01).astype(np.float32))
        return unit(blend(painted, (0.01, 0.01, 0.01), eyes))

    return Solid(distance, colour, (0.05, 0, 0.28), 0.9, 0.25, 0.35, 0.05, 0.7)
