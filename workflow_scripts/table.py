"""Adapter of rule table: one table as CSV, Markdown and LaTeX."""

from pathlib import Path
from typing import Any

from adapter import run_job
from sodlift.tables.of_run import run_info
from sodlift.tables.significance import read_significance
from sodlift.tables.spec import load_tables
from sodlift.tables.summary import read_counts, read_summary
from sodlift.tables.table import make_table, write_table
from whole_run import run_of


def main(snakemake: Any) -> None:
    """Set the run's scores against the printed ones, as the table's row in config/tables.yaml says."""
    config, run = Path(snakemake.scriptdir).parent / "config", run_of(snakemake)
    spec = load_tables(config / "tables.yaml", config / "paper_values")[snakemake.wildcards.table]
    summary, counts = read_summary(snakemake.input.summary), read_counts(snakemake.input.counts)
    significance = read_significance(snakemake.input.significance)
    table = make_table(spec, summary, run_info(run), run.labels, counts, significance)
    write_table(table, Path(snakemake.output.csv).parent)


run_job(main, globals())
