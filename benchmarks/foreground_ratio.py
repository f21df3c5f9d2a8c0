"""How true the labels are that MIRM reads off priors: ``python benchmarks/foreground_ratio.py [DATASET...]``.

Section 5.5 of the paper calls the share of foreground among the pixels with a prior of at least theta_fg the true
foreground ratio, and gives .9003 for SRM on DUTS-TE at 0.9. This prints it in Markdown for all maps at hand, at the
thetas of Table 4; the share of background among the training's negatives; and how many pixels have a label. Shares are
of the pixels of all images together, and for theta 0.9 also the mean over the images that have such pixels.

Reads masks (binarised at > 127) and maps from ``SODLIFT_DATA`` (``<data set>/masks``, ``maps/<data set>/<detector>``),
maps also from further folders of such data sets (``--maps results/ecssd_priors/priors``).
"""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Mask, check_fit, read_map, read_mask, resize
from sodlift.evaluation.folders import Paired, pair_folders

THETAS = (0.9, 0.8, 0.7)
"""Of the certain foreground; 0.8 is also the training's theta_afg."""

NEGATIVE = 0.3
"""The training's theta_abg."""

COLUMNS = (
    *(f">= {theta}" for theta in THETAS),
    f"<= {NEGATIVE} (background)",
    "labelled",
    "mean over images, >= 0.9",
    "images without >= 0.9",
)


def pairs(paired: Paired, detector: str) -> Iterable[tuple[FloatMap, Mask]]:
    """Yield every image's prior, as MIRM sees it at the image's size, with its mask."""
    for entry in paired.data.entries:
        mask = read_mask(entry.mask, "gt127")
        path = paired.maps[detector].path(entry.stem)
        prior = read_map(path)
        size = (mask.shape[0], mask.shape[1])
        check_fit(prior, size, path)
        yield resize(prior, size, "lanczos"), mask


def counts(prior: FloatMap, mask: Mask) -> npt.NDArray[np.int64]:
    """Return how many pixels each theta chooses, the negatives, the pixels; and how many of these are right: (2, 5)."""
    chosen = [prior >= theta for theta in THETAS] + [prior <= NEGATIVE, np.ones_like(mask)]
    right = [part & mask for part in chosen[: len(THETAS)]] + [chosen[-2] & ~mask, mask]
    return np.array([[np.count_nonzero(part) for part in parts] for parts in (chosen, right)])


def row(found: Iterable[tuple[FloatMap, Mask]]) -> str:
    """Return the shares over all images, as the cells of a Markdown row."""
    table = np.stack([counts(prior, mask) for prior, mask in found])  # (images, 2, 5)
    chosen, right = table.sum(axis=0)
    shares = [f"{r / c:.4f}" if c else "none" for c, r in zip(chosen[:-1], right[:-1], strict=True)]
    labelled = (chosen[THETAS.index(0.8)] + chosen[-2]) / chosen[-1]
    certain, true = table[:, 0, 0], table[:, 1, 0]
    have = certain > 0
    mean = f"{(true[have] / certain[have]).mean():.4f}" if have.any() else "none"
    return " | ".join([*shares, f"{labelled:.3f}", mean, str(np.count_nonzero(~have))])


def main() -> None:
    """Print a row for each detector of each data set."""
    parser = argparse.ArgumentParser(description="True foreground ratio of prior maps.")
    parser.add_argument("datasets", nargs="*", default=["ECSSD", "PASCAL-S-108", "SED2"])
    parser.add_argument("--maps", type=Path, nargs="*", default=[], help="further folders <data set>/<detector>")
    arguments, data = parser.parse_args(), Path(os.environ["SODLIFT_DATA"])
    print(f"| data set | maps | {' | '.join(COLUMNS)} |\n|---|---|{'---:|' * len(COLUMNS)}")
    for dataset in arguments.datasets:
        roots = [root / dataset for root in (*arguments.maps, data / "maps") if (root / dataset).is_dir()]
        folders = {folder.name: str(folder) for root in roots for folder in sorted(root.iterdir())}
        paired = pair_folders(str(data / dataset / "masks"), folders)
        for detector in paired.maps:
            print(f"| {dataset} | {detector} | {row(pairs(paired, detector))} |", flush=True)


if __name__ == "__main__":
    main()
