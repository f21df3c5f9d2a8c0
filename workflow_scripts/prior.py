"""Adapter of rule prior: the prior maps of one detector on one data set, and their health report."""

from typing import Any

from adapter import made_options_of, run_job
from sodlift.datasets.manifest import Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors._base import Machine


def main(snakemake: Any) -> None:
    """Compute the maps, or take them from their folder or their parts, into a map set; write health.json and .md."""
    params, output = snakemake.params, snakemake.output
    name, detector = params.row["id"], DETECTORS.get(params.row["type"])
    manifest, machine = Manifest.load(snakemake.input.manifest), Machine(snakemake.threads, **params.machine)
    options, parts = made_options_of(detector, snakemake), snakemake.input.get("parts")
    if parts:
        report = detector.join(name, options, manifest, output.maps, parts)
    else:
        report = detector.make(name, options, manifest, output.maps, machine)
    report.save(output.health_json, output.health_md)


run_job(main, globals())
