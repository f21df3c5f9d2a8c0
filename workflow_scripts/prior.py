"""Adapter of rule prior: the prior maps of one detector on one data set, and their health report."""

from typing import Any

from adapter import options_of, run_job
from sodlift.datasets.manifest import Manifest
from sodlift.detectors import DETECTORS


def main(snakemake: Any) -> None:
    """Compute the maps, or take them from their folder, into a map set; write health.json and health.md."""
    row, output = snakemake.params.row, snakemake.output
    detector, manifest = DETECTORS.get(row["type"]), Manifest.load(snakemake.input.manifest)
    report = detector.make(row["id"], options_of(detector, snakemake), manifest, output.maps, snakemake.threads)
    report.save(output.health_json, output.health_md)


run_job(main, globals())
