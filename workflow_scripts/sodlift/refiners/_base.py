"""What a refiner is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from sodlift.arrays import FloatMap, Image8
from sodlift.fingerprint import fingerprint

if TYPE_CHECKING:
    from sodlift.training.job import TrainingJob


@dataclass(frozen=True)
class Refined:
    """What a refiner made of one prior map.

    Attributes
    ----------
    saliency : (H, W) float32 in [0, 1] or None
        The refined map; None exactly where ``status`` is not ``ok``.
    status : str
        ``ok``, ``dropped`` (the refiner's mode leaves the image out) or ``failed``.
    note : str
        What was odd, such as "kept prior: no pixel >= theta_fg".
    """

    saliency: FloatMap | None
    status: str = "ok"
    note: str = ""


class Refiner(Protocol):
    """A refiner that is ready to use: its weights are loaded."""

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine ``prior`` (H, W) in [0, 1] by ``image`` (H, W, 3) uint8 RGB of the same height and width."""
        ...


class PooledRefiner(Refiner, Protocol):
    """A refiner that compares an image with those of a pool, which it has to be given first."""

    def over(self, pool: Path, aligned: Path | None = None) -> Refiner:
        """Return the refiner with a pool; ``aligned`` is the alignment of the images to come, where it is known."""
        ...


@dataclass(frozen=True)
class RefinerType:
    """One registered kind of refiner; the configuration's rows give it options.

    Attributes
    ----------
    title, source : str
        The name that papers print; authors, venue and year.
    learns_from : str or None
        What it is trained on beside images: the ``priors`` of detectors, ``masks``, or ``both``: the maps of one
        detector and, where there are any, masks; None where it has nothing to train. ``train`` is given where it has.
    deep : bool
        Whether it runs a network, so that a GPU helps.
    options : type
        Frozen dataclass of its options.
    load : callable
        ``load(options, weights file or None, device) -> Refiner``.
    train : callable or None
        ``train(options, job)`` writes the model file ``job.output``.
    files : callable or None
        ``files(options)`` names the files that its maps are made of, besides images, priors and a trained model,
        without reading any; a change of them makes the maps anew. Raises SodliftError. None where there are none.
    pooled : bool
        Whether it compares images with a pool of others: its rows name one, and ``load`` gives a ``PooledRefiner``.
    """

    title: str
    source: str
    learns_from: Literal["priors", "masks", "both"] | None
    deep: bool
    options: type
    load: Callable[[Any, Path | None, str], Refiner]
    train: "Callable[[Any, TrainingJob], None] | None" = None
    files: Callable[[Any], Iterable[Path]] | None = None
    pooled: bool = False

    def fingerprint(self, options: Any) -> str:
        """Return a short hash of the names and sizes of ``files``, without reading any; empty for a type without them.

        Where they cannot be found, it is the hash of the error, which ``load`` will raise.
        """
        return "" if self.files is None else fingerprint(partial(self.files, options))

    def ready(
        self,
        options: Any,
        device: str,
        weights: Path | None = None,
        pool: Path | None = None,
        aligned: Path | None = None,
    ) -> Refiner:
        """Return the refiner, with its pool where it compares with one; raises what ``load`` and ``over`` do."""
        refiner = self.load(options, weights, device)
        if pool is None:
            return refiner
        return cast(PooledRefiner, refiner).over(pool, aligned)
