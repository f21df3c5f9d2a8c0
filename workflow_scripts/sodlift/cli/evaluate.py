"""``sodlift evaluate``: scores folders of maps against a folder of ground truths, under named protocols."""

import argparse
import json
from pathlib import Path
from typing import Any

from sodlift.cli._base import Command
from sodlift.cli._workers import add_workers
from sodlift.problems import one_of

_SHIPPED = Path(__file__).resolve().parents[1] / "shipped"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    choices = json.loads((_SHIPPED / "schemas" / "protocol.schema.json").read_text(encoding="utf-8"))["properties"]
    names = sorted(file.stem for file in (_SHIPPED / "protocols").glob("*.yaml"))

    def several(flag: str, metavar: str, text: str, **others: Any) -> None:
        parser.add_argument(flag, metavar=metavar, nargs="+", action="extend", help=text, **others)

    several("--pred", "[NAME=]DIR", "folders of maps, or patterns such as 'DSS=maps/*_DSS.png'", required=True)
    parser.add_argument("--gt", metavar="DIR", required=True, help="folder of ground truths, or a pattern")
    several("--protocol", "NAME", f"protocols, or YAML files of your own (default: pysod); {one_of(names)}")
    several("--extra", "METRIC", "metrics beyond the usual ones: boundary_iou, hce")

    files = parser.add_argument_group("files to write, whole or not at all; one that is there is replaced")
    files.add_argument("--per-image", metavar="FILE.csv", type=Path, help="scores of each image, unrounded")
    files.add_argument("--json", metavar="FILE", type=Path, help="scores over all images, unrounded, and the counts")
    files.add_argument("--curves", metavar="FILE.npz", type=Path, help="mean curves, one value a threshold")

    changes = parser.add_argument_group("changes to each protocol, printed behind its name")
    changes.add_argument(
        "--norm", metavar="NORM", help=f"how maps are normalised; {one_of(choices['prior_norm']['enum'])}"
    )
    changes.add_argument(
        "--gt-rule", metavar="RULE", help=f"how ground truths become binary; {one_of(choices['gt_rule']['enum'])}"
    )
    changes.add_argument(
        "--empty-gt", metavar="RULE", help=f"empty ground truths; {one_of(choices['empty_gt']['enum'])}"
    )
    changes.add_argument("--strict", action="store_true", help="S is NaN where PySODMetrics has it so")
    changes.add_argument(
        "--allow-missing", action="store_true", help="leave out, and count, missing maps and maps of no ground truth"
    )

    more = parser.add_argument_group("for some protocols only")
    more.add_argument(
        "--role", choices=("prior", "refined"), default="prior", help="what the maps are (default: prior)"
    )
    more.add_argument("--prior", metavar="DIR", help="prior maps behind refined ones, by which images are dropped")
    more.add_argument("--images", metavar="DIR", help="images, at whose size maps are scored")

    add_workers(parser)
    parser.add_argument("--quiet", action="store_true", help="neither progress bar nor tables; warnings remain")


def _run(arguments: argparse.Namespace) -> None:
    from sodlift.cli._evaluate import evaluate  # noqa: PLC0415 - slow to import, and not needed for help

    evaluate(arguments)


COMMAND = Command("score folders of maps against a folder of ground truths", _add_arguments, _run)
