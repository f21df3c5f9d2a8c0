"""From light to a photograph: exposure, depth of field, lens and sensor."""

import cv2
import numpy as np

from sodlift.arrays import Image8
from sodlift.demo.noise import Array, spectral_noise, unit


def blur(values: Array, deviation: float) -> Array:
    """Blur by a Gaussian of ``deviation`` pixels."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), deviation), dtype=np.float32)


def defocus(layer: Array, spread: Array) -> Array:
    """Blur (H, W, C) by a deviation (H, W) in pixels that varies over the image."""
    steps = [0.0, 1.0, 2.0, 4.0, 8.0]
    stack = [layer, *(blur(layer, s) for s in steps[1:])]
    out = np.zeros_like(layer)
    level = np.interp(spread, steps, np.arange(len(steps))).astype(np.float32)
    for k, blurred in enumerate(stack):
        weight = unit(1 - np.abs(level - k))
        out += blurred.reshape(layer.shape) * weight[..., None]
    return np.asarray(out, dtype=np.float32)


def expose(light: Array, grey: float) -> Array:
    """Map linear light (H, W, 3) to display values in [0, 1] by a filmic curve, its log mean going to ``grey``."""
    luminance = light @ np.array([0.3, 0.6, 0.1], np.float32)
    gain = grey / np.exp(np.log(luminance + 0.02).mean())
    x = light * np.float32(gain)
    film = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    return np.asarray(unit(film) ** (1 / 2.2), dtype=np.float32)


def develop(display: Array, rng: np.random.Generator) -> Image8:
    """Give display values (H, W, 3) in [0, 1] a white balance, vignette, slight softness and sensor noise: uint8."""
    height, width = display.shape[:2]
    balance = 1 + np.array([1, 0, -1]) * rng.uniform(-0.05, 0.05) + rng.uniform(-0.015, 0.015, 3)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    vignette = 1 - rng.uniform(0, 0.22) * (x**2 + y**2) / 2
    tilt = 1 + rng.uniform(-0.12, 0.12) * x + rng.uniform(-0.12, 0.12) * y
    image = display * balance * (vignette * tilt)[..., None]
    image = blur(image, rng.uniform(0.5, 0.75))
    level = rng.uniform(0.003, 0.011)
    grain = spectral_noise(rng, (height, width), 0.25)[..., None] * level
    grain = grain + rng.standard_normal(display.shape) * level * 0.4
    return np.asarray(np.rint(unit(image + grain) * 255), dtype=np.uint8)
