"""Deep detectors over a data set: order, sizes, batches, short memory, maps that are none; and their model files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from refining_samples import dataset

from sodlift.arrays import FloatMap, Image8, read_image
from sodlift.datasets.manifest import Manifest
from sodlift.detectors import _deep
from sodlift.detectors._base import ONE_WORKER, DetectorType, Machine
from sodlift.detectors._deep import DeepDetector, detect
from sodlift.detectors._health import MapsReport
from sodlift.detectors._model import model_files, seen_images
from sodlift.errors import ConfigError, DataError, MapError, WeightsError
from sodlift.mapset import MapSet
from sodlift.training.model_file import FORMAT

SIZES = [(48, 64), (64, 48), (20, 30)]


def scene(seed: int) -> tuple[Image8, FloatMap]:
    """An image of one of three sizes, in turns, and the map that ``Counting`` finds in it."""
    image = np.random.default_rng(seed).integers(0, 256, (*SIZES[seed % 3], 3), dtype=np.uint8)
    return image, found(image)


def found(image: Image8) -> FloatMap:
    return image[..., 0].astype(np.float32) / 255


class Counting:
    """A detector whose maps are the images' red; counts its batches. ``largest`` is what its memory holds."""

    device = torch.device("cpu")

    def __init__(self, largest: int = 99, spoil: Callable[[FloatMap], FloatMap] | None = None) -> None:
        self.batches: list[int] = []
        self.first: list[int] = []
        self.states: set[tuple[bool, bool, int]] = set()
        self.largest, self.spoil = largest, spoil

    def network_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return size

    def predict(self, images: Sequence[Image8]) -> list[FloatMap]:
        if len(images) > self.largest:
            raise torch.OutOfMemoryError("no room")
        assert len({image.shape for image in images}) == 1
        self.batches.append(len(images))
        self.first += [int(image[0, 0, 0]) for image in images]
        self.states.add((torch.is_autocast_enabled("cpu"), torch.is_inference_mode_enabled(), torch.get_num_threads()))
        maps = [found(image) for image in images]
        return maps if self.spoil is None else [self.spoil(saliency) for saliency in maps]


def made(detector: DeepDetector, manifest: Manifest, folder: Path, machine: Machine = ONE_WORKER) -> MapsReport:
    kind = DetectorType("fake", dict, lambda _, images, writer, on: detect(detector, images, writer, on))
    return kind.make("fake", {}, manifest, folder, machine)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return dataset(tmp_path_factory.mktemp("scenes"), 7, scene)[0]


@pytest.fixture
def on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let batches be as large as on a GPU with room for three."""
    monkeypatch.setattr(_deep, "batch_on", lambda device: 3)


def assert_complete(folder: Path, manifest: Manifest) -> None:
    maps = MapSet(folder)
    for entry in manifest.entries:
        expected = found(read_image(entry.image))
        assert np.abs(maps.read(entry.stem) - expected).max() < 1e-6, entry.stem


def test_on_a_cpu_images_go_one_by_one_in_their_order(manifest: Manifest, tmp_path: Path) -> None:
    detector = Counting()
    assert made(detector, manifest, tmp_path / "maps").sizes == {"as the image": 7}
    assert detector.batches == [1] * 7
    assert detector.first == [int(read_image(entry.image)[0, 0, 0]) for entry in manifest.entries]
    assert_complete(tmp_path / "maps", manifest)


@pytest.mark.usefixtures("on_a_gpu")
def test_on_a_gpu_images_of_one_size_go_together_and_each_keeps_its_own_map(manifest: Manifest, tmp_path: Path) -> None:
    detector = Counting()
    made(detector, manifest, tmp_path / "maps")
    assert sorted(detector.batches) == [2, 2, 3]
    assert_complete(tmp_path / "maps", manifest)


@pytest.mark.usefixtures("on_a_gpu")
def test_short_memory_halves_a_batch_with_a_warning_and_loses_nothing(
    manifest: Manifest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    detector = Counting(largest=1)
    made(detector, manifest, tmp_path / "maps")
    assert detector.batches == [1] * 7
    assert "out of memory with 3 images at once; going on with 1" in caplog.text
    assert_complete(tmp_path / "maps", manifest)


def test_memory_too_small_for_one_image_is_an_error(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too small for one of the images: no room"):
        made(Counting(largest=0), manifest, tmp_path / "maps")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda saliency: saliency * np.float32(np.nan),
        lambda saliency: saliency + 1.5,
        lambda saliency: saliency - 1.5,
        lambda saliency: saliency[:-1],
        lambda saliency: saliency[None],
    ],
    ids=["nan", "above", "below", "another size", "a plane too many"],
)
def test_every_map_that_is_none_is_told_at_once_and_nothing_is_kept(
    manifest: Manifest, tmp_path: Path, spoil: Callable[[FloatMap], FloatMap]
) -> None:
    def some(saliency: FloatMap) -> FloatMap:
        return spoil(saliency) if saliency.shape == SIZES[1] else saliency

    with pytest.raises(MapError, match=r"maps of a network that are none.*\(2\): 01, 04") as caught:
        made(Counting(spoil=some), manifest, tmp_path / "maps")
    assert "train the detector again" in str(caught.value)
    assert "missing" not in str(caught.value)
    assert not (tmp_path / "maps").exists()


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    manifest, _ = dataset(tmp_path / "scenes", 3, scene)
    manifest.entries[1].image.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"01\.png"):
        made(Counting(), manifest, tmp_path / "maps")


def test_precision_and_threads_are_the_machines_and_end_with_the_work(manifest: Manifest, tmp_path: Path) -> None:
    before, counted = torch.get_num_threads(), Counting()
    made(counted, manifest, tmp_path / "half", Machine(before + 1, precision="bfloat16"))
    assert counted.states == {(True, True, before + 1)}
    assert torch.get_num_threads() == before
    plain = Counting()
    made(plain, manifest, tmp_path / "full")
    assert plain.states == {(False, True, 1)}


# model files


class Options:
    """Options with a model."""

    def __init__(self, model: Path | None) -> None:
        self.model = model


def test_a_model_tells_the_images_that_it_learnt_from_or_was_chosen_by(tmp_path: Path) -> None:
    parts = {"1": "train", "2": "validation", "3": "skipped"}
    images = [["scenes", "", stem, f"image {stem}", "", part] for stem, part in parts.items()]
    torch.save({"format": FORMAT, "images": images}, tmp_path / "model.pt")
    assert seen_images(Options(tmp_path / "model.pt")) == {"image 1", "image 2"}


def test_a_detector_without_its_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="needs a trained model file"):
        seen_images(Options(None))
    torch.save({"format": FORMAT - 1, "images": []}, tmp_path / "old.pt")
    with pytest.raises(WeightsError, match="not a model file of this version"):
        seen_images(Options(tmp_path / "old.pt"))


def test_the_files_of_the_maps_are_the_model_where_there_is_one(tmp_path: Path) -> None:
    assert model_files(Options(None), "any") == []
    with pytest.raises(WeightsError, match=r"model file not found"):
        model_files(Options(tmp_path / "m.pt"), "any")
    (tmp_path / "m.pt").touch()
    assert model_files(Options(tmp_path / "m.pt"), "any") == [tmp_path / "m.pt"]
