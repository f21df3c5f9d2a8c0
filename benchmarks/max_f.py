"""The three numbers that papers call max F, for all maps at hand: ``python benchmarks/max_f.py``.

Reads masks and detectors' maps from ``SODLIFT_DATA`` (``<data set>/masks``, ``maps/<data set>/<detector>``), maps also
from further folders of such data sets (``--maps results/ecssd_priors/priors``), and prints Markdown: the maximum of the
mean F curve, the maximal F of the mean precision-recall curve, the mean of the images' own maxima, and the two rules
without a choice of threshold beside them. ``--transforms`` adds the same of maps that were changed without looking at
anything but themselves.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sodlift.arrays import FloatMap, minmax, read_map, write_map
from sodlift.evaluation.cell import Method
from sodlift.evaluation.folders import Paired, list_files, pair_folders
from sodlift.evaluation.protocols import load_protocol
from sodlift.evaluation.run import evaluate_methods

COLUMNS = ("maxF", "maxF_PR", "maxF_image", "adpF", "meanF")
PROTOCOLS = {"PASCAL-S-108": "pysod_gt127"}
"""Of data sets with graded masks; ``pysod`` for all others."""

TRANSFORMS: dict[str, Callable[[FloatMap], FloatMap]] = {
    "square root": np.sqrt,
    "cut at its adaptive threshold": lambda x: (x >= min(2 * float(x.mean()), 1)).astype(np.float32),
}
"""Of stretched maps in [0, 1]."""


def transformed(paired: Paired, transform: Callable[[FloatMap], FloatMap], folder: Path) -> list[Method]:
    """Write the changed maps of every method below a folder."""
    methods = []
    for name, maps in paired.maps.items():
        (folder / name).mkdir(parents=True)
        for entry in paired.data.entries:
            write_map(folder / name / f"{entry.stem}.png", transform(minmax(read_map(maps.path(entry.stem)))))
        methods.append(Method(name, list_files(str(folder / name), "maps")))
    return methods


def show(dataset: str, paired: Paired, methods: list[Method], suffix: str = "") -> None:
    """Print a row for each method."""
    protocol = load_protocol(PROTOCOLS.get(dataset, "pysod"))
    for name, cell in evaluate_methods(paired.data, methods, [protocol]).items():
        values = [cell.value(metric, protocol.name) or 0.0 for metric in COLUMNS]
        spread = max(values[:3]) - min(values[:3])
        print(f"| {dataset} | {name}{suffix} | {' | '.join(f'{value:.4f}' for value in values)} | {spread:.4f} |")


def main() -> None:
    """Print a row for each detector of each data set."""
    parser = argparse.ArgumentParser(description="Three definitions of max F.")
    parser.add_argument("datasets", nargs="*", default=["ECSSD", "PASCAL-S-108"])
    parser.add_argument("--maps", type=Path, nargs="*", default=[], help="further folders <data set>/<detector>")
    parser.add_argument("--transforms", action="store_true", help="also of maps that were changed")
    arguments, data = parser.parse_args(), Path(os.environ["SODLIFT_DATA"])
    print(f"| data set | maps | {' | '.join(COLUMNS)} | largest less smallest max F |\n|---|---|{'---:|' * 6}")
    for dataset in arguments.datasets:
        roots = [root / dataset for root in (*arguments.maps, data / "maps") if (root / dataset).is_dir()]
        folders = {folder.name: str(folder) for root in roots for folder in sorted(root.iterdir())}
        paired = pair_folders(str(data / dataset / "masks"), folders)
        show(dataset, paired, [Method(name, maps) for name, maps in paired.maps.items()])
        for title, transform in TRANSFORMS.items() if arguments.transforms else ():
            with tempfile.TemporaryDirectory() as folder:
                show(dataset, paired, transformed(paired, transform, Path(folder)), f", {title}")


if __name__ == "__main__":
    main()
