"""``sodlift refine``: refines prior maps of images of one's own by a trained model, or by a method without one."""

import argparse
from pathlib import Path

from sodlift.cli._base import Command
from sodlift.cli._device import add_device, add_precision
from sodlift.cli._settings import add_settings
from sodlift.problems import one_of

_REFINERS = Path(__file__).resolve().parents[1] / "refiners"


def _untrained() -> list[str]:
    """Return the refiners that need no model, by what their files declare: importing them is slow."""
    files = [file for pattern in ("[!_]*.py", "[!_]*/__init__.py") for file in _REFINERS.glob(pattern)]
    found = [file for file in files if "learns_from=None" in file.read_text(encoding="utf-8")]
    return sorted((file.parent if file.stem == "__init__" else file).stem for file in found)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", metavar="FILE", type=Path, help="model file; it knows its refiner and its options")
    which.add_argument("--refiner", metavar="NAME", help=f"a refiner that needs no model; {one_of(_untrained())}")
    parser.add_argument(
        "--pool",
        metavar="DIR",
        type=Path,
        help="folder of the images that a refiner such as mijr compares with (default: the one beside the model file)",
    )
    parser.add_argument("--images", metavar="DIR", type=Path, required=True, help="folder of images, or a pattern")
    parser.add_argument(
        "--priors",
        metavar="DIR",
        nargs="+",
        action="extend",
        type=Path,
        required=True,
        help="folders of prior maps, or patterns such as 'maps/*_DSS.png'; of several, each image is looked at once",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder of the refined maps, one PNG of 8 bits an image; with several folders of priors, a folder of each",
    )
    add_settings(
        parser, "options of the refiner that differ from the model's own, such as theta_fg=0.8 or iterations=3"
    )
    add_device(parser)
    add_precision(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace maps that are there")
    parser.add_argument("--quiet", action="store_true", help="neither progress bar nor counts; warnings remain")


def _run(arguments: argparse.Namespace) -> None:
    from sodlift.cli._refine import refine  # noqa: PLC0415 - slow to import, and not needed for help

    refine(arguments)


COMMAND = Command("refine prior maps by their images", _add_arguments, _run)
