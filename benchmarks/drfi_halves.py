"""DRFI trained on half of ECSSD, scored on the other half and on SED2: ``python benchmarks/drfi_halves.py``.

Reads the data from ``SODLIFT_DATA``. Trains on the images with even numbers, or takes a ``--model`` trained on them,
and prints the scores of the odd ones beside those of the DRFI maps at hand (``maps/ECSSD/DRFI``), and the correlation
with these maps.
"""

import argparse
import os
import tempfile
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from sodlift.arrays import read_map, resize
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors._base import Machine
from sodlift.detectors.prior import PriorOptions
from sodlift.evaluation.protocols import load_protocol
from sodlift.evaluation.run import evaluate_maps
from sodlift.mapset import MapSet, new_mapset
from sodlift.priors._drfi_training import train_drfi

PROTOCOLS = ("ldps_all", "pysod_gt127")
METRICS = ("adpF", "maxF", "maxF_PR", "MAE")


def part(dataset: str, first: int = 0, step: int = 1) -> Manifest:
    """Return the manifest of every ``step``-th image of a data set, from the ``first`` one."""
    folder = Path(os.environ["SODLIFT_DATA"]) / dataset
    entries = []
    for image in sorted((folder / "images").iterdir())[first::step]:
        mask = folder / "masks" / f"{image.stem}.png"
        with Image.open(image) as handle:
            width, height = handle.size
        digests = [sha256(file.read_bytes()).hexdigest() for file in (image, mask)]
        entries.append(Entry(image.stem, image, mask, height, width, *digests))
    return Manifest(dataset, tuple(entries))


def show(what: str, manifest: Manifest, maps: MapSet) -> None:
    """Print the scores of a folder of maps."""
    protocols = [load_protocol(name) for name in PROTOCOLS]
    cell = evaluate_maps(manifest, maps, None, protocols, "prior")
    for protocol in PROTOCOLS:
        scores = {s.metric: s.value for s in cell.scores if s.protocol == protocol}
        print(f"{what:18s} {protocol:12s}", *(f"{name} {scores[name]:.4f}" for name in METRICS))


def main() -> None:
    """Train unless a model is given, and score."""
    parser = argparse.ArgumentParser(description="Train DRFI on half of ECSSD and score it on the rest.")
    parser.add_argument("--model", type=Path, help="trained on the even half before; else it is trained now")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    given = Path(os.environ["SODLIFT_DATA"]) / "maps" / "ECSSD" / "DRFI"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = arguments.model or folder / "drfi.npz"
        if arguments.model is None:
            # stems are 0001 to 1000, so that the second image is the first even one
            train_drfi([part("ECSSD", 1, 2)], workers=arguments.workers).save(model)
        options = PriorOptions("drfi", {"model": str(model)})
        for manifest in (part("ECSSD", 0, 2), part("SED2")):
            DETECTORS.get("prior").make(
                "drfi", options, manifest, folder / manifest.dataset, Machine(arguments.workers)
            )
            show(f"ours, {manifest.dataset}", manifest, MapSet(folder / manifest.dataset))
        odd, correlations = part("ECSSD", 0, 2), []
        with new_mapset(folder / "given") as writer:
            for entry in odd.entries:
                theirs = resize(read_map(next(given.glob(f"{entry.stem}.*"))), (entry.height, entry.width))
                writer.add(entry.stem, theirs)
                ours = read_map(folder / "ECSSD" / f"{entry.stem}.png")
                correlations.append(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])
        show("given maps, ECSSD", odd, MapSet(folder / "given"))
        print(f"correlation with the given maps: mean {np.mean(correlations):.3f} median {np.median(correlations):.3f}")


if __name__ == "__main__":
    main()
