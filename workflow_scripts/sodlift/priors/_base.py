"""What a prior is."""

from collections.abc import Callable, Mapping
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
    steps : callable
        ``steps(image, params)`` returns the maps that the method passes through, by name and in order, each (H, W) and
        stretched for display; the last one is the result of ``compute``.
    """

    title: str
    source: str
    params: type
    compute: Callable[[Image8, Any], FloatMap]
    steps: Callable[[Image8, Any], Mapping[str, FloatMap]]
