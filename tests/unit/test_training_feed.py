"""Batches as a function of (seed, step): order, augmentation, shares of processes, and the thread that prefetches."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from training_samples import CPU, job, prepared

from sodlift.training.data import Samples, items_of, open_samples
from sodlift.training.feed import Feed, augmented, indices, prefetched
from sodlift.training.recipe import Recipe
from sodlift.training.task import Batch
from sodlift.training.team import Team

RECIPE = Recipe(steps=20, batch=3)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    folder = prepared(tmp_path_factory.mktemp("feed"), 5)
    items = items_of(job(folder), "priors")
    return open_samples(folder / "cache", "k", items, 40, "priors", lambda stored, prior: "", 1)


def feed(
    samples: Samples, seed: int = 7, team: Team = CPU, crisp: bool = False, stage: int = 0, **changes: object
) -> Feed:
    return Feed(samples, [0, 1, 2, 4], [3], replace(RECIPE, **changes), seed, team, stage=stage, crisp=crisp)


def batch(asked: Feed, step: int = 0) -> Batch:
    return next(iter(asked.steps(step)))


def equal(one: Batch, other: Batch) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@settings(max_examples=60)
@given(count=st.integers(1, 9), batch=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_every_epoch_shows_each_sample_once(count: int, batch: int, seed: int) -> None:
    stream = [i for step in range(2 * count) for i in indices(step, batch, count, seed)]
    for epoch in range(2 * batch):
        assert sorted(stream[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_epochs_seeds_and_stages_differ_in_order() -> None:
    orders = [
        tuple(indices(step, 20, 20, seed, stage)) for step, seed, stage in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    ]
    assert len(set(orders)) == 4


def test_batch_depends_on_step_and_seed_alone(samples: Samples) -> None:
    random = {"hflip": True, "crop": 0.7}
    whole = list(feed(samples, **random).steps(0))
    assert len(whole) == RECIPE.steps
    assert all(equal(whole[step], batch(feed(samples, **random), step)) for step in (0, 4, 19))
    assert not equal(whole[0], batch(feed(samples, seed=8, **random)))
    assert not equal(whole[0], batch(feed(samples, stage=1, **random)))


def test_held_out_images_are_never_drawn(samples: Samples) -> None:
    asked = feed(samples)
    names = {name for step in range(RECIPE.steps) for name in asked.names(step)}
    assert names == {"scenes/00", "scenes/01", "scenes/02", "scenes/04"}


def test_batch_is_bytes_for_images_and_unit_floats_for_targets(samples: Samples) -> None:
    found = batch(feed(samples))
    assert (found.images.shape, found.images.dtype) == ((3, 3, 40, 40), torch.uint8)
    assert (found.targets.shape, found.targets.dtype) == ((3, 1, 40, 40), torch.float32)
    assert 0 <= float(found.targets.min()) < float(found.targets.max()) == 1
    assert 0 <= float(found.chance.min()) <= float(found.chance.max()) < 1


def test_half_of_the_images_are_flipped_together_with_their_targets(samples: Samples) -> None:
    flips = []
    for step in range(RECIPE.steps):
        plain, found = batch(feed(samples), step), batch(feed(samples, hflip=True), step)
        for index in range(3):
            mirrored = torch.equal(found.images[index], plain.images[index].flip(-1))
            flips.append(mirrored)
            before = plain.targets[index].flip(-1) if mirrored else plain.targets[index]
            assert mirrored or torch.equal(found.images[index], plain.images[index])
            assert torch.equal(found.targets[index], before)
    assert 18 < sum(flips) < 42
    assert len({tuple(flips[at : at + 3]) for at in range(0, 60, 3)}) > 4, "each step draws anew"


def test_other_samples_targets_come_by_step_and_seed_from_the_training_images_alone(samples: Samples) -> None:
    asked = feed(samples)
    asked.others = 2
    learnt = {samples[i][3].tobytes() for i in (0, 1, 2, 4)}
    for step in range(RECIPE.steps):
        found, plain = batch(asked, step), batch(feed(samples), step)
        assert found.others.shape == (3, 2, 40, 40)
        assert {(other * 255).byte().numpy().tobytes() for other in found.others.flatten(0, 1)} <= learnt
        assert torch.equal(found.others, batch(asked, step).others)
        assert equal(found._replace(others=plain.others), plain), "all else is as without them"
    assert not torch.equal(batch(asked, 0).others, batch(asked, 1).others)
    assert plain.others.shape == (3, 0, 40, 40)
    part = feed(samples, team=replace(CPU, rank=1, world=2))
    part.others = 2
    assert torch.equal(batch(part, 3).others, batch(asked, 3).others[1::2])


def test_a_crop_is_resized_back_and_keeps_targets_on_their_images(samples: Samples) -> None:
    raw = feed(samples).raw(2)
    twin = raw._replace(planes=raw.planes[:, :1].expand(-1, 4, -1, -1))  # the target equals the image's every plane
    found = augmented(twin, 0.5, crisp=False)
    assert found.images.shape[-2:] == found.targets.shape[-2:] == (40, 40)
    assert torch.equal((found.targets[:, 0] * 255).round().to(torch.uint8), found.images[:, 0])
    assert not torch.equal(found.images, augmented(twin, 1.0, crisp=False).images)
    assert augmented(raw._replace(planes=raw.planes[:, :3]), 0.5, crisp=True).targets.shape == (3, 0, 40, 40)


def test_a_crop_reaches_every_border_and_no_farther(samples: Samples) -> None:
    ramp = torch.arange(40, dtype=torch.uint8)[:, None].expand(40, 40)
    raw = feed(samples).raw(0)._replace(planes=torch.stack([ramp, ramp.T, ramp, ramp])[None].expand(3, -1, -1, -1))
    corners = torch.tensor([[0.0, 0.0], [1 - 1e-9, 1 - 1e-9], [0.5, 0.5]], dtype=torch.float64)
    images = augmented(raw._replace(corners=corners), 0.5, crisp=False).images
    assert [(int(i[0].min()), int(i[0].max())) for i in images] == [(0, 19), (20, 39), (10, 29)]
    assert [(int(i[1].min()), int(i[1].max())) for i in images] == [(0, 19), (20, 39), (10, 29)]


def test_crisp_targets_stay_binary_under_crops(samples: Samples) -> None:
    raw = feed(samples).raw(0)
    binary = raw._replace(planes=(raw.planes > 127).to(torch.uint8) * 255)
    assert set(augmented(binary, 0.6, crisp=True).targets.unique().tolist()) == {0.0, 1.0}
    assert len(augmented(binary, 0.6, crisp=False).targets.unique()) > 2


def test_processes_share_each_batch_and_draw_what_one_would(samples: Samples) -> None:
    random = {"hflip": True, "crop": 0.7}
    whole = batch(feed(samples, **random), 5)
    for rank in range(2):
        asked = feed(samples, team=Team(CPU.device, rank, 2), **random)
        assert equal(batch(asked, 5), Batch(*(tensor[rank::2] for tensor in whole)))
        assert asked.names(5) == feed(samples, **random).names(5)[rank::2]


def test_noise_is_drawn_for_each_image_alone(samples: Samples) -> None:
    found = batch(feed(samples))
    noise = found.noise(4, 5)
    assert noise.shape == (3, 4, 5)
    assert len(noise.unique()) == 60 and noise.min() >= 0 and noise.max() < 1
    part = Batch(*(tensor[1:2] for tensor in found))
    torch.rand(3)
    assert torch.equal(part.noise(4, 5), noise[1:2])


def test_held_out_images_are_shown_plain_and_the_same_each_time(samples: Samples) -> None:
    asked = feed(samples, hflip=True, crop=0.5)
    first, second = list(asked.held_out()), list(asked.held_out())
    assert len(first) == 1 and equal(first[0], second[0])
    assert np.array_equal(first[0].images[0].numpy(), samples[3][:3])
    shares = [list(feed(samples, team=Team(CPU.device, rank, 2)).held_out()) for rank in range(2)]
    assert [len(share) for share in shares] == [1, 0]


def test_prefetched_items_keep_their_order_and_are_made_ahead() -> None:
    made = []

    def slow() -> object:
        for number in range(6):
            made.append(number)
            yield number

    items = prefetched(slow(), 2)
    assert next(items) == 0
    time.sleep(0.1)
    assert len(made) >= 3
    assert list(items) == [1, 2, 3, 4, 5]


def test_prefetching_raises_what_its_thread_raised_and_ends_when_it_is_left() -> None:
    def broken() -> object:
        yield 1
        raise ValueError("damaged")

    items = prefetched(broken(), 2)
    assert next(items) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(items)
    left = prefetched(iter(range(1000)), 2)
    next(left)
    left.close()
    assert "prefetch" not in {thread.name for thread in threading.enumerate()}
