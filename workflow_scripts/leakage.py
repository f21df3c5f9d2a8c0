"""Adapter of rule leakage: what the data sets of a run share, and whether a refiner is tested on what it has seen."""

from typing import Any

from adapter import run_job
from sodlift.atomic import atomic_file
from sodlift.datasets.leakage import Trained, leakage_report
from sodlift.datasets.manifest import Manifest


def main(snakemake: Any) -> None:
    """Compare all images; write the pairs, and the report in both its forms. Errors in it are for others to raise."""
    manifests = [Manifest.load(path) for path in snakemake.input.manifests]
    pairs, report = leakage_report(
        {manifest.dataset: manifest for manifest in manifests},
        {name: Trained(**sets) for name, sets in snakemake.params.trained.items()},
        snakemake.params.known,
        workers=snakemake.threads,
        progress=True,
    )
    with atomic_file(snakemake.output.csv) as part:
        pairs.to_csv(part, index=False, float_format="%.4f", lineterminator="\n")
    report.save(snakemake.output.json, snakemake.output.markdown)


run_job(main, globals())
