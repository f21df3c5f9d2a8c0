"""MIRM fitted to each image alone, as in Table 3 of "Learning Deep Relations to Promote Saliency Detection"."""

from pathlib import Path
from typing import Any

from sodlift.refiners._base import Refiner, RefinerType
from sodlift.refiners.mirm_image.options import MirmImageOptions


def _load(options: Any, weights: Path | None, device: str) -> Refiner:
    from sodlift.refiners.mirm_image.refine import load  # noqa: PLC0415 - torch is slow to import

    return load(options, device)


REFINER = RefinerType(
    title="MIRM, per image",
    source="Chen et al., AAAI 2020",
    learns_from=None,
    deep=True,
    options=MirmImageOptions,
    load=_load,
)
