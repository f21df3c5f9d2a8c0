"""The figure of a training: loss and learning rate by step, and the score on held-out images where there are any."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from sodlift.atomic import atomic_file
from sodlift.training.log import read_log

WINDOW = 50
"""Steps that the smoothed loss is a mean over; a tenth of the steps where they are fewer than 500."""


def draw_curves(log: Path, target: Path) -> None:
    """Draw the CSV log of a training as ``target``, a PNG: same log, same bytes."""
    with mpl.rc_context():
        mpl.rcdefaults()  # whatever the user's own settings
        figure = _figure(read_log(log))
        with atomic_file(target) as part:
            figure.savefig(part, format="png", metadata={"Software": None})


def _figure(columns: dict[str, list[tuple[int, float]]]) -> Figure:
    figure = Figure(figsize=(6.4, 4.4), dpi=150, layout="constrained")
    losses, rates = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    steps, values = (np.array(column) for column in zip(*columns["loss"], strict=True))
    window = min(WINDOW, len(values) // 10)
    if window > 1:
        losses.plot(steps, values, color="#BBBBBB", linewidth=0.6, label="loss")
        smooth = np.convolve(values, np.full(window, 1 / window), mode="valid")
        losses.plot(steps[window - 1 :], smooth, color="#0077BB", label=f"mean of {window} steps")
    else:
        losses.plot(steps, values, "o-", color="#0077BB", markersize=3, label="loss")
    if columns["validation"]:
        losses.plot(*zip(*columns["validation"], strict=True), "o-", color="#EE7733", markersize=3, label="held out")
    losses.set_ylabel("loss")
    losses.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, fontsize=8)
    rates.plot(*zip(*columns["lr"], strict=True), color="#009988")
    rates.set(xlabel="step", ylabel="learning rate", ylim=(0, None))
    for axes in (losses, rates):
        axes.grid(color="#DDDDDD", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    return figure
