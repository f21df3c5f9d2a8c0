"""Adapter of rule prior: the prior maps of one detector on one data set."""

from typing import Any

from adapter import options_of, run_job
from sodlift.datasets.manifest import Manifest
from sodlift.detectors import DETECTORS
from sodlift.mapset import new_mapset


def main(snakemake: Any) -> None:
    """Compute the maps, or take them from their folder, into a map set."""
    detector = DETECTORS.get(snakemake.params.row["type"])
    manifest = Manifest.load(snakemake.input.manifest)
    with new_mapset(snakemake.output.maps) as writer:
        detector.run(options_of(detector, snakemake), manifest, writer, snakemake.threads)


run_job(main, globals())
