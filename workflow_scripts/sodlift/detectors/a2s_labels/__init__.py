"""A2S's first stage, activation to saliency: pseudo labels out of images alone (TCSVT 2023)."""

from typing import TYPE_CHECKING, Any

from sodlift.detectors._model import deep_detector
from sodlift.detectors.a2s_labels.options import A2sLabelsOptions

if TYPE_CHECKING:
    from sodlift.detectors._deep import DeepDetector
    from sodlift.training.job import TrainingJob


def _load(options: Any, device: str) -> "DeepDetector":
    from sodlift.detectors.a2s_labels.detect import load  # noqa: PLC0415 - torch is slow to import

    return load(options, device)


def _train(options: Any, job: "TrainingJob") -> None:
    from sodlift.detectors.a2s_labels.train import train  # noqa: PLC0415 - torch is slow to import

    train(options, job)


DETECTOR = deep_detector("A2S, stage 1: pseudo labels without supervision", A2sLabelsOptions, _load, _train, "images")
"""Pseudo labels of a network that has seen images and no label."""
