"""LPS, the learnt comparison of "Learning to Promote Saliency Detectors" (CVPR 2018)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodlift.refiners._base import Refiner, RefinerType
from sodlift.refiners.lps.options import LpsOptions

if TYPE_CHECKING:
    from sodlift.training.job import TrainingJob


def _load(options: Any, weights: Path | None, device: str) -> Refiner:
    from sodlift.refiners.lps.refine import load  # noqa: PLC0415 - torch is slow to import

    return load(options, weights, device)


def _train(options: Any, job: "TrainingJob") -> None:
    from sodlift.refiners.lps.train import train  # noqa: PLC0415 - torch is slow to import

    train(options, job)


REFINER = RefinerType(
    title="LPS",
    source="Zeng et al., CVPR 2018",
    learns_from="masks",
    deep=True,
    options=LpsOptions,
    load=_load,
    train=_train,
)
