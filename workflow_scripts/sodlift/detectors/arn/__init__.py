"""ARN, the supervised detector of arXiv 1808.01634: attention and recurrent layers at every scale; re-implemented."""

from typing import TYPE_CHECKING, Any

from sodlift.detectors._model import deep_detector
from sodlift.detectors.arn.options import ArnOptions

if TYPE_CHECKING:
    from sodlift.detectors._deep import DeepDetector
    from sodlift.training.job import TrainingJob


def _load(options: Any, device: str) -> "DeepDetector":
    from sodlift.detectors.arn.detect import load  # noqa: PLC0415 - torch is slow to import

    return load(options, device)


def _train(options: Any, job: "TrainingJob") -> None:
    from sodlift.detectors.arn.train import train  # noqa: PLC0415 - torch is slow to import

    train(options, job)


DETECTOR = deep_detector("ARN, trained on masks (re-implementation)", ArnOptions, _load, _train, "masks")
"""Maps of a network that has learnt from masks."""
