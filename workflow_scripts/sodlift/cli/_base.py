"""What a command of the command line is."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One command. Its module imports what is slow to import when the command runs, so that help comes at once.

    Attributes
    ----------
    help : str
        What it does, in one line.
    add_arguments : callable
        ``add_arguments(parser)`` declares its arguments.
    run : callable
        ``run(arguments)`` does its work; a ``SodliftError`` is shown as its message alone.
    """

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]
