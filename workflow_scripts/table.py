"""Adapter of rule table: one table as CSV, Markdown and LaTeX."""

from pathlib import Path
from typing import Any

from adapter import run_job
from sodlift.tables.of_run import run_info
from sodlift.tables.spec import load_tables
from sodlift.tables.summary import read_counts, read_summary
from sodlift.tables.table import make_table, write_table
from whole_run import run_of


def main(snakemake: Any) -> None:
    """Set the run's scores against the printed ones, as the table's row in config/tables.yaml says."""
    config, run = Path(snakemake.scriptdir).parent / "config", run_of(snakemake)
    spec = load_tables(config / "tables.yaml", config / "paper_values")[snakemake.wildcards.table]
    scores = read_summary(snakemake.input.summary), read_counts(snakemake.input.counts)
    table = make_table(spec, scores[0], run_info(run, config / "protocols"), run.labels, scores[1])
    write_table(table, Path(snakemake.output.csv).parent)


run_job(main, globals())
