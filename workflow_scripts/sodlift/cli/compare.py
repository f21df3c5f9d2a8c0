"""``sodlift compare``: refined maps against their prior, image by image."""

import argparse
from pathlib import Path

from sodlift.cli._base import Command
from sodlift.statistics import LEVEL, RESAMPLES, SEED


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = "per-image scores: FILE.csv of `sodlift evaluate --per-image`, or a cell's FILE.parquet"
    several = "FILE:NAME takes one method or protocol of several"
    parser.add_argument("prior", metavar="PRIOR", help=f"{kinds}; {several}")
    parser.add_argument("refined", metavar="REFINED", nargs="+", help="the same of refined maps")
    parser.add_argument(
        "--metric", action="append", help="column to compare, given once for each (default: all shared)"
    )
    parser.add_argument("--level", type=float, default=LEVEL, help="coverage of the intervals (%(default)s)")
    parser.add_argument("--resamples", type=int, default=RESAMPLES, help="of the bootstrap (%(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the bootstrap (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the comparisons at full precision")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="the same as a table")


def _run(arguments: argparse.Namespace) -> None:
    from sodlift.cli._compare import run  # noqa: PLC0415 - pandas and SciPy are slow to import

    run(arguments)


COMMAND = Command("compare per-image scores of refined maps with those of their prior", _add_arguments, _run)
