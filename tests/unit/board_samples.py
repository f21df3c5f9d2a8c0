"""What TensorBoard's own reader finds in a folder."""

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return (step, value) of every curve."""
    board = EventAccumulator(str(folder), size_guidance={SCALARS: 0}).Reload()  # 0: all of them
    return {tag: [(event.step, event.value) for event in board.Scalars(tag)] for tag in board.Tags()["scalars"]}
