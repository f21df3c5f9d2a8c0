"""What a prior is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sodlift.arrays import FloatMap, Image8


@dataclass(frozen=True)
class Prior:
    """One traditional saliency method.

    Attributes
    ----------
    title : str
        The name that papers print, such as "MB+".
    source : str
        Authors, venue and year of the method.
    params : type
        Frozen dataclass of the method's parameters; its defaults are the reference's.
    compute : callable
        ``compute(image, params) -> map``: (H, W, 3) uint8 RGB to (H, W) float32 in [0, 1].
    """

    title: str
    source: str
    params: type
    compute: Callable[[Image8, Any], FloatMap]
