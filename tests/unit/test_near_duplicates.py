"""Near-identical images found by hash and thumbnail, on scenes made here."""

import tracemalloc

import cv2
import numpy as np
import pytest
from scene_samples import manifest, scene, write

from sodlift.datasets.manifest import Manifest
from sodlift.datasets.near_duplicates import (
    COLUMNS,
    correlation,
    fingerprints,
    leakage,
    leakage_table,
    near_duplicates,
    thumbnails,
)
from sodlift.errors import DataError, UnknownNameError


def scaled(image: np.ndarray, factor: float) -> np.ndarray:
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def bright(image: np.ndarray, factor: float) -> np.ndarray:
    return np.clip(image * factor, 0, 255).astype(np.uint8)


COPIES = {  # picture and JPEG quality of a copy, and whether it is mirrored
    "the same": (lambda image: image, 100, False),
    "compressed": (lambda image: image, 50, False),
    "shrunk": (lambda image: scaled(image, 0.5), 90, False),
    "enlarged": (lambda image: scaled(image, 1.5), 90, False),
    "squashed": (lambda image: cv2.resize(image, (256, 256)), 90, False),
    "brighter": (lambda image: bright(image, 1.1), 90, False),
    "darker": (lambda image: bright(image, 0.9), 90, False),
    "mirrored": (lambda image: image[:, ::-1], 95, True),
    "all at once": (lambda image: bright(scaled(image[:, ::-1], 0.75), 1.1), 60, True),
}


@pytest.fixture
def sets(tmp_path) -> dict[str, Manifest]:
    """A: scenes 0 to 5, 0 twice; B: scenes 4 (mirrored) and 5 (shrunk) again and 6 to 9; C: scenes 10 to 12."""
    for i in range(6):
        write(tmp_path / "A" / f"{i}.jpg", scene(i))
    write(tmp_path / "A" / "again.jpg", scene(0), 60)
    write(tmp_path / "B" / "four.jpg", scene(4)[:, ::-1])
    write(tmp_path / "B" / "five.jpg", scaled(scene(5), 0.5))
    for i in range(6, 10):
        write(tmp_path / "B" / f"{i}.jpg", scene(i))
    for i in range(10, 13):
        write(tmp_path / "C" / f"{i}.jpg", scene(i))
    return {name: manifest(tmp_path / name) for name in "ABC"}


def found(pairs) -> list[tuple]:
    return list(pairs[["dataset_a", "stem_a", "dataset_b", "stem_b", "mirrored"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("kind", COPIES)
def test_each_kind_of_copy_is_found_for_every_scene(tmp_path, kind):
    change, quality, mirrored = COPIES[kind]
    for i in range(8):
        write(tmp_path / "original" / f"{i}.jpg", scene(i))
        write(tmp_path / "copied" / f"{i}.jpg", change(scene(i)), quality)
    pairs = leakage({name: manifest(tmp_path / name) for name in ("original", "copied")})
    assert found(pairs) == [("copied", str(i), "original", str(i), mirrored) for i in range(8)]


def test_copies_within_and_across_sets_are_found_and_nothing_else(sets):
    pairs = leakage(sets)
    assert tuple(pairs.columns) == COLUMNS
    assert found(pairs) == [
        ("A", "0", "A", "again", False),
        ("A", "4", "B", "four", True),
        ("A", "5", "B", "five", False),
    ]
    assert pairs["correlation"].between(0.95, 1).all()
    assert pairs["bits"].between(0, 10).all()


def test_neither_the_order_of_the_sets_nor_the_workers_change_anything(sets):
    straight = leakage(sets)
    assert leakage(dict(reversed(sets.items()))).equals(straight)
    assert leakage(sets, workers=2).equals(straight)


def test_an_image_is_no_copy_of_itself(tmp_path):
    half = scene(1)
    write(tmp_path / "alone" / "symmetric.jpg", np.hstack([half, half[:, ::-1]]))
    write(tmp_path / "alone" / "other.jpg", scene(2))
    assert leakage({"alone": manifest(tmp_path / "alone")}).empty


def test_a_copy_of_a_symmetric_image_is_reported_once(tmp_path):
    half = scene(1)
    for stem, quality in (("first", 95), ("second", 70)):
        write(tmp_path / "twice" / f"{stem}.jpg", np.hstack([half, half[:, ::-1]]), quality)
    pairs = leakage({"twice": manifest(tmp_path / "twice")})
    assert found(pairs) == [("twice", "first", "twice", "second", False)]


def test_a_nearly_symmetric_image_is_reported_the_way_it_agrees_best(tmp_path):
    """Both readings pass the thresholds; the mirrored one is all but exact."""
    half = scene(1)
    image = np.hstack([half, half[:, ::-1]])
    image[100:118, 40:58] = 0
    write(tmp_path / "twice" / "first.jpg", image)
    write(tmp_path / "twice" / "second.jpg", image[:, ::-1])
    small = thumbnails([entry.image for entry in manifest(tmp_path / "twice").entries])
    assert 0.95 < correlation(*small) < 0.995
    assert found(leakage({"twice": manifest(tmp_path / "twice")})) == [("twice", "first", "twice", "second", True)]


def test_close_hashes_alone_make_no_copy(sets):
    """With every pair a candidate, the second look on the thumbnails leaves the same three."""
    assert found(leakage(sets, distance=64)) == found(leakage(sets))


def test_no_set_and_no_copy_give_an_empty_table_of_the_same_columns(sets):
    for none in (leakage({}), leakage({"C": sets["C"]})):
        assert none.empty
        assert none.dtypes.astype(str).tolist()[4:] == ["int64", "float64", "bool"]
        assert tuple(none.columns) == COLUMNS


@pytest.mark.parametrize("workers", [1, 2])
def test_a_broken_image_is_named(sets, workers):
    broken = sets["B"].entries[2].image
    broken.write_bytes(broken.read_bytes()[:500])
    with pytest.raises(DataError) as caught:
        leakage(sets, workers=workers)
    assert str(broken) in str(caught.value)


def test_the_table_counts_the_images_of_a_test_set_that_a_training_set_holds(sets):
    lines = leakage_table(leakage(sets), train=["B", "A"], test=["A", "B", "C"]).splitlines()
    assert lines == [
        "| trained on | A | B | C |",
        "|---|---:|---:|---:|",
        "| B | 2 | 0 | 0 |",
        "| A | 2 | 2 | 0 |",
    ]


def test_an_image_with_several_copies_counts_once(tmp_path):
    for quality in (60, 80, 95):
        write(tmp_path / "train" / f"{quality}.jpg", scene(0), quality)
    write(tmp_path / "test" / "0.jpg", scene(0))
    pairs = leakage({name: manifest(tmp_path / name) for name in ("train", "test")})
    assert len(pairs) == 6
    assert leakage_table(pairs, ["train"], ["test"]).splitlines()[-1] == "| train | 1 |"
    assert leakage_table(pairs, ["test"], ["train"]).splitlines()[-1] == "| test | 3 |"


def test_a_set_that_was_not_compared_is_an_error_rather_than_a_zero(sets):
    with pytest.raises(UnknownNameError, match="'D'"):
        leakage_table(leakage(sets), ["A"], ["D"])


def test_thumbnails_keep_the_order_of_the_files(sets):
    files = [entry.image for entry in sets["B"].entries]
    small = thumbnails(files)
    assert (small.shape, small.dtype) == ((6, 64, 64), np.uint8)
    assert np.array_equal(thumbnails(files[::-1], workers=2), small[::-1])


def test_the_second_hash_is_that_of_the_mirrored_thumbnail(sets):
    small = thumbnails([entry.image for entry in sets["C"].entries])
    hashes = fingerprints(small)
    assert (hashes.shape, hashes.dtype) == ((3, 2), np.uint64)
    assert np.array_equal(fingerprints(small[:, :, ::-1]), hashes[:, ::-1])


def test_near_duplicates_are_those_of_every_single_comparison():
    rng = np.random.default_rng(3)
    a, b = (rng.integers(0, 2**64, n, np.uint64) for n in (70, 90))
    b[:20] = a[:20] ^ np.uint64(0b10101)
    every = [(i, j, (int(x) ^ int(y)).bit_count()) for i, x in enumerate(a) for j, y in enumerate(b)]
    for distance in (0, 2, 3, 24, 64):
        assert near_duplicates(a, b, distance) == [pair for pair in every if pair[2] <= distance]


def test_memory_does_not_grow_with_the_pairs_compared():
    rng = np.random.default_rng(3)
    a = rng.integers(0, 2**64, 12_000, np.uint64)
    tracemalloc.start()
    pairs = near_duplicates(a, a, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pairs == [(i, i, 0) for i in range(12_000)]
    assert peak < 100e6  # all words at once would take 1.2 GB


def test_nothing_against_nothing_is_nothing():
    none, some = np.empty(0, np.uint64), np.zeros(2, np.uint64)
    assert near_duplicates(none, none) == near_duplicates(none, some) == near_duplicates(some, none) == []
    assert thumbnails([]).shape == (0, 64, 64)
    assert fingerprints(thumbnails([])).shape == (0, 2)


def test_correlation_is_pearsons_and_defined_for_a_single_grey():
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 256, (2, 64, 64), np.uint8)
    assert correlation(a, b) == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1], abs=1e-12)
    assert correlation(a, 255 - a) == pytest.approx(-1)
    grey = np.full((64, 64), 7, np.uint8)
    assert (correlation(grey, grey), correlation(grey, grey + 1), correlation(grey, a)) == (1, 0, 0)
