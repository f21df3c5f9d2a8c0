"""ARN, the supervised detector of arXiv 1808.01634: attention and recurrent layers at every scale; re-implemented."""

from typing import TYPE_CHECKING, Any

from sodlift.datasets.manifest import Manifest
from sodlift.detectors._base import DetectorType, Machine
from sodlift.detectors._health import CheckedWriter
from sodlift.detectors._model import model_files, seen_images
from sodlift.detectors.arn.options import ArnOptions

if TYPE_CHECKING:
    from sodlift.training.job import TrainingJob


def _run(options: Any, manifest: Manifest, writer: CheckedWriter, machine: Machine) -> None:
    from sodlift.detectors._deep import detect  # noqa: PLC0415 - torch is slow to import
    from sodlift.detectors.arn.detect import load  # noqa: PLC0415

    detect(load(options, machine.device), manifest, writer, machine)


def _train(options: Any, job: "TrainingJob") -> None:
    from sodlift.detectors.arn.train import train  # noqa: PLC0415 - torch is slow to import

    train(options, job)


DETECTOR = DetectorType(
    title="ARN, trained on masks (re-implementation)",
    options=ArnOptions,
    run=_run,
    files=model_files,
    seen=seen_images,
    learns_from="masks",
    divisible=True,
    deep=True,
    train=_train,
)
