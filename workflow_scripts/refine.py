"""Adapter of rule refine_maps: the maps of one refiner over one detector's priors on one data set."""

import logging
from functools import partial
from typing import Any

from adapter import given_to, options_of, run_job
from sodlift.allocator import keep_freed_memory
from sodlift.datasets.manifest import Manifest
from sodlift.inference.refine import refine_dataset
from sodlift.mapset import MapSet, new_mapset
from sodlift.progress import track
from sodlift.refiners import REFINERS


def main(snakemake: Any) -> None:
    """Load the refiner, with its model where it has one, and refine every prior map."""
    keep_freed_memory()
    kind, params = REFINERS.get(snakemake.params.row["type"]), snakemake.params
    given = (given_to(snakemake, name) for name in ("model", "pool", "aligned"))
    refiner = kind.ready(options_of(kind, snakemake), params.device, *given)
    manifest = Manifest.load(snakemake.input.manifest)
    priors, progress = MapSet(snakemake.input.priors), partial(track, what=f"refine {manifest.dataset}")
    with new_mapset(snakemake.output.maps) as writer:
        summary = refine_dataset(refiner, manifest, priors, writer, progress, params.on_error, params.precision)
    logging.getLogger("sodlift").info("%s", summary)


run_job(main, globals())
