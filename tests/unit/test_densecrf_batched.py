"""The dense CRF in torch: what the Numba form gives, for images of mixed sizes at once, and as a refiner."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import mirm_samples
import numpy as np
import pytest
import refining_samples
import torch

from sodlift.arrays import FloatMap, Image8
from sodlift.crf import batched, dense
from sodlift.crf.dense import Pairwise
from sodlift.crf.unary import UNARIES, Energies
from sodlift.errors import ConfigError
from sodlift.inference.refine import refine_dataset
from sodlift.inference.shared import SideBySideRefiner
from sodlift.mapset import new_mapset
from sodlift.refiners._base import Refined
from sodlift.refiners.densecrf import REFINER, BatchedDenseCrf, DenseCrf, DenseCrfOptions

CPU = torch.device("cpu")
PRESETS = DenseCrfOptions.presets()
SIZES = [(61, 83), (40, 50), (83, 61), (2, 9), (1, 1), (61, 83)]

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and this machine has none")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def scenes() -> tuple[list[Image8], list[FloatMap]]:
    """Return images and priors of mixed sizes, the priors with noise, so that the kernels have work."""
    rng = np.random.default_rng(0)
    images, priors = [], []
    for seed, size in enumerate(SIZES):
        image, prior = mirm_samples.scene(seed, size)
        images.append(image)
        priors.append(np.clip(prior + rng.normal(0, 0.2, size), 0, 1).astype(np.float32))
    return images, priors


def inferred(
    options: DenseCrfOptions, device: torch.device, images: list[Image8], priors: list[FloatMap]
) -> list[FloatMap]:
    return batched.infer(images, [UNARIES[options.unary](prior) for prior in priors], options.pairwise, device)


def differences(options: DenseCrfOptions, device: torch.device) -> tuple[np.ndarray, float]:
    """Return |dQ| of every pixel between the two forms, and the share of pixels whose label is the same."""
    images, priors = scenes()
    found = inferred(options, device, images, priors)
    assert [one.shape for one in found] == SIZES and all(one.dtype == np.float32 for one in found)
    pairs = zip(images, priors, strict=True)
    alone = [dense.infer(image, UNARIES[options.unary](prior), options.pairwise) for image, prior in pairs]
    ours, theirs = (np.concatenate([one.ravel() for one in maps]) for maps in (found, alone))
    return np.abs(ours - theirs), float(((ours > 0.5) == (theirs > 0.5)).mean())


@pytest.mark.parametrize("preset", PRESETS)
def test_images_of_mixed_sizes_at_once_are_the_numba_forms_one_by_one(preset: str) -> None:
    off, agreement = differences(PRESETS[preset], CPU)
    assert off.max() <= 1e-5
    assert agreement >= 0.9999


@on_a_gpu
@pytest.mark.parametrize("preset", PRESETS)
def test_a_gpu_gives_what_the_numba_form_does_and_the_same_bits_again(preset: str) -> None:
    device = torch.device("cuda")
    off, agreement = differences(PRESETS[preset], device)
    assert off.mean() <= 1e-5 and off.max() <= 1e-3  # it adds in another order, which ten updates make more of
    assert agreement >= 0.9999
    first, again = (inferred(PRESETS[preset], device, *scenes()) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_the_same_images_give_the_same_bits() -> None:
    first, again = (inferred(PRESETS["deepusps"], CPU, *scenes()) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_no_image_sees_the_others_of_its_batch() -> None:
    images, priors = scenes()
    together = inferred(PRESETS["deepusps"], CPU, images, priors)
    backwards = inferred(PRESETS["deepusps"], CPU, images[::-1], priors[::-1])[::-1]
    for image, prior, *found in zip(images, priors, together, backwards, strict=True):
        (alone,) = inferred(PRESETS["deepusps"], CPU, [image], [prior])
        assert all(np.allclose(one, alone, atol=1e-6) for one in found)


def test_each_image_has_vertices_of_its_own_and_neighbours_among_them() -> None:
    features = torch.from_numpy(np.random.default_rng(3).normal(0, 4, (3, 500)).astype(np.float32))
    owner = torch.repeat_interleave(torch.tensor([200, 300]))
    lattice = batched._build(torch.cat([features[:, :200], features[:, :300]], 1), owner)  # alike, but for the image
    count = len(lattice.bounds) - 1
    image_of = torch.full((count + 1,), -1)
    for image in (0, 1):
        touched = lattice.corners[:, owner == image].flatten().long()
        assert (image_of[touched] == -1).all()
        image_of[touched] = image
    assert (image_of[:count] >= 0).all()
    for along in lattice.neighbours.long():
        for beside, back in ((along[0], along[1]), (along[1], along[0])):
            there = torch.nonzero(beside < count)[:, 0]
            assert len(there) and torch.equal(image_of[beside[there]], image_of[there])
            assert torch.equal(back[beside[there]], there)


def test_deviations_too_small_for_the_lattice_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"in 6 images(.|\n)*raise sxy or srgb"):
        inferred(replace(PRESETS["dss"], pairwise=Pairwise(bilateral_srgb=1e-3)), CPU, *scenes())


# as a refiner


@pytest.mark.parametrize("preset", ["dss", "a2s", "mijr_conservative"])
def test_the_batched_refiner_gives_the_other_ones_maps_soft_and_hard(preset: str) -> None:
    refiner, images, priors = BatchedDenseCrf(PRESETS[preset], CPU), *scenes()
    assert isinstance(refiner, SideBySideRefiner)
    for image, prior, found in zip(images, priors, refiner.refine_many(images, priors), strict=True):
        expected, alone = (one.refine(image, prior).saliency for one in (DenseCrf(PRESETS[preset]), refiner))
        for made in (cast(Refined, found).saliency, alone):
            assert np.allclose(made, expected, atol=1e-5)
    assert refiner.refine_many([], []) == []


def test_a_data_set_is_refined_by_batches(tmp_path: Path) -> None:
    manifest, priors = refining_samples.dataset(tmp_path, 5, lambda i: mirm_samples.scene(i, SIZES[i]))
    maps = []
    for name, refiner in (("one", DenseCrf(PRESETS["dss"])), ("many", BatchedDenseCrf(PRESETS["dss"], CPU))):
        with new_mapset(tmp_path / name) as writer:
            assert refine_dataset(refiner, manifest, priors, writer, batch=2).status == {"ok": 5}
        maps.append([(tmp_path / name / f"{stem}.png").read_bytes() for stem in manifest.stems])
    assert maps[0] == maps[1]


def test_short_memory_halves_the_batch_and_is_an_error_for_one_image(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def short(
        images: list[Image8], energies: list[Energies], pairwise: Pairwise, device: torch.device
    ) -> list[FloatMap]:
        seen.append(len(images))
        if len(images) > room:
            raise torch.OutOfMemoryError("no room")
        return original(images, energies, pairwise, device)

    original, room = batched.infer, 2
    monkeypatch.setattr(batched, "infer", short)
    refiner, images, priors = BatchedDenseCrf(PRESETS["dss"], CPU), *scenes()
    found = refiner.refine_many(images, priors)
    assert seen == [6, 3, 1, 2, 3, 1, 2]
    assert [cast(Refined, one).saliency.shape for one in found] == SIZES
    room = 0
    assert all(isinstance(one, ConfigError) for one in refiner.refine_many(images, priors))
    with pytest.raises(ConfigError, match="too small for one of the images"):
        refiner.refine(images[0], priors[0])


def test_on_a_cpu_images_are_refined_one_by_one() -> None:
    assert REFINER.load(PRESETS["dss"], None, "cpu") == DenseCrf(PRESETS["dss"])


@on_a_gpu
def test_on_a_gpu_images_are_refined_by_batches_but_by_the_package() -> None:
    assert isinstance(REFINER.load(PRESETS["dss"], None, "cuda"), BatchedDenseCrf)
    assert isinstance(REFINER.load(replace(PRESETS["dss"], backend="pydensecrf"), None, "cuda"), DenseCrf)
