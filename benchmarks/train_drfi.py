"""Train DRFI on data sets' manifests: ``python benchmarks/train_drfi.py MANIFEST.csv ... -o drfi.npz``.

The manifests are those that the workflow's datasets stage writes (``results/<run>/datasets/<data set>/manifest.csv``).
Never train on images that are to be tested on.
"""

import argparse
from pathlib import Path

from sodlift.datasets.manifest import Manifest
from sodlift.priors._drfi_training import TrainingParams, train_drfi


def main() -> None:
    """Train and write the model."""
    defaults = TrainingParams()
    parser = argparse.ArgumentParser(description="Train the forest of DRFI.")
    parser.add_argument("manifests", nargs="+", type=Path, help="manifest.csv of a data set with masks")
    parser.add_argument("-o", "--output", type=Path, required=True, help="model file, .npz")
    parser.add_argument("--trees", type=int, default=defaults.trees)
    parser.add_argument("--drawn", type=int, default=defaults.drawn, help="regions drawn for each tree")
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    training = TrainingParams(trees=arguments.trees, drawn=arguments.drawn, seed=arguments.seed)
    manifests = [Manifest.load(path) for path in arguments.manifests]
    model = train_drfi(manifests, training=training, workers=arguments.workers)
    model.save(arguments.output)
    print(f"{arguments.output}: {model.record['images']} images, {model.record['regions']} regions")


if __name__ == "__main__":
    main()
