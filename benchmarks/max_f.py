"""The three numbers that papers call max F, for all maps at hand: ``python benchmarks/max_f.py``.

Reads masks and detectors' maps from ``SODLIFT_DATA`` (``<data set>/masks``, ``maps/<data set>/<detector>``), maps also
from further folders of such data sets (``--maps results/ecssd_priors/priors``), and prints Markdown: the maximum of the
mean F curve, the maximal F of the mean precision-recall curve, the mean of the images' own maxima, and the two rules
without a choice of threshold beside them.
"""

import argparse
import os
from pathlib import Path

from sodlift.evaluation.cell import Method
from sodlift.evaluation.folders import pair_folders
from sodlift.evaluation.protocols import load_protocol
from sodlift.evaluation.run import evaluate_methods

COLUMNS = ("maxF", "maxF_PR", "maxF_image", "adpF", "meanF")
PROTOCOLS = {"PASCAL-S-108": "pysod_gt127"}
"""Of data sets with graded masks; ``pysod`` for all others."""


def main() -> None:
    """Print a row for each detector of each data set."""
    parser = argparse.ArgumentParser(description="Three definitions of max F.")
    parser.add_argument("datasets", nargs="*", default=["ECSSD", "PASCAL-S-108"])
    parser.add_argument("--maps", type=Path, nargs="*", default=[], help="further folders <data set>/<detector>")
    arguments, data = parser.parse_args(), Path(os.environ["SODLIFT_DATA"])
    print(f"| data set | maps | {' | '.join(COLUMNS)} | largest less smallest max F |\n|---|---|{'---:|' * 6}")
    for dataset in arguments.datasets:
        roots = [root / dataset for root in (*arguments.maps, data / "maps") if (root / dataset).is_dir()]
        folders = {folder.name: str(folder) for root in roots for folder in sorted(root.iterdir())}
        paired = pair_folders(str(data / dataset / "masks"), folders)
        protocol = load_protocol(PROTOCOLS.get(dataset, "pysod"))
        methods = [Method(name, maps) for name, maps in paired.maps.items()]
        for name, cell in evaluate_methods(paired.data, methods, [protocol]).items():
            values = [cell.value(metric, protocol.name) or 0.0 for metric in COLUMNS]
            spread = max(values[:3]) - min(values[:3])
            print(f"| {dataset} | {name} | {' | '.join(f'{value:.4f}' for value in values)} | {spread:.4f} |")


if __name__ == "__main__":
    main()
