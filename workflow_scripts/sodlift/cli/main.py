"""``sodlift <command> ...``: reads the arguments, runs the command, and turns how it ended into an exit status.

The arguments are read by argparse, which of all such libraries starts fastest: it is there already.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from sodlift import __version__
from sodlift.cli import COMMANDS
from sodlift.errors import SodliftError

WRONG_INPUT = 2
"""Exit status for what the reader can mend: wrong arguments, as argparse has it, and every ``SodliftError``."""

INTERRUPTED = 130
BROKEN_PIPE = 141
"""Exit statuses of a program that SIGINT or SIGPIPE ended, as shells report them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; the process's own by default.

    Raises
    ------
    SystemExit
        Where the arguments are wrong (status 2) or ask for help (0).
    """
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except SodliftError as error:
        print(f"sodlift {arguments.command}: {error}", file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # the reader, such as `head`, has gone: nothing more can be written, not even when the process ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return 0


def _parser() -> argparse.ArgumentParser:
    what = "Score saliency maps; compare scores; compute priors; train, run, export detectors and refiners; fetch data."
    parser = argparse.ArgumentParser(prog="sodlift", description=what)
    parser.add_argument("--version", action="version", version=f"sodlift {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name in COMMANDS.names():
        command = COMMANDS.get(name)
        own = commands.add_parser(name, help=command.help, description=command.help)
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser
