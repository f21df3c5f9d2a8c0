"""``sodlift detect``: finds the maps of images of one's own by the trained model of a deep detector."""

import argparse
from pathlib import Path

from sodlift.cli._base import Command
from sodlift.cli._device import add_device, add_precision
from sodlift.cli._settings import add_settings
from sodlift.cli._workers import add_workers


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="FILE", type=Path, required=True, help="model file; it knows its detector and its options"
    )
    parser.add_argument("--images", metavar="DIR", type=Path, required=True, help="folder of images, or a pattern")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, required=True, help="folder of the maps, one PNG of 8 bits an image"
    )
    add_settings(
        parser, "options of the detector that differ from the model's own, such as labels=soft or label_size=320"
    )
    add_device(parser)
    add_precision(parser)
    add_workers(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace maps that are there")
    parser.add_argument("--quiet", action="store_true", help="neither progress bar nor counts; warnings remain")


def _run(arguments: argparse.Namespace) -> None:
    from sodlift.cli._detect import detect_folder  # noqa: PLC0415 - slow to import, and not needed for help

    detect_folder(arguments)


COMMAND = Command("find the maps of images by a trained deep detector", _add_arguments, _run)
