"""What a refiner is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sodlift.arrays import FloatMap, Image8

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


@dataclass(frozen=True)
class RefinerType:
    """One registered kind of refiner; the configuration's rows give it options.

    Attributes
    ----------
    title, source : str
        The name that papers print; authors, venue and year.
    learns_from : str or None
        What it is trained on beside images: the ``priors`` of detectors or ``masks``; None where it has nothing to
        train. ``train`` is given where it has.
    deep : bool
        Whether it runs a network, so that a GPU helps.
    options : type
        Frozen dataclass of its options.
    load : callable
        ``load(options, weights file or None, device) -> Refiner``.
    train : callable or None
        ``train(options, job)`` writes the model file ``job.output``.
    """

    title: str
    source: str
    learns_from: Literal["priors", "masks"] | None
    deep: bool
    options: type
    load: Callable[[Any, Path | None, str], Refiner]
    train: "Callable[[Any, TrainingJob], None] | None" = None
