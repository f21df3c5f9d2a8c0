"""TensorBoard's files, written and read by the real package: the numbers of the CSV log, each step once."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from board_samples import scalars
from training_samples import job, prepared, train

from sodlift.errors import ConfigError, MissingDependencyError
from sodlift.training.log import read_log, step_log
from sodlift.training.recipe import Recipe

RECIPE = Recipe(steps=6, batch=2, head_lr=0.05, validation=0.3, validate_every=2)


def write(folder: Path, steps: range, start: int = 0, scale: float = 1.0) -> None:
    with step_log(folder / "log.csv", start, folder / "board") as row:
        for step in steps:
            row(step, values(step, scale))


def values(step: int, scale: float = 1.0) -> Mapping[str, float]:
    return {"loss": scale / (step + 1), "lr": 1e-3, **({"validation": scale} if step % 2 else {})}


def test_a_training_tells_tensorboard_what_its_log_holds(tmp_path: Path) -> None:
    folder = prepared(tmp_path, 8)
    train(folder, RECIPE, tensorboard=tmp_path / "board")
    log = read_log(job(folder).log)
    found = scalars(tmp_path / "board")
    assert found.keys() == log.keys() == {"loss", "lr", "images_per_s", "validation"}
    for key, rows in log.items():
        assert [step for step, _ in found[key]] == [step for step, _ in rows]
        digits = 0.005 if key == "images_per_s" else 1e-6  # as the log rounds
        assert [v for _, v in found[key]] == pytest.approx([v for _, v in rows], abs=digits, rel=1e-5), key
    assert len(log["loss"]) == 6 and [step for step, _ in log["validation"]] == [1, 3, 5]


def test_the_files_change_no_weight_and_stay_away_unasked(tmp_path: Path) -> None:
    folder, recipe = prepared(tmp_path, 4), replace(RECIPE, validation=0.0)
    before = {path.name for path in folder.iterdir()}
    train(folder, recipe)
    assert {path.suffix for path in folder.iterdir() if path.name not in before} == {".pt", ".csv", ".json", ".png"}


def test_every_row_is_on_disk_at_once_as_in_the_log(tmp_path: Path) -> None:
    """A kill may come at any time, and rows before the checkpoint are not computed again."""
    with step_log(tmp_path / "log.csv", 0, tmp_path / "board") as row:
        for step in range(25):
            row(step, values(step))
            assert scalars(tmp_path / "board")["loss"][-1][0] == read_log(tmp_path / "log.csv")["loss"][-1][0] == step


def test_a_resumed_training_shows_each_step_once_as_it_was_computed_last(tmp_path: Path) -> None:
    write(tmp_path, range(6), scale=1)
    write(tmp_path, range(4, 9), start=4, scale=2)
    expected = [(step, (1 if step < 4 else 2) / (step + 1)) for step in range(9)]
    found = scalars(tmp_path / "board")
    assert found["loss"] == [(step, pytest.approx(value)) for step, value in expected]
    assert found["validation"] == [(1, 1), (3, 1), (5, 2), (7, 2)]


def test_a_file_that_a_kill_cut_short_is_read_up_to_there(tmp_path: Path) -> None:
    write(tmp_path, range(6))
    (file,) = (tmp_path / "board").iterdir()
    file.write_bytes(file.read_bytes()[:-7])  # amid the last value of step 5
    write(tmp_path, range(5, 8), start=5)
    assert [step for step, _ in scalars(tmp_path / "board")["loss"]] == list(range(8))


def test_a_new_training_in_the_same_folder_replaces_the_curves(tmp_path: Path) -> None:
    write(tmp_path, range(6))
    write(tmp_path, range(3), scale=3)
    assert scalars(tmp_path / "board")["validation"] == [(1, 3)]


def test_without_the_package_it_is_an_error_with_its_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingDependencyError, match=r"tensorboard is not installed[\s\S]*'sodlift\[tensorboard\]'"):
        write(tmp_path, range(1))
    assert not (tmp_path / "log.csv").exists()


def test_a_file_in_the_folders_place_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "board").touch()
    with pytest.raises(ConfigError, match=r"cannot be written[\s\S]*board[\s\S]*name a folder"):
        write(tmp_path, range(1))
