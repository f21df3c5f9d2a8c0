"""Adaptive F and MAE of priors on the complete ECSSD: ``python benchmarks/priors_ecssd.py [prior ...]``.

Reads the data from ``SODLIFT_DATA`` and prints one row for each prior and protocol: ``ldps_all`` (map / 255, any mask
value above 0 is foreground) and ``pysod_gt127`` (maps stretched to [0, 1], mask above 127).
"""

import argparse
import os
import tempfile
from dataclasses import fields
from pathlib import Path

from PIL import Image

from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors._base import Machine
from sodlift.detectors.prior import PriorOptions
from sodlift.evaluation.protocols import load_protocol
from sodlift.evaluation.run import evaluate_maps
from sodlift.mapset import MapSet
from sodlift.priors import PRIORS

REPOSITORY = Path(__file__).resolve().parents[1]
PROTOCOLS = ("ldps_all", "pysod_gt127")


def ecssd() -> Manifest:
    """Return the manifest of ECSSD, without digests: nothing here compares files."""
    folder = Path(os.environ["SODLIFT_DATA"]) / "ECSSD"
    entries = []
    for image in sorted((folder / "images").glob("*.jpg")):
        with Image.open(image) as handle:
            width, height = handle.size
        entries.append(Entry(image.stem, image, folder / "masks" / f"{image.stem}.png", height, width, ""))
    return Manifest("ECSSD", tuple(entries))


def main() -> None:
    """Score the priors named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Score priors on ECSSD.")
    untrained = [n for n in PRIORS.names() if "model" not in {f.name for f in fields(PRIORS.get(n).params)}]
    parser.add_argument("priors", nargs="*", default=untrained, metavar="prior")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    manifest = ecssd()
    protocols = [load_protocol(name) for name in PROTOCOLS]
    for name in arguments.priors:
        with tempfile.TemporaryDirectory() as folder:
            maps = Path(folder) / name
            DETECTORS.get("prior").make(name, PriorOptions(name), manifest, maps, Machine(arguments.workers))
            scores = evaluate_maps(manifest, MapSet(maps), None, protocols, "prior").scores
        found = {(score.protocol, score.metric): score.value for score in scores}
        for protocol in PROTOCOLS:
            print(f"{name:8s} {protocol:12s} adpF {found[protocol, 'adpF']:.4f}  MAE {found[protocol, 'MAE']:.4f}")


if __name__ == "__main__":
    main()
