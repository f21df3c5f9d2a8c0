"""The memory of labels that change: flips, 8 bits, kills, parts of a batch, processes."""

import os
import random
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import a2s_samples
import numpy as np
import pytest
import torch
import training_samples
from a2s_samples import labelled, options, train
from training_samples import CPU, Fed, apart, job, prepared, same

from sodlift.detectors.a2s.options import A2sOptions
from sodlift.errors import ConfigError, DataError
from sodlift.training.checkpoint import Checkpoint
from sodlift.training.data import Samples, items_of, open_samples
from sodlift.training.engine import fit
from sodlift.training.memory import LabelMemory, begin_memory, mirrored
from sodlift.training.recipe import Recipe
from sodlift.training.task import Batch
from sodlift.training.train import _check_memories

SETTINGS = {"steps": 14, "checkpoint_seconds": 0.0, "hflip": True}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    folder = prepared(tmp_path_factory.mktemp("labels"), 4)
    return open_samples(folder / "cache", "k", items_of(job(folder), "priors"), 40, "priors", lambda s, p: "", 1)


def of(chosen: list[int], flips: list[bool], size: int = 40) -> Batch:
    nothing = torch.zeros(len(chosen))
    images = torch.zeros(len(chosen), 3, size, size, dtype=torch.uint8)
    return Batch(images, nothing, nothing, nothing, torch.tensor(chosen), torch.tensor(flips))


def test_memory_begins_with_the_targets_and_mirrors_them_with_their_images(samples: Samples, tmp_path: Path) -> None:
    memory = begin_memory(tmp_path, samples, CPU, None)
    found = memory.labels(of([2, 0], [False, True]))
    assert np.array_equal((found[0, 0] * 255).round().numpy(), samples[2][3])
    assert np.array_equal((found[1, 0] * 255).round().numpy(), samples[0][3][:, ::-1])


def test_what_is_stored_mirrored_is_read_either_way(samples: Samples, tmp_path: Path) -> None:
    memory = begin_memory(tmp_path, samples, CPU, None)
    before = memory.state.clone()
    new = torch.rand(2, 1, 40, 40, generator=torch.Generator().manual_seed(1))
    memory.store(of([3, 1], [True, False]), new)
    rounded = (new * 255).round() / 255
    assert torch.equal(memory.labels(of([3, 1], [True, False])), rounded)
    assert torch.equal(memory.labels(of([1, 3], [True, False])), rounded.flip(0).flip(-1))
    assert torch.equal(memory.state[[0, 2]], before[[0, 2]]), "other samples' labels stay"


def test_every_8_bit_label_is_read_and_stored_unchanged() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    memory, batch = LabelMemory(levels.copy()), of([0], [False], 16)
    memory.store(batch, memory.labels(batch))
    assert np.array_equal(memory.state.numpy(), levels)
    assert torch.equal(
        mirrored(mirrored(memory.state[None], torch.tensor([True])), torch.tensor([True]))[0], memory.state
    )


def test_memory_begins_with_what_a_checkpoint_holds(samples: Samples, tmp_path: Path) -> None:
    state = torch.randint(0, 256, (4, 40, 40), dtype=torch.uint8)
    (tmp_path / "labels.bin").write_bytes(b"what a killed training left")
    assert torch.equal(begin_memory(tmp_path, samples, CPU, state).state, state)


def test_labels_that_cannot_be_kept_are_an_error(samples: Samples, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot keep the labels[\s\S]*labels\.bin"):
        begin_memory(tmp_path / "missing", samples, CPU, None)


@pytest.mark.parametrize(("size", "crop", "where"), [(64, 0.9, r"recipe\.crop"), (None, 1.0, "size")])
def test_crops_and_images_of_their_own_size_are_refused(size: int | None, crop: float, where: str) -> None:
    recipe = Recipe(batch=1, crop=crop)
    task = training_samples.task(training_samples.net(), recipe, remember=lambda batch, logits, done: None)
    with pytest.raises(ConfigError, match=where):
        _check_memories([task], size)
    _check_memories([replace(task, remember=None)], size)


def test_a_batch_in_parts_changes_each_label_once(tmp_path: Path) -> None:
    """Memory runs short once: what the parts answered before is not remembered twice."""
    labels = np.zeros((4, 4, 4), np.uint8)
    calls: list[int] = []

    def loss(module: torch.nn.Module, batch: Batch) -> Any:
        calls.append(len(batch.images))
        if len(calls) == 1:
            raise torch.OutOfMemoryError("out of memory")
        return training_samples.brightness(module, batch)

    def remember(batch: Batch, logits: torch.Tensor, done: float) -> torch.Tensor:
        assert done == 0 and not logits.requires_grad
        return memory.labels(batch._replace(images=batch.images)) + (batch.samples + 1).view(-1, 1, 1, 1) / 255

    class Numbered(Fed):
        def steps(self, start: int) -> Any:
            for batch in super().steps(start):
                yield batch._replace(samples=torch.arange(4), flips=torch.zeros(4, dtype=torch.bool))

    memory, recipe = LabelMemory(labels), Recipe(steps=1, batch=4)
    task = training_samples.task(training_samples.net(), recipe, loss, remember=remember)
    fit(task, Numbered(recipe, 4), training_samples.run(tmp_path, memory=memory))
    assert calls == [4, 2, 2]
    assert [int(label.max()) for label in labels] == [1, 2, 3, 4]
    assert all(label.min() == label.max() for label in labels)


class Killed(BaseException):
    """Stands for SIGKILL, in this process."""


def test_a_kill_changes_neither_weights_nor_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = prepared(tmp_path, 5, labelled)
    chosen = options(folder, A2sOptions, {"steps": 6, "checkpoint_seconds": 0.0})
    undisturbed, labels = train(folder, chosen, "undisturbed")
    save, store, seen = Checkpoint.save, LabelMemory.store, []

    def killing(memory: LabelMemory, batch: Batch, new: torch.Tensor) -> None:
        """Die between the labels of step 5 and the checkpoint after it."""
        store(memory, batch, new)
        seen.append(len(seen))
        if len(seen) == 5:
            raise Killed

    monkeypatch.setattr(LabelMemory, "store", killing)
    with pytest.raises(Killed):
        train(folder, chosen)
    monkeypatch.undo()
    assert Checkpoint.save is save
    assert torch.load(folder / "m.ckpt", weights_only=True)["labels"].shape == (5, 64, 64)
    resumed, found = train(folder, chosen)
    assert same(resumed["state"], undisturbed["state"])
    assert np.array_equal(found, labels)
    assert not [path.name for path in folder.iterdir() if "ckpt" in path.name]


def end(process: Any, folder: Path) -> tuple[int, str]:
    process.join(100)
    return process.exitcode, (folder / "errors_0").read_text()


def rows(folder: Path) -> int:
    log = job(folder).running_log
    return log.read_text().count("\n") - 1 if log.exists() else 0


def test_sigkills_at_random_steps_change_no_bit(tmp_path: Path) -> None:
    folder = prepared(tmp_path, 5, labelled)
    chosen = options(folder, A2sOptions, SETTINGS)
    undisturbed, labels = train(folder, chosen, "undisturbed")
    for step in sorted(random.Random(7).sample(range(2, 10), 2)):
        process = apart(a2s_samples.train_alone, folder, chosen, {})
        deadline = time.monotonic() + 100
        while rows(folder) < step and process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        status, errors = end(process, folder)
        assert status == -signal.SIGKILL, errors
    resumed, found = train(folder, chosen)
    assert same(resumed["state"], undisturbed["state"])
    assert np.array_equal(found, labels)
    assert (labels != 0).any() and ((labels != 0) & (labels != 255)).any(), "labels have changed"


def test_two_processes_change_the_labels_as_one_does(tmp_path: Path) -> None:
    folder = prepared(tmp_path, 4, labelled)
    chosen = options(folder, A2sOptions, {"steps": 4, "hflip": True, "checkpoint_seconds": 0.0})
    alone, _ = train(folder, chosen, "alone")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    places = [{**shared, "RANK": rank, "LOCAL_RANK": rank} for rank in "01"]
    processes = [apart(a2s_samples.train_alone, folder, chosen, place) for place in places]
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0, 0], [
        (folder / f"errors_{rank}").read_text() for rank in range(2)
    ]
    together = torch.load(folder / "m.pt", weights_only=True)["state"]
    assert all(torch.allclose(together[key], weights, atol=1e-4) for key, weights in alone["state"].items())
