"""DenseCRF as a refiner of saliency maps (Krähenbühl and Koltun, NeurIPS 2011), with the settings that papers use."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np

from sodlift.arrays import FloatMap, Image8
from sodlift.crf import dense, peer
from sodlift.crf.dense import Pairwise
from sodlift.crf.unary import UNARIES
from sodlift.errors import ConfigError, SodliftError
from sodlift.refiners._base import Refined, Refiner, RefinerType

if TYPE_CHECKING:
    import torch

BACKENDS = {"lattice": dense.infer, "pydensecrf": peer.infer}


@dataclass(frozen=True)
class DenseCrfOptions:
    """Options of DenseCRF; defaults are the preset ``dss``.

    Attributes
    ----------
    unary : str
        How the map becomes energies: ``dss``, ``log`` or ``hard`` (see ``sodlift.crf.unary``).
    pairwise : Pairwise
        Kernels and number of updates.
    output : str
        ``soft`` gives the foreground's probability, ``hard`` the more probable label.
    median : int
        Side of the median filter that a hard output is cleaned with; 0 is none, else odd.
    backend : str
        ``lattice`` is our own, on a CPU or a GPU; ``pydensecrf`` the package's, on a CPU alone and two to three times
        slower there. Maps differ by rounding.
    """

    unary: Literal["dss", "log", "hard"] = "dss"
    pairwise: Pairwise = field(default_factory=Pairwise)
    output: Literal["soft", "hard"] = "soft"
    median: int = 0
    backend: Literal["lattice", "pydensecrf"] = "lattice"

    def __post_init__(self) -> None:
        numbers = vars(self.pairwise)
        for key, value in numbers.items():
            if value <= 0:
                raise ConfigError(f"{value!r} is not allowed", where=f"pairwise.{key}", expected="above 0")
        if self.median < 0 or (self.median and self.median % 2 == 0):
            raise ConfigError(f"{self.median!r} is not allowed", where="median", expected="0 or an odd number")

    @classmethod
    def presets(cls) -> "dict[str, DenseCrfOptions]":
        """Return settings by name: DSS and R3Net, DeepUSPS, A2S, A2S's code beside what A2S uses, and MIJR's two.

        MIJR (Sec. IV-A) states the deviations alone; weights, unary and updates are ours (docs/refiners/mijr.md).
        """
        return {
            "dss": cls(),
            "deepusps": cls(
                unary="log",
                pairwise=Pairwise(bilateral_sxy=80, bilateral_srgb=13, bilateral_weight=10, steps=5),
            ),
            "a2s": cls(
                unary="hard",
                pairwise=Pairwise(bilateral_sxy=50, bilateral_srgb=5, bilateral_weight=10, steps=10),
                output="hard",
                median=7,
            ),
            "a2s_soft": cls(
                unary="log",
                pairwise=Pairwise(bilateral_sxy=80, bilateral_srgb=13, bilateral_weight=10, steps=10),
            ),
            "mijr_aggressive": cls(unary="log", pairwise=Pairwise(2, 3, 5, 1, 10, 10), output="hard"),
            "mijr_conservative": cls(unary="log", pairwise=Pairwise(20, 3, 200, 50, 10, 10), output="hard"),
        }


@dataclass(frozen=True)
class DenseCrf:
    """DenseCRF ready to refine on a CPU."""

    options: DenseCrfOptions

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB; no map is refused."""
        infer = BACKENDS[self.options.backend]
        probability = infer(image, UNARIES[self.options.unary](prior), self.options.pairwise)
        return _refined(probability, self.options)


@dataclass(frozen=True)
class BatchedDenseCrf:
    """DenseCRF ready to refine images of any sizes at once, on a GPU for preference."""

    options: DenseCrfOptions
    device: "torch.device"

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB; raises ConfigError."""
        return self._in_memory([image], [prior])[0]

    @property
    def at_once(self) -> int:
        """How many images it best takes at once."""
        from sodlift.training.on_device import batch_on  # noqa: PLC0415 - torch, which the registry does not import

        return batch_on(self.device)

    def refine_many(self, images: Sequence[Image8], priors: Sequence[FloatMap]) -> list[Refined | SodliftError]:
        """Refine each prior by its image, all at once, or halves of them where the device's memory is too small.

        An error (memory too small for one image, deviations too small for a lattice) is given for each of them.
        """
        try:
            return list(self._in_memory(images, priors)) if images else []
        except SodliftError as error:
            return [error] * len(images)

    def _in_memory(self, images: Sequence[Image8], priors: Sequence[FloatMap]) -> list[Refined]:
        from sodlift.training.on_device import in_memory  # noqa: PLC0415 - as above

        return in_memory(self._at_once, list(zip(images, priors, strict=True)), "images")

    def _at_once(self, pairs: Sequence[tuple[Image8, FloatMap]]) -> list[Refined]:
        from sodlift.crf import batched  # noqa: PLC0415 - as above

        energies = [UNARIES[self.options.unary](prior) for _, prior in pairs]
        probabilities = batched.infer([image for image, _ in pairs], energies, self.options.pairwise, self.device)
        return [_refined(probability, self.options) for probability in probabilities]


def _refined(probability: FloatMap, options: DenseCrfOptions) -> Refined:
    """Return the output that the options ask for."""
    if options.output == "soft":
        return Refined(probability)
    labels = (probability > 0.5).astype(np.uint8)
    if options.median:
        labels = np.asarray(cv2.medianBlur(labels, options.median), dtype=np.uint8)
    return Refined(labels.astype(np.float32))


def _load(options: Any, weights: Path | None, device: str) -> Refiner:
    from sodlift.training.device import find_device  # noqa: PLC0415 - as above

    found = find_device(device)
    batched = found.type == "cuda" and options.backend == "lattice"
    return BatchedDenseCrf(options, found) if batched else DenseCrf(options)


REFINER = RefinerType(
    title="DenseCRF",
    source="Krähenbühl and Koltun, NeurIPS 2011",
    learns_from=None,
    deep=False,
    options=DenseCrfOptions,
    load=_load,
)
