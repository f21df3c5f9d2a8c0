"""``sodlift prior``: computes the maps of traditional priors for images of one's own."""

import argparse
from pathlib import Path

from sodlift.cli._base import Command
from sodlift.cli._workers import add_workers
from sodlift.problems import one_of

_PRIORS = Path(__file__).resolve().parents[1] / "priors"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    names = sorted(file.stem for file in _PRIORS.glob("[!_]*.py"))
    parser.add_argument("images", metavar="IMAGE", nargs="+", type=Path, help="image files, or folders of them")
    parser.add_argument("--method", nargs="+", action="extend", required=True, metavar="NAME", help=one_of(names))
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder of the maps, one PNG of 8 bits an image; with several methods, a folder of each in it",
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="parameters that differ from the method's own; METHOD.NAME=VALUE for one of several methods",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace maps that are there")
    add_workers(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _run(arguments: argparse.Namespace) -> None:
    from sodlift.cli._prior import compute_priors  # noqa: PLC0415 - slow to import, and not needed for help

    compute_priors(arguments)


COMMAND = Command("compute the maps of traditional saliency methods", _add_arguments, _run)
