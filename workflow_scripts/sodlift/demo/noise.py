"""Seeded noise: solid noise in space for surfaces, spectral noise in the plane for textures."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
"""Floating-point values: float32 wherever there are many."""
SolidNoise = Callable[[Array], Array]

_LATTICE = 32


def solid_noise(rng: np.random.Generator, octaves: int = 4, gain: float = 0.5) -> SolidNoise:
    """Return fractal value noise: points (N, 3) -> values (N,) float32 in about [-1, 1], one cell to the unit."""
    lattice = rng.uniform(-1.0, 1.0, (_LATTICE,) * 3).astype(np.float32)
    offsets = rng.uniform(0.0, _LATTICE, (octaves, 3)).astype(np.float32)
    weights = gain ** np.arange(octaves, dtype=np.float32)
    weights /= np.sqrt((weights**2).sum()) * 0.6

    def one_octave(points: Array) -> Array:
        cell = np.floor(points)
        frac = points - cell
        frac = frac * frac * (3.0 - 2.0 * frac)
        low = cell.astype(np.int64) % _LATTICE
        high = (low + 1) % _LATTICE
        (x0, y0, z0), (x1, y1, z1) = low.T, high.T
        fx, fy, fz = frac.T
        bottom = _mix(
            _mix(lattice[x0, y0, z0], lattice[x1, y0, z0], fx), _mix(lattice[x0, y1, z0], lattice[x1, y1, z0], fx), fy
        )
        top = _mix(
            _mix(lattice[x0, y0, z1], lattice[x1, y0, z1], fx), _mix(lattice[x0, y1, z1], lattice[x1, y1, z1], fx), fy
        )
        return _mix(bottom, top, fz)

    def noise(points: Array) -> Array:
        total = np.zeros(len(points), np.float32)
        for k in range(octaves):
            total += weights[k] * one_octave(points * np.float32(2**k) + offsets[k])
        return total

    return noise


def _mix(a: Array, b: Array, t: Array) -> Array:
    return a + (b - a) * t


def spectral_noise(
    rng: np.random.Generator, shape: tuple[int, int], slope: float = 1.0, stretch: tuple[float, float] = (1.0, 1.0)
) -> Array:
    """Return a periodic field (H, W) float32 of mean 0 and deviation 1 whose amplitude falls as 1 / f ** slope.

    ``stretch = (vertical, horizontal)`` lengthens its grain along an axis.
    """
    height, width = shape
    white = np.fft.rfft2(rng.standard_normal(shape))
    fy = np.fft.fftfreq(height)[:, None] * height * stretch[0]
    fx = np.fft.rfftfreq(width)[None, :] * width * stretch[1]
    radius = np.hypot(fy, fx)
    radius[0, 0] = np.inf
    field = np.fft.irfft2(white / radius**slope, s=shape)
    return np.asarray((field - field.mean()) / field.std(), dtype=np.float32)


def smoothstep(low: npt.ArrayLike, high: npt.ArrayLike, values: npt.ArrayLike) -> Array:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``."""
    start, end = np.asarray(low, np.float32), np.asarray(high, np.float32)
    t = np.clip((np.asarray(values, np.float32) - start) / (end - start), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), dtype=np.float32)


def unit(values: npt.ArrayLike) -> Array:
    """Clip to [0, 1], as float32."""
    return np.asarray(np.clip(np.asarray(values, np.float32), 0.0, 1.0), dtype=np.float32)


def blend(a: npt.ArrayLike, b: npt.ArrayLike, weight: Array) -> Array:
    """Mix two colours (3,) or colour arrays (N, 3) by ``weight`` (N,): 0 gives ``a``, 1 gives ``b``."""
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    return np.asarray(a + (b - a) * weight[..., None], dtype=np.float32)
