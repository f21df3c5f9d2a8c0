"""A2S's second stage: a detector that learns from pseudo labels and rectifies them (TCSVT 2023)."""

from typing import TYPE_CHECKING, Any

from sodlift.detectors._model import deep_detector
from sodlift.detectors.a2s.options import A2sOptions

if TYPE_CHECKING:
    from sodlift.detectors._deep import DeepDetector
    from sodlift.training.job import TrainingJob


def _load(options: Any, device: str) -> "DeepDetector":
    from sodlift.detectors.a2s.detect import load  # noqa: PLC0415 - torch is slow to import

    return load(options, device)


def _train(options: Any, job: "TrainingJob") -> None:
    from sodlift.detectors.a2s.train import train  # noqa: PLC0415 - torch is slow to import

    train(options, job)


DETECTOR = deep_detector("A2S, stage 2: detector trained on pseudo labels", A2sOptions, _load, _train, "priors")
"""Maps of a network that has learnt from the maps of the first stage, or of any other detector."""
