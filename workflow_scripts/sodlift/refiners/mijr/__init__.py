"""MIJR: joint re-learning from similar images (TMM 2020)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodlift.refiners._base import Refiner, RefinerType
from sodlift.refiners.mijr.options import MijrOptions

if TYPE_CHECKING:
    from sodlift.training.job import TrainingJob


def _load(options: Any, weights: Path | None, device: str) -> Refiner:
    from sodlift.refiners.mijr.refine import load  # noqa: PLC0415 - torch is slow to import

    return load(options, weights, device)


def _train(options: Any, job: "TrainingJob") -> None:
    from sodlift.refiners.mijr.train import train  # noqa: PLC0415 - torch is slow to import

    train(options, job)


REFINER = RefinerType(
    title="MIJR",
    source="TMM 2020",
    learns_from="both",
    deep=True,
    options=MijrOptions,
    load=_load,
    train=_train,
    pooled=True,
)
