"""What is told early, the log of a training and the figure of its losses."""

import logging
import signal
import threading
from pathlib import Path

import pytest
from PIL import Image

from sodlift.training.curves import draw_curves
from sodlift.training.log import COLUMNS, read_log, step_log
from sodlift.training.watch import Watch, terminable

VALUES = {"loss": 0.5, "lr": 1e-3, "images_per_s": 12.0}


def test_lasting_oddities_are_told_once_and_passing_ones_never(caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch(patience=3)
    with caplog.at_level(logging.WARNING):
        for step, (positives, spread) in enumerate([(0, 1), (0, 1), (5, 1), (0, 0), (0, 0)]):
            watch.see(step, positives, spread)
        assert not caplog.messages
        for step in range(5, 9):
            watch.see(step, 0, 0)
    assert len(caplog.messages) == 2
    assert "no positive pixel in 3 steps in a row, up to step 5" in caplog.messages[0]
    assert "equal answers for all pixels in 3 steps in a row, up to step 5" in caplog.messages[1]


def test_sigterm_is_noted_inside_and_handled_as_before_outside() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with terminable() as terminated:
        assert not terminated.requested
        signal.raise_signal(signal.SIGTERM)
        assert terminated.requested
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_training_in_a_thread_leaves_signals_alone() -> None:
    seen = []

    def work() -> None:
        with terminable() as terminated:
            seen.append((signal.getsignal(signal.SIGTERM), terminated.requested))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(before, False)]


def write(path: Path, steps: range, start: int = 0, **more: object) -> None:
    with step_log(path, start, **more) as row:
        for step in steps:
            row(step, VALUES if step % 2 else {**VALUES, "validation": 0.25})


def test_log_has_a_row_a_step_and_empty_fields_where_nothing_was_measured(tmp_path: Path) -> None:
    write(tmp_path / "log.csv", range(2))
    assert (tmp_path / "log.csv").read_text().splitlines() == [
        ",".join(COLUMNS),
        "0,0.500000,0.001,12.00,0.250000",
        "1,0.500000,0.001,12.00,",
    ]
    assert read_log(tmp_path / "log.csv")["validation"] == [(0, 0.25)]


def test_rows_of_a_killed_run_are_replaced_from_the_checkpoint_on(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    write(log, range(6))
    with log.open("a") as handle:
        handle.write("6,0.5")  # the kill came while this was written
    write(log, range(4, 8), start=4)
    assert [step for step, _ in read_log(log)["loss"]] == list(range(8))
    write(log, range(2))
    assert [step for step, _ in read_log(log)["loss"]] == [0, 1], "a new training starts a new log"


@pytest.mark.parametrize("steps", [1, 2, 600])
def test_curves_are_a_picture_that_the_log_alone_decides(tmp_path: Path, steps: int) -> None:
    write(tmp_path / "log.csv", range(steps))
    for name in "ab":
        draw_curves(tmp_path / "log.csv", tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as picture:
        assert min(picture.size) > 400
        assert len(set(picture.convert("RGB").get_flattened_data())) > 10
