"""What a training learns from: items, decoding, the cache, the held-out part."""

import errno
from pathlib import Path

import mirm_samples
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from refining_samples import dataset

from sodlift.arrays import FloatMap, Image8, read_mask
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.errors import DataError, MapError
from sodlift.mapset import MapSet, new_mapset
from sodlift.training import data as module
from sodlift.training.data import Item, Samples, decode, digest_of, held_out, items_of, open_samples
from sodlift.training.job import TrainingJob


def accept(stored: FloatMap, prior: FloatMap) -> str:
    return ""


def job(manifest: Manifest, maps: MapSet | None) -> TrainingJob:
    return TrainingJob(((manifest, maps),), Path("m.pt"), Path("c.pt"), Path("log.csv"), seed=0)


def items(folder: Path, count: int = 5) -> list[Item]:
    return items_of(job(*dataset(folder / "data", count)), "priors")


def masked(folder: Path, count: int = 2) -> Manifest:
    """A data set with masks whose grey borders tell how they are read."""
    entries = []
    for index in range(count):
        image, prior = mirm_samples.scene(index)
        paths = folder / f"{index}.png", folder / f"{index}_mask.png"
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(paths[0])
        Image.fromarray((prior * 255).astype(np.uint8)).save(paths[1])
        entries.append(Entry(str(index), *paths, 48, 64, f"i{index}", f"m{index}"))
    return Manifest("masked", tuple(entries))


def samples(folder: Path, found: list[Item], size: int | None = 40, refuse: object = accept, key: str = "k") -> Samples:
    return open_samples(folder / "cache", key, found, size, "priors", refuse, 2)


def test_samples_are_planes_at_the_training_size_in_the_order_of_the_items(tmp_path: Path) -> None:
    found = items(tmp_path)
    opened = samples(tmp_path, found)
    assert len(opened) == 5
    assert [item.stem for item in opened.items] == ["00", "01", "02", "03", "04"]
    assert {opened[i].shape for i in range(5)} == {(4, 40, 40)}
    assert all(np.array_equal(opened[i], decode(found[i], 40, "priors").planes) for i in range(5))


def test_size_none_keeps_every_pixel(tmp_path: Path) -> None:
    planes = samples(tmp_path, items(tmp_path), None)[2]
    image, prior = mirm_samples.scene(2)
    assert np.array_equal(np.moveaxis(planes[:3], 0, 2), image)
    assert np.array_equal(planes[3], np.rint(prior * 255))


def test_decoded_samples_are_used_again_for_the_same_key_only(tmp_path: Path) -> None:
    found = items(tmp_path)
    before = [np.array(samples(tmp_path, found)[i]) for i in range(5)]
    for item in found:
        item.image.unlink()
    again = samples(tmp_path, found)
    assert all(np.array_equal(again[i], before[i]) for i in range(5))
    with pytest.raises(DataError, match="00"):
        samples(tmp_path, found, key="another")
    assert not list((tmp_path / "cache").glob("*")), "what belongs to another training must not pile up"


def test_full_disk_is_an_error_that_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    found = items(tmp_path)
    monkeypatch.setattr(module, "_fill", full)
    with pytest.raises(DataError, match=r"No space left on device[\s\S]*cache[\s\S]*make room"):
        samples(tmp_path, found)


def test_refused_samples_are_counted_by_reason(tmp_path: Path) -> None:
    seen: list[tuple[float, tuple[int, ...]]] = []

    def refuse(stored: FloatMap, prior: FloatMap) -> str:
        seen.append((float(stored.max()), prior.shape))
        return ["", "too dark", "too dark", "", "odd"][len(seen) - 1]

    opened = samples(tmp_path, items(tmp_path), refuse=refuse)
    assert [item.stem for item in opened.items] == ["00", "03"]
    assert np.array_equal(opened[1], decode(opened.items[1], 40, "priors").planes)
    assert opened.summary() == "2 training images; 1 skipped: odd; 2 skipped: too dark"
    assert seen[0] == (1.0, (40, 40))


def test_no_usable_sample_is_an_error_giving_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of 5 training images is usable: 5 x too dark"):
        samples(tmp_path, items(tmp_path), refuse=lambda stored, prior: "too dark")
    with pytest.raises(DataError, match="the list is empty"):
        samples(tmp_path, [])


def test_prior_of_another_aspect_is_refused(tmp_path: Path) -> None:
    def turned(seed: int) -> tuple[Image8, FloatMap]:
        image, prior = mirm_samples.scene(seed)
        return image, np.ascontiguousarray(prior.T)

    found = items_of(job(*dataset(tmp_path, 1, turned)), "priors")
    with pytest.raises(MapError, match=r"48x64 pixels does not fit its image of 64x48[\s\S]*00\.png"):
        decode(found[0], 40, "priors")


def test_masks_stay_binary_when_they_are_resized(tmp_path: Path) -> None:
    found = items_of(job(masked(tmp_path), None), "masks")
    mask = decode(found[0], 40, "masks").planes[3]
    assert set(np.unique(mask)) == {0, 255}
    whole = decode(found[0], None, "masks").planes[3]
    assert np.array_equal(whole > 0, read_mask(tmp_path / "0_mask.png", "gt127"))
    assert [item.row for item in found] == [["masked", "", "0", "i0", "m0"], ["masked", "", "1", "i1", "m1"]]


def test_images_may_come_without_targets(tmp_path: Path) -> None:
    found = items_of(job(masked(tmp_path), None), "none")
    opened = open_samples(tmp_path / "cache", "k", found, 40, "none", accept, 1)
    assert opened[0].shape == (3, 40, 40)


def test_missing_targets_are_errors_by_name(tmp_path: Path) -> None:
    manifest, _ = dataset(tmp_path, 2)
    with pytest.raises(DataError, match=r"'scenes' comes without maps[\s\S]*detector"):
        items_of(job(manifest, None), "priors")
    with pytest.raises(DataError, match="image '00' of training set 'scenes' has no mask"):
        items_of(job(manifest, None), "masks")


def test_job_leaves_out_dropped_priors_and_refuses_missing_ones(tmp_path: Path) -> None:
    manifest, _ = dataset(tmp_path, 3)
    for name, stems in (("dropped", ("00", "01", "02")), ("missing", ("00", "01"))):
        with new_mapset(tmp_path / name) as writer:
            for stem in stems:
                drop = stem == "01"
                writer.add(stem, None if drop else np.zeros((48, 64)), "dropped" if drop else "ok")
    found = items_of(job(manifest, MapSet(tmp_path / "dropped")), "priors")
    assert [item.stem for item in found] == ["00", "02"]
    with pytest.raises(MapError, match="02"):
        items_of(job(manifest, MapSet(tmp_path / "missing")), "priors")


def test_digest_follows_images_and_maps_but_not_where_they_lie(tmp_path: Path) -> None:
    first, second = items(tmp_path / "a"), items(tmp_path / "b")
    assert digest_of(first) == digest_of(second)
    other = items_of(job(*dataset(tmp_path / "c", 5, lambda seed: mirm_samples.scene(seed + 1))), "priors")
    assert digest_of(first) != digest_of(other)
    assert digest_of(first) != digest_of(first[1:])


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.floats(0, 1))
def test_what_is_held_out_depends_on_no_other_image_and_grows_with_the_share(stems: list[str], share: float) -> None:
    out = {stem for stem in stems if held_out(stem, share)}
    assert out == {stem for stem in reversed(stems) if held_out(stem, share)}
    assert out <= {stem for stem in stems if held_out(stem, min(1, share + 0.1))}
    assert not any(held_out(stem, 0) for stem in stems)


def test_the_held_out_share_is_about_what_was_asked_for() -> None:
    assert 150 < sum(held_out(f"{number:04d}", 0.2) for number in range(1000)) < 250
