"""Adapter of rule pool: what is known of each image of a pool by itself."""

from pathlib import Path
from typing import Any

from adapter import options_of, run_job
from sodlift.datasets.manifest import Manifest
from sodlift.pools import POOLS


def main(snakemake: Any) -> None:
    """Write the pool of the data sets' images."""
    kind = POOLS.get(snakemake.params.row["type"])
    manifests = [Manifest.load(file) for file in snakemake.input.manifests]
    kind.build(options_of(kind, snakemake), manifests, Path(snakemake.output.pool), snakemake.threads)


run_job(main, globals())
