"""The option ``--workers``: how many processes a command may use."""

import argparse
import os


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Declare ``--workers N``, one process a CPU by default."""
    parser.add_argument("--workers", metavar="N", type=_count, default=_cpus(), help="processes (default: one a CPU)")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def _cpus() -> int:
    """Return the number of CPUs that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
