"""What killed writers left is removed: all of one target's, nothing of another's, however long the names are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sodlift.atomic import atomic_file, atomic_folder, sweep

LONG = "a_rather_long_name_of_a_trained_refiner_of_seed_"


def left_of_file(target: Path) -> Path:
    """Write the file, and beside it what a kill leaves of another try."""
    with atomic_file(target) as part:
        part.touch()
    part.write_text("half")
    return part


def left_of_folder(target: Path) -> Path:
    with atomic_folder(target) as part:
        pass
    (part / "deep").mkdir(parents=True)
    (part / "deep" / "a").touch()
    return part


@pytest.mark.parametrize("left", [left_of_file, left_of_folder])
@pytest.mark.parametrize("name", ["m.pt", f"{LONG}1.checkpoint.pt", "[m]*?.pt", "m"])
def test_a_targets_own_remains_go_and_nothing_else(tmp_path: Path, name: str, left: Callable[[Path], Path]) -> None:
    target = tmp_path / name
    others = [left_of_file(tmp_path / other) for other in ("m.csv", "mm.pt", f"{LONG}2.checkpoint.pt")]
    for _ in range(2):
        left(target)
    sweep(target)
    assert target.exists()
    hidden = [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert sorted(hidden) == sorted(others)
