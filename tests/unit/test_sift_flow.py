"""SIFT flow on warps that are known."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from sodlift.alignment._propagation import _spread, _spread_level, beliefs
from sodlift.alignment.dense_sift import dense_sift
from sodlift.alignment.sift_flow import SiftFlowOptions, sift_flow
from sodlift.arrays import Image8, read_image
from sodlift.errors import ConfigError, DataError

Field = npt.NDArray[np.float64]
SIZE, MARGIN = (90, 120), 20
Y, X = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
INSIDE = (X - 60) ** 2 + (Y - 45) ** 2 < 25**2
FIELDS: dict[str, tuple[Field, Field]] = {
    "translation": (0 * X + 6, 0 * Y - 4),
    "affine": (0.06 * (X - 60) + 0.03 * (Y - 45), -0.04 * (X - 60) + 0.05 * (Y - 45)),
    "piecewise": (np.where(INSIDE, 7.0, -4.0), np.where(INSIDE, -5.0, 3.0)),
}


def textured(size: tuple[int, int]) -> Image8:
    noise = np.random.default_rng(0).normal(0, 1, (*size, 3)).astype(np.float32)
    mixed = sum(cv2.GaussianBlur(noise, (0, 0), s) * s for s in (1.0, 3.0, 9.0))
    return np.asarray(cv2.normalize(mixed, None, 0, 255, cv2.NORM_MINMAX), dtype=np.uint8)


def photographed(size: tuple[int, int], repository: Path) -> Image8:
    photo = min((repository / "workflow_scripts/sodlift/demo/data/images").glob("*.jpg"))
    return np.asarray(cv2.resize(read_image(photo), size[::-1], interpolation=cv2.INTER_AREA))


def end_point_errors(wide: Image8, u: Field, v: Field, options: SiftFlowOptions) -> npt.NDArray[np.float64]:
    """Errors of pixels whose partner lies within the second image, which is the middle of ``wide``."""
    height, width = SIZE
    second = wide[MARGIN : MARGIN + height, MARGIN : MARGIN + width]
    at = [(a + b + MARGIN).astype(np.float32) for a, b in ((X, u), (Y, v))]
    first = np.asarray(cv2.remap(wide, *at, cv2.INTER_LINEAR), dtype=np.uint8)
    flow = sift_flow(dense_sift(first), dense_sift(np.ascontiguousarray(second)), options).flow
    within = (X + u >= 0) & (X + u <= width - 1) & (Y + v >= 0) & (Y + v <= height - 1)
    return np.asarray(np.hypot(flow[..., 0] - u, flow[..., 1] - v)[within])


WIDE = (SIZE[0] + 2 * MARGIN, SIZE[1] + 2 * MARGIN)


@pytest.mark.parametrize("name", FIELDS)
def test_known_warps_are_found(name: str, repository: Path) -> None:
    for wide in (textured(WIDE), photographed(WIDE, repository)):
        for options in (SiftFlowOptions(), SiftFlowOptions.published()):
            assert np.median(end_point_errors(wide, *FIELDS[name], options)) <= 0.7


def test_an_image_is_matched_to_itself_at_no_distance() -> None:
    descriptors = dense_sift(textured((40, 50)))
    matched = sift_flow(descriptors, descriptors)
    assert not matched.flow.any() and not matched.distance.any()
    assert matched.flow.dtype == np.int32 and matched.distance.dtype == np.float32


def test_distance_is_that_of_the_partners_which_all_lie_within_the_image() -> None:
    first, second = dense_sift(textured((33, 47))), dense_sift(photo_like((33, 47)))
    matched = sift_flow(first, second)
    y, x = np.mgrid[:33, :47]
    partner = second[y + matched.flow[..., 1], x + matched.flow[..., 0]]
    assert np.array_equal(matched.distance, np.abs(first.astype(int) - partner).sum(2).astype(np.float32))


def photo_like(size: tuple[int, int]) -> Image8:
    return np.ascontiguousarray(textured(size)[::-1, ::-1])


def energy(costs: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], options: SiftFlowOptions) -> float:
    """The energy of displacements (2, H, W), counted in the window, whose middle is 0."""
    reach = costs.shape[1] // 2
    height, width = labels.shape[1:]
    y, x = np.mgrid[:height, :width]
    total = float(costs[y, labels[1], labels[0], x].sum())
    for layer in labels:
        total += options.gamma * float(np.abs(layer - reach).sum())
        for axis in (0, 1):
            apart = options.alpha * np.abs(np.diff(layer, axis=axis))
            total += float(np.minimum(apart, options.truncation).sum())
    return total


def test_propagation_finds_the_least_energy_of_a_small_grid() -> None:
    options = SiftFlowOptions(alpha=40, truncation=60, gamma=3)
    height, width, n = 2, 2, 3
    for seed in range(5):
        costs = np.random.default_rng(seed).uniform(0, 100, (height, n, n, width)).astype(np.float32)
        centre = np.zeros((height, 2, width), np.float32)
        found = beliefs(costs, centre, 40, options.alpha, options.truncation, options.gamma).transpose(1, 0, 2)
        everything = itertools.product(range(n), repeat=2 * height * width)
        least = min(energy(costs, np.reshape(labels, (2, height, width)), options) for labels in everything)
        assert energy(costs, found.astype(np.int64), options) <= 1.02 * least


def test_windows_with_other_middles_send_what_windows_with_one_middle_do() -> None:
    rng = np.random.default_rng(0)
    held, level, sloped = rng.uniform(0, 50, (7, 30)).astype(np.float32), *np.empty((2, 7, 30), np.float32)
    _spread_level(held, np.float32(6), level)
    _spread(held, np.zeros(30, np.float32), np.float32(6), sloped)
    assert np.allclose(level, sloped, atol=1e-4)


def test_small_odd_sizes_are_matched_and_unequal_ones_refused() -> None:
    for size in ((1, 1), (1, 9), (5, 2), (7, 11)):
        descriptors = dense_sift(textured((12, 12)))[: size[0], : size[1]]
        assert sift_flow(np.ascontiguousarray(descriptors), np.ascontiguousarray(descriptors)).flow.shape == (*size, 2)
    with pytest.raises(DataError, match="resize both images"):
        sift_flow(dense_sift(textured((8, 8))), dense_sift(textured((8, 9))))
    with pytest.raises(ConfigError, match="alpha"):
        SiftFlowOptions(alpha=-1)
