"""``sodlift export``: a trained model as an ONNX file."""

import argparse
from pathlib import Path

from sodlift.cli._base import Command
from sodlift.cli._settings import add_settings


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="FILE", type=Path, required=True, help="model file")
    parser.add_argument("--onnx", metavar="FILE", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--size", type=int, help="side of images and priors (default: the model's own, or 256)")
    add_settings(
        parser, "options of the refiner that differ from the model's own, such as theta_fg=0.8 or iterations=3"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there")


def _run(arguments: argparse.Namespace) -> None:
    from sodlift.cli._export import export  # noqa: PLC0415 - slow to import, and not needed for help

    export(arguments)


COMMAND = Command("write a trained model as an ONNX file", _add_arguments, _run)
