"""Training samples: sizes, cache, order and augmentation."""

from pathlib import Path

import mirm_samples
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from refining_samples import dataset

from sodlift.arrays import FloatMap, Image8
from sodlift.errors import DataError, MapError
from sodlift.mapset import MapSet, new_mapset
from sodlift.training.data import Batches, Files, Samples, indices, job_files, load_sample
from sodlift.training.job import TrainingJob


def accept(stored: FloatMap, prior: FloatMap) -> str:
    return ""


def files(folder: Path, count: int = 5) -> list[Files]:
    manifest, priors = dataset(folder, count)
    return job_files(job(manifest, priors))


def job(manifest: object, priors: object) -> TrainingJob:
    return TrainingJob(((manifest, priors),), Path("m.pt"), Path("c.pt"), Path("log.csv"), seed=0)


def test_samples_have_the_training_size_and_keep_8_bit_priors(tmp_path: Path) -> None:
    samples = Samples(files(tmp_path), 40, accept)
    assert len(samples) == 5
    assert {(s.image.shape, s.prior.shape) for s in (samples[i] for i in range(5))} == {((40, 40, 3), (40, 40))}


def test_size_none_keeps_every_pixel(tmp_path: Path) -> None:
    sample = Samples(files(tmp_path), None, accept)[2]
    image, prior = mirm_samples.scene(2)
    assert np.array_equal(sample.image, image)
    assert np.array_equal(sample.prior, np.rint(prior * 255))


def test_samples_beyond_the_cache_are_decoded_again_and_equal(tmp_path: Path) -> None:
    found = files(tmp_path)
    one = 40 * 40 * 4
    kept, small, none = (Samples(found, 40, accept, cache_bytes=b) for b in (10 * one, 2 * one, 0))
    for index in range(5):
        for other in (small[index], none[index]):
            assert all(np.array_equal(a, b) for a, b in zip(kept[index], other, strict=True))
    for item in found:
        item.image.unlink()
    assert kept[4].image.shape == small[1].image.shape == (40, 40, 3)
    with pytest.raises(DataError, match="04"):
        small[4]


def test_refused_samples_are_counted_by_reason(tmp_path: Path) -> None:
    seen: list[tuple[float, tuple[int, ...]]] = []

    def refuse(stored: FloatMap, prior: FloatMap) -> str:
        seen.append((float(stored.max()), prior.shape))
        return ["", "too dark", "too dark", "", "odd"][len(seen) - 1]

    samples = Samples(files(tmp_path), 40, refuse)
    assert len(samples) == 2
    assert samples.skipped == {"too dark": 2, "odd": 1}
    assert samples.summary() == "2 training images; 1 skipped: odd; 2 skipped: too dark"
    assert seen[0] == (1.0, (40, 40))


def test_no_usable_sample_is_an_error_giving_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of 5 training images is usable: 5 x too dark"):
        Samples(files(tmp_path), 40, lambda stored, prior: "too dark")
    with pytest.raises(DataError, match="the list is empty"):
        Samples([], 40, accept)


def test_prior_of_another_aspect_is_refused(tmp_path: Path) -> None:
    def turned(seed: int) -> tuple[Image8, FloatMap]:
        image, prior = mirm_samples.scene(seed)
        return image, np.ascontiguousarray(prior.T)

    manifest, priors = dataset(tmp_path, 1, turned)
    with pytest.raises(MapError, match=r"48x64 pixels does not fit its image of 64x48[\s\S]*00\.png"):
        load_sample(job_files(job(manifest, priors))[0], 40)


def test_job_leaves_out_dropped_priors_and_refuses_missing_ones(tmp_path: Path) -> None:
    manifest, _ = dataset(tmp_path, 3)
    for name, stems in (("dropped", ("00", "01", "02")), ("missing", ("00", "01"))):
        with new_mapset(tmp_path / name) as writer:
            for stem in stems:
                drop = stem == "01"
                writer.add(stem, None if drop else np.zeros((48, 64)), "dropped" if drop else "ok")
    assert [f.image.stem for f in job_files(job(manifest, MapSet(tmp_path / "dropped")))] == ["00", "02"]
    with pytest.raises(MapError, match="02"):
        job_files(job(manifest, MapSet(tmp_path / "missing")))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 12), st.integers(0, 99))
def test_every_epoch_uses_every_sample_once(batch: int, count: int, seed: int) -> None:
    stream = [i for step in range(2 * count) for i in indices(step, batch, count, seed)]
    for epoch in range(2 * batch):
        assert sorted(stream[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_epochs_and_seeds_differ_in_order() -> None:
    orders = [tuple(indices(step, 20, 20, seed)) for step, seed in ((0, 0), (1, 0), (0, 1))]
    assert len(set(orders)) == 3


def test_batch_depends_on_step_and_seed_alone(tmp_path: Path) -> None:
    samples = Samples(files(tmp_path), 40, accept)
    first, second = (Batches(samples, 3, 7, hflip=0.5, invert=0.5) for _ in range(2))
    for step in (4, 0):
        assert all(torch.equal(a, b) for a, b in zip(first(step), second(step), strict=True))
        second(9)
    assert not torch.equal(first(0).images, Batches(samples, 3, 8, hflip=0.5)(0).images)


def test_batch_is_bytes_for_images_and_unit_floats_for_priors(tmp_path: Path) -> None:
    batch = Batches(Samples(files(tmp_path), 40, accept), 3, 0)(0)
    assert (batch.images.shape, batch.images.dtype) == ((3, 3, 40, 40), torch.uint8)
    assert (batch.priors.shape, batch.priors.dtype) == ((3, 1, 40, 40), torch.float32)
    assert 0 <= float(batch.priors.min()) < float(batch.priors.max()) == 1


def test_flip_mirrors_image_and_prior_together(tmp_path: Path) -> None:
    samples = Samples(files(tmp_path), 40, accept)
    plain, flipped = Batches(samples, 4, 0)(1), Batches(samples, 4, 0, hflip=1.0)(1)
    assert torch.equal(flipped.images, plain.images.flip(-1))
    assert torch.equal(flipped.priors, plain.priors.flip(-1))


def test_inversion_gives_the_complement_of_the_prior_and_leaves_the_image(tmp_path: Path) -> None:
    samples = Samples(files(tmp_path), 40, accept)
    plain, inverted = Batches(samples, 4, 0)(1), Batches(samples, 4, 0, invert=1.0)(1)
    assert torch.equal(inverted.images, plain.images)
    assert torch.allclose(inverted.priors, 1 - plain.priors)
    assert torch.equal(Batches(samples, 4, 0)(1).priors, plain.priors), "the cache was changed"


def test_augmentation_is_drawn_anew_each_step(tmp_path: Path) -> None:
    samples = Samples(files(tmp_path, 1), 40, accept)
    batches = Batches(samples, 1, 0, hflip=0.5)
    assert len({batches(step).images.numpy().tobytes() for step in range(12)}) == 2
