"""A2S's second stage: a detector that learns from pseudo labels and rectifies them (TCSVT 2023)."""

from typing import TYPE_CHECKING, Any

from sodlift.datasets.manifest import Manifest
from sodlift.detectors._base import DetectorType, Machine
from sodlift.detectors._health import CheckedWriter
from sodlift.detectors._model import model_files, seen_images
from sodlift.detectors.a2s.options import A2sOptions

if TYPE_CHECKING:
    from sodlift.training.job import TrainingJob


def _run(options: Any, manifest: Manifest, writer: CheckedWriter, machine: Machine) -> None:
    from sodlift.detectors._deep import detect  # noqa: PLC0415 - torch is slow to import
    from sodlift.detectors.a2s.detect import load  # noqa: PLC0415

    detect(load(options, machine.device), manifest, writer, machine)


def _train(options: Any, job: "TrainingJob") -> None:
    from sodlift.detectors.a2s.train import train  # noqa: PLC0415 - torch is slow to import

    train(options, job)


DETECTOR = DetectorType(
    title="A2S, stage 2: detector trained on pseudo labels",
    options=A2sOptions,
    run=_run,
    files=model_files,
    seen=seen_images,
    train=_train,
    learns_from="priors",
    deep=True,
)
"""Maps of a network that has learnt from the maps of the first stage, or of any other detector."""
