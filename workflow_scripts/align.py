"""Adapter of rule align: the images of a data set beside those of a pool."""

from pathlib import Path
from typing import Any

from adapter import run_job
from sodlift.datasets.manifest import Manifest
from sodlift.pools import POOLS


def main(snakemake: Any) -> None:
    """Write which images of the pool are similar, and how they are linked."""
    kind, manifest = POOLS.get(snakemake.params.row["type"]), Manifest.load(snakemake.input.manifest)
    kind.align(manifest, Path(snakemake.input.pool), Path(snakemake.output.aligned), snakemake.threads)


run_job(main, globals())
