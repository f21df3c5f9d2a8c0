"""MIRM, the mutual-information refinement of "Learning Deep Relations to Promote Saliency Detection" (AAAI 2020)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodlift.refiners._base import Refiner, RefinerType
from sodlift.refiners.mirm.options import MirmOptions

if TYPE_CHECKING:
    from sodlift.training.job import TrainingJob


def _load(options: Any, weights: Path | None, device: str) -> Refiner:
    from sodlift.refiners.mirm.refine import load  # noqa: PLC0415 - torch is slow to import

    return load(options, weights, device)


def _train(options: Any, job: "TrainingJob") -> None:
    from sodlift.refiners.mirm.train import train  # noqa: PLC0415 - torch is slow to import

    train(options, job)


REFINER = RefinerType(
    title="MIRM",
    source="Chen et al., AAAI 2020",
    learns_from="priors",
    deep=True,
    options=MirmOptions,
    load=_load,
    train=_train,
)
