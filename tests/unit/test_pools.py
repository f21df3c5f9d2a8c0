"""Pools of similar images: what is kept of each image, who its partners are, and what cannot be one."""

import csv
import json
from pathlib import Path

import numpy as np
import pool_samples
import pytest

from sodlift.alignment.retrieval import describe
from sodlift.alignment.scene import scene
from sodlift.arrays import read_image
from sodlift.errors import DataError
from sodlift.pools.similar.aligned import AlignedSet, align
from sodlift.pools.similar.images import ImagePool


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pools")
    manifest, _ = pool_samples.dataset(folder / "data", 4)
    pool_samples.pool(folder / "pool", manifest)
    pool_samples.aligned(folder / "aligned", manifest, folder / "pool")
    return folder


def test_a_pool_keeps_scene_descriptor_and_number_of_superpixels_of_every_image(made: Path) -> None:
    pool = ImagePool(made / "pool")
    assert pool.names == ("scenes/00", "scenes/01", "scenes/02", "scenes/03")
    image = pool.image("scenes/02")
    seen = scene(image, pool_samples.OPTIONS.superpixels)
    np.testing.assert_array_equal(pool.scene("scenes/02").full, seen.full)
    np.testing.assert_array_equal(pool.retrieval.descriptors[2], describe(image))
    assert pool.counts["scenes/02"] == seen.count
    assert pool.options == pool_samples.OPTIONS


def test_an_image_of_the_pool_is_not_its_own_partner(made: Path) -> None:
    found = AlignedSet(made / "aligned").of("01")
    names = [partner.similar.stem for partner in found.partners]
    assert len(names) == 2
    assert "scenes/01" not in names
    distances = [partner.similar.distance for partner in found.partners]
    assert distances == sorted(distances)


def test_an_image_is_known_by_its_pixels_and_an_other_one_is_refused(made: Path) -> None:
    held = AlignedSet(made / "aligned")
    image = read_image(made / "data" / "images" / "03.png")
    np.testing.assert_array_equal(held.of_image(image).scene.full, held.of("03").scene.full)
    with pytest.raises(DataError, match="none of the aligned ones"):
        held.of_image(255 - image)


def test_what_is_kept_is_what_is_computed_whatever_the_number_of_threads(made: Path) -> None:
    pool, kept = ImagePool(made / "pool"), AlignedSet(made / "aligned").of("00")
    for threads in (1, 2):
        found = align(pool.image("scenes/00"), pool, threads)
        for ours, theirs in zip(found.partners, kept.partners, strict=True):
            assert ours.similar == theirs.similar
            np.testing.assert_array_equal(ours.flow, theirs.flow)
            np.testing.assert_array_equal(ours.links.partner, theirs.links.partner)
            np.testing.assert_array_equal(ours.links.cost, theirs.links.cost)


def test_a_pool_of_one_image_leaves_it_without_partners(tmp_path: Path) -> None:
    manifest, _ = pool_samples.dataset(tmp_path / "data", 1)
    pool = pool_samples.pool(tmp_path / "pool", manifest)
    held = AlignedSet(pool_samples.aligned(tmp_path / "aligned", manifest, pool))
    assert held.of("00").partners == ()
    with (tmp_path / "aligned" / "retrieval.csv").open() as handle:
        assert [(row["stem"], row["rank"], row["partner"]) for row in csv.DictReader(handle)] == [("00", "0", "")]


def test_the_same_image_under_another_name_is_no_partner(tmp_path: Path) -> None:
    manifest, _ = pool_samples.dataset(tmp_path / "data", 3)
    copies, _ = pool_samples.dataset(tmp_path / "copies", 3, name="copies")
    pool = pool_samples.pool(tmp_path / "pool", manifest, copies)
    found = AlignedSet(pool_samples.aligned(tmp_path / "aligned", manifest, pool)).of("00")
    assert {partner.similar.stem[-2:] for partner in found.partners} <= {"01", "02"}


def test_two_pools_differ_in_their_digest_when_an_image_or_its_superpixels_do(made: Path, tmp_path: Path) -> None:
    manifest, _ = pool_samples.dataset(tmp_path / "data", 4, first=1)
    other = ImagePool(pool_samples.pool(tmp_path / "pool", manifest))
    assert other.digest != ImagePool(made / "pool").digest


def test_a_pool_moves_with_the_project(made: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    for part in made.iterdir():
        (moved / part.name).symlink_to(part) if part.name == "data" else _copy(part, moved / part.name)
    np.testing.assert_array_equal(
        ImagePool(moved / "pool").image("scenes/00"), ImagePool(made / "pool").image("scenes/00")
    )


def _copy(source: Path, target: Path) -> None:
    for file in source.rglob("*"):
        if file.is_file():
            (target / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (target / file.relative_to(source)).write_bytes(file.read_bytes())


def test_what_is_no_pool_or_alignment_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a pool"):
        ImagePool(tmp_path)
    with pytest.raises(DataError, match="not an alignment"):
        AlignedSet(tmp_path)


def test_a_broken_image_leaves_no_half_pool(tmp_path: Path) -> None:
    manifest, _ = pool_samples.dataset(tmp_path / "data", 2)
    (tmp_path / "data" / "images" / "01.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"01\.png"):
        pool_samples.pool(tmp_path / "pool", manifest)
    assert not (tmp_path / "pool").exists()


def test_options_of_a_pool_are_kept_with_it_as_plain_text(made: Path) -> None:
    held = json.loads((made / "pool" / "options.json").read_text())
    assert held["superpixels"] == pool_samples.OPTIONS.superpixels
