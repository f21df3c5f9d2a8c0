"""A2S's first stage, activation to saliency: pseudo labels out of images alone (TCSVT 2023)."""

from typing import TYPE_CHECKING, Any

from sodlift.datasets.manifest import Manifest
from sodlift.detectors._base import DetectorType, Machine
from sodlift.detectors._health import CheckedWriter
from sodlift.detectors._model import model_files, seen_images
from sodlift.detectors.a2s_labels.options import A2sLabelsOptions

if TYPE_CHECKING:
    from sodlift.training.job import TrainingJob


def _run(options: Any, manifest: Manifest, writer: CheckedWriter, machine: Machine) -> None:
    from sodlift.detectors._deep import detect  # noqa: PLC0415 - torch is slow to import
    from sodlift.detectors.a2s_labels.detect import load  # noqa: PLC0415

    detect(load(options, machine.device), manifest, writer, machine)


def _train(options: Any, job: "TrainingJob") -> None:
    from sodlift.detectors.a2s_labels.train import train  # noqa: PLC0415 - torch is slow to import

    train(options, job)


DETECTOR = DetectorType(
    title="A2S, stage 1: pseudo labels without supervision",
    options=A2sLabelsOptions,
    run=_run,
    files=model_files,
    seen=seen_images,
    train=_train,
    divisible=True,
    learns_from="images",
    deep=True,
)
"""Pseudo labels of a network that has seen images and no label."""
