"""Signed distance functions: the solids that the demo scenes are made of.

Every function takes points (N, 3) float32 and returns distances (N,) float32, negative inside.  The z axis points up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sodlift.demo.noise import Array

Distance = Callable[[Array], Array]
Colour = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Solid:
    """A solid that stands on the plane z = 0 around the z axis.

    Attributes
    ----------
    distance : callable
        Points (N, 3) to signed distances (N,).
    colour : callable
        Points and outward normals (N, 3) to linear albedo (N, 3) in [0, 1].
    centre : tuple of float
        Centre of a sphere that holds the solid.
    radius : float
        Radius of that sphere.
    gloss : float
        Strength of the mirror part, 0 (chalk) to 1 (glaze).
    roughness : float
        Width of the highlight, 0.05 (glass) to 0.6 (skin of an orange).
    glow : float
        Share of light that wraps around the terminator (wax, fruit flesh).
    step : float
        Share of the distance that a ray may safely advance; below 1 for distances that are only bounds.
    """

    distance: Distance
    colour: Colour
    centre: tuple[float, float, float]
    radius: float
    gloss: float = 0.1
    roughness: float = 0.35
    glow: float = 0.1
    step: float = 0.9


def _vector(values: Sequence[float]) -> Array:
    return np.asarray(values, np.float32)


def ellipsoid(points: Array, centre: Sequence[float], radii: Sequence[float]) -> Array:
    """Distance bound to an axis-parallel ellipsoid."""
    scaled = (points - _vector(centre)) / _vector(radii)
    k0 = np.linalg.norm(scaled, axis=1)
    k1 = np.linalg.norm(scaled / _vector(radii), axis=1)
    return np.asarray(k0 * (k0 - 1.0) / np.maximum(k1, 1e-6), dtype=np.float32)


def cone(points: Array, a: Sequence[float], b: Sequence[float], ra: float, rb: float) -> Array:
    """Distance bound to a rod from ``a`` to ``b`` whose radius goes from ``ra`` to ``rb``, with round ends."""
    start, axis = _vector(a), _vector(b) - _vector(a)
    t = np.clip((points - start) @ axis / max(float(axis @ axis), 1e-9), 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - start - t[:, None] * axis, axis=1) - (ra + (rb - ra) * t), np.float32)


def torus(points: Array, centre: Sequence[float], normal: int, major: float, minor: float) -> Array:
    """Distance to a ring around the axis ``normal`` (0, 1 or 2)."""
    local = points - _vector(centre)
    across = np.delete(local, normal, axis=1)
    return np.asarray(np.hypot(np.linalg.norm(across, axis=1) - major, local[:, normal]) - minor, dtype=np.float32)


def union(*parts: Array) -> Array:
    """Union of solids, given their distances."""
    return np.asarray(np.minimum.reduce(parts), dtype=np.float32)


def soft_union(a: Array, b: Array, width: float) -> Array:
    """Union whose seam is rounded over ``width``."""
    h = np.maximum(width - np.abs(a - b), 0.0) / width
    return np.asarray(np.minimum(a, b) - h * h * width * 0.25, dtype=np.float32)


def soft_unions(width: float, *parts: Array) -> Array:
    """Soft union of several solids."""
    total = parts[0]
    for part in parts[1:]:
        total = soft_union(total, part, width)
    return total


def carve(solid: Array, tool: Array) -> Array:
    """Take ``tool`` out of ``solid``."""
    return np.asarray(np.maximum(solid, -tool), dtype=np.float32)


def roughen(base: Array, points: Array, amount: float, field: Callable[[Array], Array]) -> Array:
    """Push the surface out by ``amount * field(points)``; the field is only asked near the surface."""
    shifted = base - np.float32(2 * amount)
    near = np.flatnonzero(shifted < 0.08)
    shifted[near] = base[near] - np.float32(amount) * field(points[near])
    return shifted


def angles(points: Array, centre: Sequence[float]) -> tuple[Array, Array, Array]:
    """Return radius, polar angle from +z (0 to pi) and azimuth (-pi to pi) about ``centre``."""
    local = points - _vector(centre)
    radius = np.linalg.norm(local, axis=1)
    polar = np.arccos(np.clip(local[:, 2] / np.maximum(radius, 1e-6), -1.0, 1.0))
    return radius, np.asarray(polar, np.float32), np.asarray(np.arctan2(local[:, 1], local[:, 0]), np.float32)


def lathe(profile: Sequence[tuple[float, float]], thickness: float) -> Distance:
    """Turn a wall on the lathe.

    ``profile`` holds (radius, z) control points of the wall's middle line, joined by a Catmull-Rom curve.
    """
    line = _catmull_rom(np.asarray(profile, np.float64), 12)
    top, reach = float(line[:, 1].max()), float(line[:, 0].max())
    cell = max(top, reach) / 120.0
    radii = np.arange(-3, int((reach + 0.5) / cell)) * cell
    heights = np.arange(int(-0.5 / cell), int((top + 0.5) / cell)) * cell
    grid = np.stack(np.meshgrid(heights, radii, indexing="ij"), axis=-1).reshape(-1, 2)[:, ::-1]
    table = _polyline_distance(grid, line).reshape(len(heights), len(radii)) - thickness
    table = table.astype(np.float32)
    origin = _vector([heights[0], radii[0]])

    def distance(points: Array) -> Array:
        rows = (points[:, 2] - origin[0]) / np.float32(cell)
        columns = (np.hypot(points[:, 0], points[:, 1]) - origin[1]) / np.float32(cell)
        inside_r = np.clip(rows, 0, table.shape[0] - 1.001)
        inside_c = np.clip(columns, 0, table.shape[1] - 1.001)
        overshoot = np.hypot(rows - inside_r, columns - inside_c) * np.float32(cell)
        r, c = inside_r.astype(np.int64), inside_c.astype(np.int64)
        fr, fc = inside_r - r, inside_c - c
        low = table[r, c] * (1 - fc) + table[r, c + 1] * fc
        high = table[r + 1, c] * (1 - fc) + table[r + 1, c + 1] * fc
        return np.asarray(low * (1 - fr) + high * fr + overshoot, dtype=np.float32)

    return distance


def _catmull_rom(knots: npt.NDArray[np.float64], per_span: int) -> npt.NDArray[np.float64]:
    padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    t = np.linspace(0.0, 1.0, per_span, endpoint=False)[:, None]
    spans = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        spans.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    curve = np.vstack([*spans, knots[-1:]])
    curve[:, 0] = np.maximum(curve[:, 0], 0.0)
    return np.asarray(curve)


def _polyline_distance(points: npt.NDArray[np.float64], line: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    best = np.full(len(points), np.inf)
    for a, b in pairwise(line):
        axis = b - a
        t = np.clip((points - a) @ axis / max(float(axis @ axis), 1e-12), 0.0, 1.0)
        best = np.minimum(best, np.hypot(*(points - a - t[:, None] * axis).T))
    return best
