"""Adapter of rule prior: the prior maps of one detector on one data set, and their health report."""

from typing import Any

from adapter import made_options_of, run_job
from sodlift.datasets.manifest import Manifest
from sodlift.detectors import DETECTORS


def main(snakemake: Any) -> None:
    """Compute the maps, or take them from their folder or their parts, into a map set; write health.json and .md."""
    name, kind, output = snakemake.params.row["id"], snakemake.params.row["type"], snakemake.output
    detector, manifest = DETECTORS.get(kind), Manifest.load(snakemake.input.manifest)
    options, parts = made_options_of(detector, snakemake), snakemake.input.get("parts")
    if parts:
        report = detector.join(name, options, manifest, output.maps, parts)
    else:
        report = detector.make(name, options, manifest, output.maps, snakemake.threads)
    report.save(output.health_json, output.health_md)


run_job(main, globals())
