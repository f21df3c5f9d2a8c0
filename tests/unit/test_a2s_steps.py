"""What `a2s_fig9_epochs` rests on: trainings of a few lengths tell the course of one."""

from pathlib import Path

from a2s_samples import options, train
from training_samples import prepared

from sodlift.detectors.a2s_labels.options import A2sLabelsOptions


def losses(folder: Path, steps: int) -> list[str]:
    """Train for so many steps at a constant rate; return the loss of each."""
    recipe = {"steps": steps, "schedule": "constant"}
    train(folder, options(folder, A2sLabelsOptions, recipe), f"m{steps}")
    return [row.split(",")[1] for row in (folder / f"m{steps}.csv").read_text().splitlines()[1:]]


def test_a_short_training_at_a_constant_rate_is_the_beginning_of_a_longer_one(tmp_path: Path) -> None:
    folder = prepared(tmp_path, 4)
    short, longer = losses(folder, 3), losses(folder, 7)
    assert len(set(longer)) == 7
    assert longer[:3] == short
