"""Adapter of rule evaluate_cell: the scores of one cell under every protocol of the run."""

from pathlib import Path
from typing import Any

from adapter import run_job
from sodlift.datasets.manifest import Manifest
from sodlift.evaluation.protocols import load_protocol
from sodlift.evaluation.run import evaluate_maps
from sodlift.mapset import MapSet


def main(snakemake: Any) -> None:
    """Score the cell's maps; write per_image.parquet, curves.npz and scores.json."""
    scores = evaluate_maps(
        data=Manifest.load(snakemake.input.manifest),
        maps=MapSet(snakemake.input.maps),
        prior=MapSet(snakemake.input.priors),
        protocols=[load_protocol(name) for name in snakemake.params.protocols],
        role="prior" if snakemake.input.maps == snakemake.input.priors else "refined",
        extra=snakemake.params.extra_metrics,
        workers=snakemake.threads,
        progress=True,
    )
    scores.save(Path(snakemake.output.scores).parent)


run_job(main, globals())
