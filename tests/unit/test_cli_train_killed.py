"""``sodlift train`` in processes of its own, killed at any moment: the same command ends as an undisturbed one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mirm_samples
import pytest
import torch
from board_samples import scalars
from training_samples import apart, prepared, same

from sodlift.cli.main import main
from sodlift.training.log import read_log

STEPS = 32
RECIPE = (f"recipe.steps={STEPS}", "recipe.batch=2", "recipe.checkpoint_seconds=0.05", "train_size=64")
STATUS = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 143}


def command(folder: Path, name: str = "m", backbone: str = "efficientnet_lite0", recipe: Any = RECIPE) -> list[str]:
    data = ["--images", folder / "data" / "images", "--priors", folder / "data" / "priors"]
    files = ["-o", folder / f"{name}.pt", "--tensorboard", folder / f"{name}_board"]
    fixed = ["--refiner", "mirm", "--backbone", backbone, "--device", "cpu", "--workers", 1]
    return [str(text) for text in ["train", *fixed, *data, *files, "--set", *recipe]]


def run(arguments: list[str], errors: Path) -> None:
    sys.stderr = errors.open("w", buffering=1)  # open to the very end
    sys.exit(main(arguments))


def ended(process: Any, errors: Path) -> tuple[int, str]:
    process.join(300)
    return process.exitcode, errors.read_text()


def rows(folder: Path) -> int:
    log = folder / "m.pt.checkpoint.csv"
    return log.read_text().count("\n") - 1 if log.exists() else 0


def saved(folder: Path) -> int:
    """When the last checkpoint was saved."""
    file = folder / "m.pt.checkpoint"
    return file.stat().st_mtime_ns if file.exists() else 0


def interrupted(folder: Path, at: int, pause: float, how: signal.Signals) -> tuple[int, str]:
    """Run the command; ``pause`` seconds after it has saved and logged ``at`` rows, send a signal."""
    before, process = saved(folder), apart(run, command(folder), folder / "errors")
    deadline = time.monotonic() + 200
    while (saved(folder) == before or rows(folder) < at) and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(pause)  # into a step or a checkpoint
    os.kill(process.pid, how)
    return ended(process, folder / "errors")


def numbers(log: Path) -> dict[str, list[tuple[int, float]]]:
    return {key: column for key, column in read_log(log).items() if key != "images_per_s"}


def test_four_kills_at_random_moments_change_neither_weights_nor_curves(tmp_path: Path, repository: Path) -> None:
    folder, chance = prepared(tmp_path, 4), random.Random(6)
    others = {path.name for path in folder.iterdir()}
    status, errors = ended(apart(run, command(folder, "undisturbed"), folder / "errors"), folder / "errors")
    assert status == 0, errors

    signals = chance.sample([signal.SIGKILL] * 3 + [signal.SIGTERM], 4)
    for at, how in zip(sorted(chance.sample(range(2, STEPS - 20), 4)), signals, strict=True):
        status, errors = interrupted(folder, at, chance.uniform(0, 0.06), how)
        assert status == STATUS[how], errors
        assert not (folder / "m.pt").exists()
        if how == signal.SIGTERM:
            done = torch.load(folder / "m.pt.checkpoint", weights_only=True)["step"]
            assert done == rows(folder) and f"ended by SIGTERM after {done} steps" in errors

    library = {"PYTHONPATH": str(repository / "workflow_scripts"), "OMP_NUM_THREADS": "1"}
    last = subprocess.run(
        [sys.executable, "-m", "sodlift", *command(folder)],
        check=False,
        env={**os.environ, **library},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert last.returncode == 0 and "going on at step" in last.stderr, last.stderr
    models = [torch.load(folder / f"{name}.pt", weights_only=True)["state"] for name in ("m", "undisturbed")]
    assert same(*models)
    assert numbers(folder / "m.csv") == numbers(folder / "undisturbed.csv")
    for key, column in read_log(folder / "m.csv").items():
        assert [step for step, _ in scalars(folder / "m_board").get(key, [])] == [step for step, _ in column], key
    assert numbers_of_board(folder / "m_board") == numbers_of_board(folder / "undisturbed_board")
    results = {f"{name}{end}" for name in ("m", "undisturbed") for end in (".pt", ".csv", ".json", ".png", "_board")}
    assert {path.name for path in folder.iterdir()} == others | results | {"errors"}, "nothing half-written is left"


def numbers_of_board(folder: Path) -> dict[str, list[tuple[int, float]]]:
    return {key: curve for key, curve in scalars(folder).items() if key != "images_per_s"}


class Killed(BaseException):
    """Stands for SIGKILL, in this process."""


def killed(*_: object) -> None:
    raise Killed


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command for a training of three steps, which keeps no checkpoint."""
    folder = prepared(tmp_path, 3)
    monkeypatch.setattr("sodlift.training.pretrained.BACKBONES", mirm_samples.TinyRegistry)
    recipe = ("recipe.steps=3", "recipe.batch=2", "train_size=64", f"weights_file={folder / 'tiny.pth'}")
    return command(folder, "m", mirm_samples.NAME, recipe)


@pytest.mark.parametrize("then", ["copyfile", "draw_curves", "write_report", "Checkpoint.remove"])
def test_a_kill_amid_the_last_files_leaves_the_same_command_its_right(
    tmp_path: Path, tiny: list[str], monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(f"sodlift.training.train.{then}", killed)
        main(tiny)
    first = torch.load(tmp_path / "m.pt", weights_only=True)["state"]
    (tmp_path / ".m.pt.0123abcd.part.pt").write_bytes(b"half")
    assert main(tiny) == 0
    assert same(first, torch.load(tmp_path / "m.pt", weights_only=True)["state"])
    assert all((tmp_path / f"m.{kind}").is_file() for kind in ("csv", "json", "png"))
    assert not list(tmp_path.glob(".*")) and not list(tmp_path.glob("*checkpoint*")), "what was left is removed"
    assert main(tiny) == 2, "what has ended is not replaced unasked"


def test_a_kill_while_the_decoded_images_are_deleted_harms_no_later_training(
    tmp_path: Path, tiny: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(folder: Path, **_: object) -> None:
        for planes in folder.glob("*/planes.bin"):  # there are none before the training
            planes.unlink()
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("sodlift.training.data.rmtree", half)
        main(tiny)
    assert (tmp_path / "m.pt.checkpoint.cache").is_dir()
    assert main([*tiny, "--overwrite"]) == 0
    assert not (tmp_path / "m.pt.checkpoint.cache").exists()
