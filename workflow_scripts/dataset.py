"""Adapter of rule dataset: one data set's manifest and health report."""

from typing import Any

from adapter import options_of, run_job
from sodlift.config.data_root import resolve_data_root
from sodlift.datasets.sources import SOURCES
from sodlift.datasets.subset import Subset
from sodlift.datasets.validate import build_manifest
from sodlift.options import build
from sodlift.progress import track


def main(snakemake: Any) -> None:
    """Find and read the files; write manifest.csv, health.json and health.md."""
    row, params, source = snakemake.params.row, snakemake.params, SOURCES.get(snakemake.params.row["type"])
    manifest, health = build_manifest(
        name=row["id"],
        source=source,
        options=options_of(source, snakemake),
        root=resolve_data_root(snakemake.config),
        expected=params.expected,
        subset=build(Subset, params.subset) if params.subset else None,
        progress=lambda pairs: track(pairs, f"dataset {row['id']}"),
    )
    manifest.save(snakemake.output.manifest)
    health.save(snakemake.output.health_json, snakemake.output.health_md)


run_job(main, globals())
