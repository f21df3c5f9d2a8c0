"""GIST, HOG and the pool of similar images."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sodlift.alignment import gist as gists
from sodlift.alignment.gist import GRID, ORIENTATIONS, SCALES, gist
from sodlift.alignment.retrieval import Pool, describe, hog
from sodlift.arrays import Image8
from sodlift.errors import DataError


def grating(angle: float, period: float, size: int = 128) -> Image8:
    y, x = np.mgrid[:size, :size]
    along = np.cos(np.radians(angle)) * x + np.sin(np.radians(angle)) * y
    wave = 127.5 + 100 * np.sin(2 * np.pi * along / period)
    return np.repeat(wave.astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
@pytest.mark.parametrize("scale", [0, 2])
def test_a_grating_speaks_through_its_own_scale_and_orientation(scale: int, orientation: int) -> None:
    period = 1 / (gists._HIGHEST / 2 ** (scale * gists._OCTAVES))
    cells = gist(grating(180 * orientation / ORIENTATIONS, period), 128).reshape(SCALES, ORIENTATIONS, -1).sum(2)
    assert np.unravel_index(cells.argmax(), cells.shape) == (scale, orientation)


def test_a_structure_speaks_through_the_cells_where_it_is() -> None:
    image = np.full((128, 128, 3), 128, np.uint8)
    image[96:, 96:] = grating(0, 4, 32)
    cells = gist(image, 128).reshape(-1, GRID, GRID).sum(0)
    assert np.unravel_index(cells.argmax(), cells.shape) == (3, 3)


def test_descriptors_have_one_length_whatever_the_image_and_no_direction_without_structure() -> None:
    for size in ((1, 1), (20, 20), (77, 131)):
        described = describe(np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8))
        assert described.shape == (2276,) and described.dtype == np.float32 and np.isfinite(described).all()
    flat = describe(np.full((50, 50, 3), 90, np.uint8))
    assert np.linalg.norm(flat) == pytest.approx(0, abs=1e-3)
    assert hog(grating(0, 8)).shape == (1764,)


def shifted(seed: int, by: int) -> Image8:
    noise = np.random.default_rng(seed).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    large = cv2.resize(noise, (160, 160), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.roll(large, by, axis=1))


def test_the_nearest_image_is_the_same_scene() -> None:
    pool = Pool.of((str(seed), shifted(seed, 3)) for seed in range(8))
    for seed in range(8):
        nearest = pool.nearest(describe(shifted(seed, 0)), 3)
        assert nearest[0].stem == str(seed)
        distances = [similar.distance for similar in nearest]
        assert distances == sorted(distances)
    assert pool.nearest(pool.descriptors[2], 1)[0].distance == pytest.approx(0, abs=1e-3)


def test_images_can_be_left_out_and_a_small_pool_gives_fewer() -> None:
    pool = Pool.of((str(seed), shifted(seed, 0)) for seed in range(3))
    query = pool.descriptors[1]
    assert "1" not in [similar.stem for similar in pool.nearest(query, 5, ["1"])]
    assert len(pool.nearest(query, 5, ["1"])) == 2
    alone = Pool.of([("only", shifted(0, 0))])
    assert alone.nearest(query, 5, ["only"]) == ()


def test_equal_images_keep_the_pools_order() -> None:
    image = shifted(0, 0)
    pool = Pool.of((stem, image) for stem in ("b", "a", "c"))
    assert [similar.stem for similar in pool.nearest(describe(image), 3)] == ["b", "a", "c"]


def test_a_pool_is_written_and_read_and_an_empty_one_refused(tmp_path: Path) -> None:
    pool = Pool.of((str(seed), shifted(seed, 0)) for seed in range(3))
    pool.save(tmp_path / "pool.npz")
    read = Pool.load(tmp_path / "pool.npz")
    assert read.stems == pool.stems and np.array_equal(read.descriptors, pool.descriptors)
    with pytest.raises(DataError, match="no images"):
        Pool.of([])
