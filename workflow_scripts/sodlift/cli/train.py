"""``sodlift train``: trains a refiner or a deep detector on images of one's own."""

import argparse
from pathlib import Path

from sodlift.cli._base import Command
from sodlift.cli._device import add_device
from sodlift.cli._settings import add_settings
from sodlift.cli._workers import add_workers


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    learners = parser.add_mutually_exclusive_group(required=True)
    learners.add_argument(
        "--refiner", metavar="NAME", help="mirm (learns from priors), lps (from masks) or mijr (from both)"
    )
    learners.add_argument(
        "--detector",
        metavar="NAME",
        help="arn (learns from masks), a2s_labels (from images alone) or a2s (from priors)",
    )
    parser.add_argument("--images", metavar="DIR", type=Path, required=True, help="folder of images")
    parser.add_argument("--priors", metavar="DIR", type=Path, help="folder of their prior maps, or a pattern")
    parser.add_argument("--masks", metavar="DIR", type=Path, help="folder of their ground truths")
    parser.add_argument(
        "--backbone", metavar="NAME", required=True, help="mobilenet_v2, efficientnet_lite0, vgg16, ..."
    )
    parser.add_argument("--entry", metavar="NAME", help="weights entry of the backbone (default: its first)")
    parser.add_argument(
        "--weights", metavar="FILE", type=Path, help="file of that entry (default: its package or download)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="model file to write")
    add_settings(parser, "options of what is trained, such as preset=paper, recipe.steps=500 or recipe.batch=4")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default: 0)")
    add_device(parser)
    add_workers(parser)
    parser.add_argument("--tensorboard", metavar="DIR", type=Path, help="write TensorBoard's files there, too")
    parser.add_argument("--overwrite", action="store_true", help="replace a model that is there")


def _run(arguments: argparse.Namespace) -> None:
    from sodlift.cli._train import train  # noqa: PLC0415 - slow to import, and not needed for help

    train(arguments)


COMMAND = Command("train a refiner or a deep detector on images of one's own", _add_arguments, _run)
