"""``sodlift data``: what data sets, maps and weights are here, where they come from, fetched and checked."""

import argparse
from pathlib import Path

from sodlift.cli._base import Command

_ACTIONS = {
    "status": "show what is in place, how the rest comes, and what it is checked against",
    "get": "fetch what is not in place: download it or take it from the manual drop, unpack, check, pin",
    "verify": "check what is in place: files against published and pinned checksums, folders against their receipts",
    "where": "print the folder or file of each item, or say where what is missing belongs",
}
_NAMES = "such as ECSSD, datasets/ECSSD, maps/DSS, DSS/ECSSD, weights/vgg16"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    for action, text in _ACTIONS.items():
        own = actions.add_parser(action, help=text, description=text)
        own.add_argument("names", metavar="NAME", nargs="*", help=f"{_NAMES}; none: all that is registered or needed")
        own.add_argument(
            "--configfile", metavar="FILE.yaml", type=Path,
            help="a run's configuration: its folders and registry files, and, without names, what it needs",
        )  # fmt: skip
        own.add_argument(
            "--data-root", metavar="DIR", type=Path, help="root of the data (default: $SODLIFT_DATA, data)"
        )
        own.add_argument("--resources", metavar="DIR", type=Path, help="folder of downloads (default: resources)")
        own.add_argument("--offline", action="store_true", help="never use the network")
        if action == "status":
            own.add_argument("--json", action="store_true", help="one JSON list, in place of a table")
        own.add_argument("--quiet", action="store_true", help="no progress bars")


def _run(arguments: argparse.Namespace) -> None:
    from sodlift.cli._data import data  # noqa: PLC0415 - slow to import, and not needed for help

    data(arguments)


COMMAND = Command("data sets, saliency maps and weights: status, get, verify, where", _add_arguments, _run)
