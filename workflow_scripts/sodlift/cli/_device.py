"""The options ``--device`` and ``--precision``: where a network runs, and in which arithmetic."""

import argparse


def add_device(parser: argparse.ArgumentParser) -> None:
    """Declare ``--device NAME``, a GPU by default where there is one."""
    parser.add_argument(
        "--device", default="auto", help="cpu, cuda, cuda:N, or auto (default): a GPU where there is one"
    )


def add_precision(parser: argparse.ArgumentParser) -> None:
    """Declare ``--precision NAME``, float32 by default."""
    parser.add_argument(
        "--precision", choices=("float32", "bfloat16"), default="float32", help="a network's arithmetic"
    )
