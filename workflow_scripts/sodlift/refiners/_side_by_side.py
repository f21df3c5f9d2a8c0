"""Several images at once by a refiner that works on each in one thread."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sodlift.arrays import FloatMap, Image8
from sodlift.errors import SodliftError
from sodlift.refiners._base import Refined


class SideBySide(ABC):
    """A refiner whose work lets Python go and is the same in whatever thread.

    It is a ``sodlift.inference.shared.SideBySideRefiner``.
    """

    @abstractmethod
    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB."""

    @property
    def at_once(self) -> int:
        """How many images it best takes at once: as many as torch may use threads."""
        from torch import get_num_threads  # noqa: PLC0415 - the registry does not import torch

        return get_num_threads()

    def refine_many(self, images: Sequence[Image8], priors: Sequence[FloatMap]) -> list[Refined | SodliftError]:
        """Refine each prior by its image; an error is given, not raised."""
        with ThreadPoolExecutor(max(1, min(self.at_once, len(images)))) as pool:
            return list(pool.map(self._tried, images, priors))

    def _tried(self, image: Image8, prior: FloatMap) -> Refined | SodliftError:
        try:
            return self.refine(image, prior)
        except SodliftError as error:
            return error
