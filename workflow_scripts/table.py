"""Adapter of rule table: one table as CSV, Markdown and LaTeX."""

from pathlib import Path
from typing import Any

from adapter import run_job
from sodlift.tables.kinds import KINDS
from sodlift.tables.spec import load_tables
from sodlift.tables.table import write_table
from whole_run import run_of


def main(snakemake: Any) -> None:
    """Make the table of the run that its row in config/tables.yaml describes."""
    config, run = Path(snakemake.scriptdir).parent / "config", run_of(snakemake)
    spec = load_tables(config / "tables.yaml", config / "paper_values")[snakemake.wildcards.table]
    write_table(KINDS.get(spec.kind).make(spec, run), Path(snakemake.output.csv).parent)


run_job(main, globals())
