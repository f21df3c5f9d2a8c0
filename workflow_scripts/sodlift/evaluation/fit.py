"""Maps and masks brought to the size at which they are scored, in the precision in which they are stored."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from sodlift.arrays import Grey
from sodlift.errors import MapError

Size = tuple[int, int]
_Values = npt.NDArray[Any]


def _bilinear(values: _Values, size: Size) -> _Values:
    return np.asarray(cv2.resize(values, size[::-1], interpolation=cv2.INTER_LINEAR))


def _pillow(method: Image.Resampling) -> Callable[[_Values, Size], _Values]:
    def resize(values: _Values, size: Size) -> _Values:
        image = Image.fromarray(values if values.dtype == np.uint8 else values.astype(np.float32))
        return np.asarray(image.resize(size[::-1], method)).astype(values.dtype)

    return resize


FILTERS: dict[str, Callable[[_Values, Size], _Values]] = {
    "bilinear": _bilinear,
    "nearest": _pillow(Image.Resampling.NEAREST),
    "bicubic": _pillow(Image.Resampling.BICUBIC),
    "lanczos": _pillow(Image.Resampling.LANCZOS),
}
"""Resize filters: OpenCV's bilinear, which averages nothing when it shrinks, and Pillow's."""

REFUSE = "refuse"
"""In place of a filter: maps of another size are an error."""


def resized(grey: Grey, size: Size, method: str, where: object = None) -> Grey:
    """Return a map at ``size = (height, width)``; 8-bit maps stay 8-bit, what overshoots is clipped.

    Raises
    ------
    MapError
        If the size is another one and the method is ``REFUSE``; ``where`` names the file.
    """
    height, width = grey.values.shape
    if (height, width) == tuple(size):
        return grey
    if method == REFUSE:
        raise MapError(
            f"map of {width}x{height} pixels, its mask has {size[1]}x{size[0]}",
            where=where,
            expected="maps of the mask's size, since the protocol resizes nothing",
            mend="save the map at the image's size, or take another protocol",
        )
    exact = grey.values if grey.values.dtype == np.uint8 else grey.values.astype(np.float64)
    values = FILTERS[method](np.ascontiguousarray(exact), size)
    return Grey(values.clip(0, grey.full), grey.full, grey.notes)
