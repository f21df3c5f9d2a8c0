"""Refiners that share an image's features: several sets of maps, batches, order, short memory, precision."""

from collections.abc import Sequence
from pathlib import Path

import lps_samples
import mirm_samples
import numpy as np
import pytest
import torch
from mirm_samples import ENTRY, NAME
from refining_samples import dataset

from sodlift.arrays import FloatMap, Image8
from sodlift.errors import ConfigError, DataError, SodliftError
from sodlift.inference.refine import refine_dataset, refine_map_sets
from sodlift.inference.shared import SharedRefiner
from sodlift.mapset import MapSet, new_mapset
from sodlift.parallel import ahead
from sodlift.refiners._base import Refined
from sodlift.refiners.mirm.options import MirmOptions
from sodlift.refiners.mirm.refine import MirmRefiner
from sodlift.training.errors import TrainingError
from sodlift.training.on_device import in_memory

REFINERS = pytest.mark.parametrize("kind", ["mirm", "lps"])


def mirm(**options: object) -> MirmRefiner:
    return MirmRefiner(mirm_samples.network().eval(), ENTRY, MirmOptions(NAME, **options), torch.device("cpu"))


def made(kind: str) -> SharedRefiner:
    return mirm() if kind == "mirm" else lps_samples.refiner()


def mixed(seed: int) -> tuple[Image8, FloatMap]:
    """Scenes of three sizes, one of them tiny, in turns."""
    return mirm_samples.scene(seed, [(48, 64), (64, 48), (20, 30)][seed % 3])


class Memory:
    """A map writer that keeps what it is given, in order."""

    def __init__(self) -> None:
        self.maps: dict[str, FloatMap] = {}
        self.notes: dict[str, str] = {}

    def add(self, stem: str, saliency: FloatMap, status: str = "ok", note: str = "") -> None:
        self.maps[stem], self.notes[stem] = saliency, f"{status} {note}".strip()


class Counting:
    """A shared refiner that gives priors back and counts its batches; ``largest`` is what its memory holds."""

    device = torch.device("cpu")

    def __init__(self, largest: int = 99) -> None:
        self.batches: list[int] = []
        self.largest = largest

    def network_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return size

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        raise AssertionError("a shared refiner is not asked for single images")

    def encode(self, images: Sequence[Image8]) -> list[Image8]:
        if len(images) > self.largest:
            raise torch.OutOfMemoryError("no room")
        assert len({image.shape for image in images}) == 1
        self.batches.append(len(images))
        return list(images)

    def refine_all(self, features: Image8, priors: Sequence[FloatMap]) -> list[Refined]:
        assert all(prior.shape == features.shape[:2] for prior in priors)
        return [Refined(prior) for prior in priors]


@REFINERS
def test_the_trained_refiners_share_their_features(kind: str) -> None:
    assert isinstance(made(kind), SharedRefiner)


@REFINERS
def test_priors_refined_together_have_the_bits_of_each_alone(kind: str) -> None:
    refiner, (image, prior) = made(kind), mirm_samples.scene(0)
    priors = [prior, np.clip(prior * np.float32(1.3), 0, 1), np.zeros_like(prior), prior[:, ::-1].copy()]
    together = refiner.refine_all(refiner.encode([image])[0], priors)
    for one, found in zip(priors, together, strict=True):
        alone = refiner.refine(image, one)
        assert found.note == alone.note
        bound = 0 if kind == "mirm" else 1e-6
        assert np.abs(found.saliency - alone.saliency).max() <= bound
    assert np.abs(together[0].saliency - together[3].saliency).max() > 1e-3


@REFINERS
def test_batches_change_nothing_beyond_1e6_and_every_map_goes_to_its_image(kind: str, tmp_path: Path) -> None:
    manifest, priors = dataset(tmp_path, 7, mixed)
    one, many = Memory(), Memory()
    refine_dataset(made(kind), manifest, priors, one, batch=1)
    refine_dataset(made(kind), manifest, priors, many, batch=3)
    assert sorted(many.maps) == list(manifest.stems)
    for stem in manifest.stems:
        assert np.allclose(many.maps[stem], one.maps[stem], rtol=0, atol=1e-6)
    assert np.abs(one.maps["00"] - one.maps["03"]).max() > 1e-3  # of one size: a mix-up would show


def test_several_sets_are_refined_as_each_alone_and_images_are_encoded_once(tmp_path: Path) -> None:
    manifest, priors = dataset(tmp_path, 4, mixed)
    with new_mapset(tmp_path / "other") as writer:
        for stem in manifest.stems[:-1]:
            writer.add(stem, 1 - priors.read(stem))
        writer.add(manifest.stems[-1], None, "dropped", "too faint")
    other = MapSet(tmp_path / "other")
    outs, alone, counting = [Memory(), Memory()], Memory(), Counting()
    refine_map_sets(mirm(), manifest, [(priors, outs[0]), (other, outs[1])])
    refine_dataset(mirm(), manifest, priors, alone)
    assert all(np.array_equal(outs[0].maps[stem], alone.maps[stem]) for stem in manifest.stems)
    assert outs[1].notes[manifest.stems[-1]] == "dropped prior dropped: too faint"
    refine_map_sets(counting, manifest, [(priors, Memory()), (other, Memory())])
    assert counting.batches == [1] * 4


def test_images_of_one_size_share_batches_on_a_gpu_and_sizes_do_not_mix(tmp_path: Path) -> None:
    manifest, priors = dataset(tmp_path, 9, mixed)
    counting = Counting()
    refine_dataset(counting, manifest, priors, Memory(), batch=2)
    assert sorted(counting.batches) == [1, 1, 1, 2, 2, 2]


def test_memory_that_is_short_halves_the_batch_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manifest, priors = dataset(tmp_path, 5)
    counting, out = Counting(largest=2), Memory()
    refine_dataset(counting, manifest, priors, out, batch=5)
    assert counting.batches == [2, 1, 2]
    assert "out of memory with 5 images at once; going on with 2" in caplog.text
    assert sorted(out.maps) == list(manifest.stems)


def test_memory_too_small_for_one_image_is_an_error_with_its_mend() -> None:
    with pytest.raises(ConfigError, match=r"too small for one of the images[\s\S]*mend"):
        in_memory(Counting(largest=0).encode, [np.zeros((8, 8, 3), np.uint8)] * 3, "images")


def test_a_broken_image_fails_at_its_turn_or_is_recorded(tmp_path: Path) -> None:
    manifest, priors = dataset(tmp_path, 4)
    manifest.entries[2].image.write_bytes(b"no image")
    out = Memory()
    with pytest.raises(DataError, match="02"):
        refine_dataset(mirm(), manifest, priors, out)
    assert sorted(out.maps) == ["00", "01"]
    recorded = Memory()
    refine_dataset(mirm(), manifest, priors, recorded, on_error="record")
    assert recorded.notes["02"].startswith("failed not an image file")
    assert recorded.notes["03"] == "ok"


@REFINERS
def test_bfloat16_gives_nearly_the_same_maps(kind: str, tmp_path: Path) -> None:
    manifest, priors = dataset(tmp_path, 2)
    full, half = Memory(), Memory()
    refine_dataset(made(kind), manifest, priors, full)
    refine_dataset(made(kind), manifest, priors, half, precision="bfloat16")
    for stem in manifest.stems:
        difference = np.abs(full.maps[stem] - half.maps[stem])
        assert 0 < difference.mean() < 0.02


class SideBySide:
    """A refiner of several images at once: complements, but the second image of each call fails."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        raise AssertionError("it is asked for many")

    @property
    def at_once(self) -> int:
        return torch.get_num_threads()

    def refine_many(self, images: Sequence[Image8], priors: Sequence[FloatMap]) -> list[Refined | SodliftError]:
        assert all(image.shape[:2] == prior.shape for image, prior in zip(images, priors, strict=True))
        self.calls.append(len(images))
        errors = {1: TrainingError("loss is nan")}
        return [errors.get(i, Refined(1 - prior)) for i, prior in enumerate(priors)]


def test_images_run_side_by_side_where_a_refiner_works_on_one_thread(tmp_path: Path) -> None:
    manifest, priors = dataset(tmp_path, 5, mixed)
    manifest.entries[3].image.write_bytes(b"no image")
    refiner, out, threads = SideBySide(), Memory(), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        refine_dataset(refiner, manifest, priors, out, on_error="record")
        with pytest.raises(TrainingError, match="nan"):
            refine_dataset(SideBySide(), manifest, priors, Memory())
    finally:
        torch.set_num_threads(threads)
    assert refiner.calls == [2, 1, 1]  # the broken image is not asked for
    assert [out.notes[stem][:6] for stem in manifest.stems] == ["ok", "failed", "ok", "failed", "ok"]
    assert "loss is nan" in out.notes["01"]
    assert np.array_equal(out.maps["02"], 1 - priors.read("02"))


def test_the_manifest_is_not_read_further_ahead_than_needed() -> None:
    begun: list[int] = []
    stream = ahead(lambda n: begun.append(n) or n, range(100), threads=1, depth=3)
    assert [next(stream), next(stream)] == [0, 1]
    stream.close()
    assert len(begun) <= 6
