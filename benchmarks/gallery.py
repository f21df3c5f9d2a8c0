"""Images of a run to look at: ``benchmarks/gallery.py CONFIG DATASET REFINER OUT.png --detectors A B --stems 1 2``.

One row an image: the image, its ground truth, and each detector's prior map beside the refined one.
"""

import argparse
from pathlib import Path

from sodlift.arrays import read_image, read_mask
from sodlift.config.load import load_run
from sodlift.config.run import Run
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.errors import DataError
from sodlift.mapset import MapSet
from sodlift.plots.gallery import GalleryRow, gallery, save_gallery

REPOSITORY = Path(__file__).resolve().parents[1]


def row(run: Run, dataset: str, refiner: str, detectors: list[str], entry: Entry) -> GalleryRow:
    """Return the row of one image; raises DataError if it has no mask, MapError if a map is missing."""
    if entry.mask is None:
        raise DataError(f"image '{entry.stem}' has no mask", where=dataset)
    maps = [MapSet(run.results / "priors" / dataset / name).read(entry.stem) for name in detectors]
    refined = [MapSet(run.results / "refined" / dataset / name / refiner).read(entry.stem) for name in detectors]
    pairs = [panel for pair in zip(maps, refined, strict=True) for panel in pair]
    return GalleryRow(entry.stem, (read_image(entry.image), read_mask(entry.mask), *pairs))


def main() -> None:
    """Compose the sheet of the stems and detectors named on the command line."""
    parser = argparse.ArgumentParser(description="Compose a sheet of images, priors and refined maps.")
    parser.add_argument("config", type=Path)
    parser.add_argument("dataset")
    parser.add_argument("refiner")
    parser.add_argument("output", type=Path)
    parser.add_argument("--detectors", nargs="+", required=True)
    parser.add_argument("--stems", nargs="+", required=True)
    arguments = parser.parse_args()
    run = load_run(arguments.config)
    manifest = Manifest.load(run.results / "datasets" / arguments.dataset / "manifest.csv")
    entries = {entry.stem: entry for entry in manifest.entries}
    rows = [row(run, arguments.dataset, arguments.refiner, arguments.detectors, entries[s]) for s in arguments.stems]
    titles = [run.detector(name).title for name in arguments.detectors]
    columns = ["image", "ground truth", *(name for title in titles for name in (title, f"{title}, refined"))]
    save_gallery(gallery(rows, columns), arguments.output)


if __name__ == "__main__":
    main()
