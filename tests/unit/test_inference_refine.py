"""Refining a whole data set: sizes, records and errors."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import mirm_samples
import numpy as np
import pytest
from refining_samples import dataset

from sodlift.arrays import FloatMap, Image8, resize
from sodlift.datasets.manifest import Entry
from sodlift.errors import DataError, MapError
from sodlift.inference.refine import refine_dataset
from sodlift.mapset import MapSet, new_mapset
from sodlift.refiners._base import Refined


class Complement:
    """Refines a prior to its complement and remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[Image8, FloatMap]] = []

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        self.seen.append((image, prior))
        return Refined(1 - prior)


class Returns:
    def __init__(self, refined: Refined) -> None:
        self.refined = refined

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        return self.refined


def small(seed: int) -> tuple[Image8, FloatMap]:
    image, prior = mirm_samples.scene(seed)
    return image, resize(prior, (24, 32), "area")


def test_refined_maps_are_written_for_every_image(tmp_path: Path) -> None:
    manifest, priors = dataset(tmp_path, 3)
    with new_mapset(tmp_path / "out") as writer:
        summary = refine_dataset(Complement(), manifest, priors, writer)
    out = MapSet(tmp_path / "out")
    assert sorted(out.records) == list(manifest.stems)
    assert summary.status == {"ok": 3}
    for stem in manifest.stems:
        assert np.allclose(out.read(stem), 1 - priors.read(stem), atol=1 / 255)


def test_smaller_prior_is_resized_to_its_image_by_lanczos(tmp_path: Path) -> None:
    manifest, priors = dataset(tmp_path, 1, small)
    refiner = Complement()
    with new_mapset(tmp_path / "out") as writer:
        refine_dataset(refiner, manifest, priors, writer)
    image, prior = refiner.seen[0]
    assert np.array_equal(image, mirm_samples.scene(0)[0])
    assert np.array_equal(prior, resize(priors.read("00"), (48, 64), "lanczos"))
    assert MapSet(tmp_path / "out").read("00").shape == (48, 64)


def test_prior_of_another_aspect_is_an_error_naming_the_map(tmp_path: Path) -> None:
    def cropped(seed: int) -> tuple[Image8, FloatMap]:
        image, prior = mirm_samples.scene(seed)
        return image, prior[:, :50]

    manifest, priors = dataset(tmp_path, 1, cropped)
    with pytest.raises(MapError, match=r"50x48 pixels does not fit[\s\S]*00\.png"), new_mapset(tmp_path / "out") as out:
        refine_dataset(Complement(), manifest, priors, out)
    assert not (tmp_path / "out").exists()


def test_missing_prior_is_an_error_before_anything_is_refined(tmp_path: Path) -> None:
    manifest, _ = dataset(tmp_path, 3)
    with new_mapset(tmp_path / "fewer") as writer:
        writer.add("00", np.zeros((48, 64)))
    refiner = Complement()
    with pytest.raises(MapError, match="01, 02"), new_mapset(tmp_path / "out") as writer:
        refine_dataset(refiner, manifest, MapSet(tmp_path / "fewer"), writer)
    assert not refiner.seen


def test_dropped_images_and_notes_are_recorded_and_counted(tmp_path: Path) -> None:
    manifest, priors = dataset(tmp_path, 2)
    with new_mapset(tmp_path / "out") as writer:
        summary = refine_dataset(Returns(Refined(None, "dropped", "too faint")), manifest, priors, writer)
    record = MapSet(tmp_path / "out").records["01"]
    assert (record.status, record.note) == ("dropped", "too faint")
    assert str(summary) == "2 dropped; 2 x too faint"
    assert not list((tmp_path / "out").glob("*.png"))


def test_prior_that_was_dropped_stays_dropped(tmp_path: Path) -> None:
    manifest, _ = dataset(tmp_path, 1)
    with new_mapset(tmp_path / "dropped") as writer:
        writer.add("00", None, "dropped", "no object")
    with new_mapset(tmp_path / "out") as writer:
        refine_dataset(Complement(), manifest, MapSet(tmp_path / "dropped"), writer)
    record = MapSet(tmp_path / "out").records["00"]
    assert (record.status, record.note) == ("dropped", "prior dropped: no object")


@pytest.mark.parametrize(
    "refined",
    [
        Refined(np.full((48, 64), np.nan, np.float32)),
        Refined(np.full((48, 64), 1.1, np.float32)),
        Refined(np.zeros((48, 63), np.float32)),
        Refined(None),
        Refined(np.zeros((48, 64), np.float32), "dropped"),
    ],
)
def test_invalid_result_of_a_refiner_is_an_error_not_a_file(tmp_path: Path, refined: Refined) -> None:
    manifest, priors = dataset(tmp_path, 1)
    with pytest.raises(MapError), new_mapset(tmp_path / "out") as writer:
        refine_dataset(Returns(refined), manifest, priors, writer)
    assert not (tmp_path / "out").exists()


def test_broken_image_stops_or_is_recorded_as_asked(tmp_path: Path) -> None:
    manifest, priors = dataset(tmp_path, 2)
    manifest.entries[0].image.write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"00\.png"), new_mapset(tmp_path / "out") as writer:
        refine_dataset(Complement(), manifest, priors, writer)
    with new_mapset(tmp_path / "out") as writer:
        summary = refine_dataset(Complement(), manifest, priors, writer, on_error="record")
    assert summary.status == {"failed": 1, "ok": 1}
    record = MapSet(tmp_path / "out").records["00"]
    assert record.status == "failed"
    assert "00.png" in record.note


def test_progress_wraps_the_entries(tmp_path: Path) -> None:
    manifest, priors = dataset(tmp_path, 2)
    shown = []

    def progress(entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            shown.append(entry.stem)
            yield entry

    with new_mapset(tmp_path / "out") as writer:
        refine_dataset(Complement(), manifest, priors, writer, progress)
    assert shown == ["00", "01"]
