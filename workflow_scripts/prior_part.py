"""Adapter of rule prior_part: the prior maps of one detector on a part of one data set."""

from typing import Any

from adapter import made_options_of, run_job
from sodlift.datasets.manifest import Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors._base import Machine


def main(snakemake: Any) -> None:
    """Compute the maps of every so many-th image into a map set; the reports on them are made from all parts."""
    detector, manifest = DETECTORS.get(snakemake.params.row["type"]), Manifest.load(snakemake.input.manifest)
    part, parts = map(int, snakemake.wildcards.scatteritem.split("-of-"))
    name, options = snakemake.params.row["id"], made_options_of(detector, snakemake)
    machine = Machine(snakemake.threads, **snakemake.params.machine)
    detector.make(name, options, manifest.part(part, parts), snakemake.output.maps, machine)


run_job(main, globals())
