"""A training in a process of its own, killed at random steps and started again, ends as an undisturbed one."""

import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from training_samples import job, prepared, same, start, train

from sodlift.datasets.manifest import Manifest
from sodlift.mapset import MapSet
from sodlift.training.checkpoint import Checkpoint, random_state, restore_random_state
from sodlift.training.errors import TrainingError
from sodlift.training.recipe import Recipe

STEPS = 60
RECIPE = {
    "checkpoint_seconds": 0.0,
    "steps": STEPS,
    "batch": 2,
    "head_lr": 0.05,
    "backbone_lr": 0.01,
    "hflip": True,
    "crop": 0.9,
}


def steps_done(folder: Path) -> int:
    log = job(folder).running_log
    return log.read_text().count("\n") - 1 if log.exists() else 0


def end(process: Any, folder: Path) -> tuple[int, str]:
    """Wait for a training; return its status and standard error."""
    process.join(60)
    return process.exitcode, (folder / "errors_0").read_text()


def kill_at(folder: Path, step: int, how: signal.Signals, **recipe: object) -> tuple[int, str]:
    """Start the training, send a signal when the log has ``step`` rows, and return status and standard error."""
    process = start(folder, {**RECIPE, **recipe})
    deadline = time.monotonic() + 60
    while steps_done(folder) < step and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process.pid, how)
    return end(process, folder)


def first_columns(log: Path) -> list[list[str]]:
    return [line.split(",")[:3] for line in log.read_text().splitlines()]


def test_three_kills_at_random_steps_change_no_bit(tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    undisturbed = train(folder, replace(Recipe(), **RECIPE), "undisturbed")
    for step in sorted(random.Random(6).sample(range(5, STEPS - 15), 3)):
        status, errors = kill_at(folder, step, signal.SIGKILL)
        assert status == -signal.SIGKILL, errors
        assert not [name for name in ("m.pt", "m.csv", "m.json") if (folder / name).exists()]
    status, errors = end(start(folder, RECIPE), folder)
    assert status == 0, errors
    assert "going on at step" in errors
    assert "decoding" not in errors, "decoded images of a killed training are used again"
    resumed = torch.load(folder / "m.pt", weights_only=True)
    assert same(resumed["state"], undisturbed["state"])
    assert first_columns(folder / "m.csv") == first_columns(folder / "undisturbed.csv")
    assert not [path.name for path in folder.iterdir() if "ckpt" in path.name]


def test_sigterm_saves_at_once_and_ends_with_its_status(tmp_path: Path) -> None:
    folder, rarely = prepared(tmp_path), {**RECIPE, "checkpoint_seconds": 1e9}
    undisturbed = train(folder, replace(Recipe(), **rarely), "undisturbed")
    status, errors = kill_at(folder, 10, signal.SIGTERM, **rarely)
    assert status == 143, errors
    assert "training ended by SIGTERM after" in errors
    assert "Traceback" not in errors
    done = torch.load(folder / "m.ckpt", weights_only=True)["step"]
    assert 10 <= done == steps_done(folder) < STEPS
    status, errors = end(start(folder, rarely), folder)
    assert (status, f"going on at step {done}" in errors) == (0, True), errors
    assert same(torch.load(folder / "m.pt", weights_only=True)["state"], undisturbed["state"])


class Killed(BaseException):
    """Stands for SIGKILL, in this process."""


def test_a_kill_in_a_later_stage_goes_on_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, recipe = prepared(tmp_path), Recipe(steps=5, batch=2, head_lr=0.05, checkpoint_seconds=0)
    undisturbed = train(folder, recipe, "undisturbed", stages=2)

    def killing(checkpoint: Checkpoint, state: dict[str, object]) -> None:
        save(checkpoint, state)
        if (state["stage"], state["step"]) == (1, 3):
            raise Killed

    save = Checkpoint.save
    monkeypatch.setattr(Checkpoint, "save", killing)
    with pytest.raises(Killed):
        train(folder, recipe, stages=2)
    monkeypatch.undo()
    assert same(train(folder, recipe, stages=2)["state"], undisturbed["state"])
    assert (folder / "m.csv").read_text().count("\n") == 11


@pytest.mark.parametrize("changes", [{"seed": 2}, {"head_lr": 0.04}, {"fewer": True}])
def test_checkpoint_of_another_training_is_not_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], changes: dict[str, float]
) -> None:
    folder, recipe = prepared(tmp_path), Recipe(steps=4, batch=2, checkpoint_seconds=0)
    seed, fewer = changes.pop("seed", 1), changes.pop("fewer", False)
    other = {"seed": seed, **({"sources": (fewer_images(folder),)} if fewer else {})}
    fresh = train(folder, replace(recipe, **changes), "fresh", **other)
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "remove", lambda self: None)
        train(folder, recipe)
    assert (folder / "m.ckpt").is_file()
    capsys.readouterr()
    assert same(train(folder, replace(recipe, **changes), **other)["state"], fresh["state"])
    assert "m.ckpt belongs to another training" in capsys.readouterr().err


def fewer_images(folder: Path) -> tuple[Manifest, MapSet]:
    manifest, maps = job(folder).sources[0]
    return manifest.part(1, 2), maps


@pytest.mark.parametrize("content", [b"damaged", None])
def test_damaged_checkpoint_is_an_error_that_says_to_delete_it(tmp_path: Path, content: bytes | None) -> None:
    folder = prepared(tmp_path, 2)
    if content is None:
        torch.save([1, 2], folder / "m.ckpt")
    else:
        (folder / "m.ckpt").write_bytes(content)
    with pytest.raises(TrainingError, match=r"m\.ckpt[\s\S]*delete it"):
        train(folder, Recipe(steps=2, batch=1))


def test_random_state_comes_back_through_a_file(tmp_path: Path) -> None:
    torch.save(random_state(), tmp_path / "r.pt")
    first = (random.random(), torch.rand(2).tolist(), np.random.rand())  # noqa: NPY002
    restore_random_state(torch.load(tmp_path / "r.pt", weights_only=True))
    assert first == (random.random(), torch.rand(2).tolist(), np.random.rand())  # noqa: NPY002


def test_what_a_kill_left_of_a_half_written_checkpoint_is_removed(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c.pt", "x")
    checkpoint.save({"step": 1})
    (tmp_path / ".c.pt.0123abcd.part.pt").write_bytes(b"half")
    (tmp_path / "other").write_bytes(b"stays")
    checkpoint.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
