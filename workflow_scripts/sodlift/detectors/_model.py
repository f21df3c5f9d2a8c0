"""What every deep detector is: its options, its model file, its type. Torch is imported when a network is run or read.

A new one writes its own options, a network, ``load`` and ``train``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from sodlift.datasets.manifest import Manifest
from sodlift.detectors._base import DetectorType, Machine, ModelOptions, model_files
from sodlift.detectors._health import CheckedWriter
from sodlift.errors import WeightsError
from sodlift.training.options import NetworkOptions

if TYPE_CHECKING:
    from sodlift.detectors._deep import DeepDetector
    from sodlift.training.job import TrainingJob


@dataclass(frozen=True)
class DeepOptions(NetworkOptions):
    """Options of a deep detector, whose class adds its own.

    Attributes
    ----------
    model : Path or None
        A trained model file; None where the run trains one.
    """

    model: Path | None = None

    @property
    def trained(self) -> bool:
        """That a detector with these options has to be trained."""
        return True

    def with_model(self, file: Path) -> Self:
        """Return the options with another file of the trained model."""
        return replace(self, model=file)


def seen_images(options: ModelOptions) -> frozenset[str]:
    """Return the SHA-256 of every image that a model learnt from or was chosen by.

    Raises
    ------
    WeightsError
        If no file is named, it is missing or broken, or it is no model file.
    """
    from sodlift.backbones._state import read_state  # noqa: PLC0415 - torch is slow to import
    from sodlift.training.model_file import FORMAT  # noqa: PLC0415

    if options.model is None:
        raise WeightsError("a deep detector needs a trained model file", mend="train it first, or name its file")
    content = read_state(options.model)
    if content.get("format") != FORMAT:
        raise WeightsError(
            "not a model file of this version of sodlift", where=options.model, mend="train the model again"
        )
    return frozenset(image for _, _, _, image, _, part in content["images"] if part != "skipped")


def deep_detector(
    title: str,
    options: type[DeepOptions],
    load: "Callable[[Any, str], DeepDetector]",
    train: "Callable[[Any, TrainingJob], None]",
    learns_from: Literal["images", "priors", "masks"],
) -> DetectorType:
    """Return the type of a detector that trains a network and runs it; the parameters are ``DetectorType``'s."""

    def run(given: Any, manifest: Manifest, writer: CheckedWriter, machine: Machine) -> None:
        from sodlift.detectors._deep import detect  # noqa: PLC0415 - torch is slow to import

        detect(load(given, machine.device), manifest, writer, machine)

    return DetectorType(
        title, options, run, model_files, seen_images, divisible=True, learns_from=learns_from, train=train, load=load
    )
