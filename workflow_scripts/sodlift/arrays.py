"""Images, saliency maps and masks: read, write, resize, normalise.

Conventions of the whole library: image ``(H, W, 3) uint8 RGB``; saliency map ``(H, W) float32 in [0, 1]``; mask
``(H, W) bool``. Files are read as they are stored; what is odd about one is noted, never guessed away.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from sodlift.atomic import atomic_file
from sodlift.errors import DataError, MapError, SodliftError
from sodlift.png import read_grey8
from sodlift.registry import unknown_name

Image8 = npt.NDArray[np.uint8]
FloatMap = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def _above(grey: npt.NDArray[Any], bound: float) -> Mask:
    """Return ``grey > bound``; whole numbers are compared as such, which is faster and the same."""
    above: Mask = grey > (np.asarray(math.floor(bound), grey.dtype) if grey.dtype.kind == "u" else bound)
    return above


def _reaches(grey: npt.NDArray[Any], bound: float) -> Mask:
    """Return ``grey >= bound`` for a bound above 0."""
    return _above(grey, math.ceil(bound) - 1) if grey.dtype.kind == "u" else grey >= bound


MASK_RULES: dict[str, Callable[[npt.NDArray[Any], float], Mask]] = {
    # `full` is the value of white: 255 for 8-bit files
    "gt127": lambda grey, full: _above(grey, 127 / 255 * full),
    "gt128": lambda grey, full: _above(grey, 128 / 255 * full),
    "half_max": lambda grey, full: _above(grey, float(grey.max()) / 2),
    "nonzero": lambda grey, full: grey != 0,
    "ge0.1": lambda grey, full: _reaches(grey, 0.1 * full),
}
"""Rules that make a binary ground truth of a grey one (``gt128`` is PySODMetrics' ``> 128``)."""

_PIL_RESAMPLING = {"lanczos": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC}
_CV2_RESAMPLING = {"bilinear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST, "area": cv2.INTER_AREA}


@dataclass(frozen=True)
class Grey:
    """A grey file as stored.

    Attributes
    ----------
    values : (H, W) uint8, uint16 or float64
        uint8 and uint16 hold the stored integers; float files must lie in [0, 1].
    full : float
        The value that stands for 1: 255, 65535 or 1.
    notes : tuple of str
        Oddities of the file: "colour", "alpha" (not all opaque), "palette", "16-bit", "float".
    """

    values: npt.NDArray[Any]
    full: float
    notes: tuple[str, ...] = ()

    def unit(self) -> FloatMap:
        """Return the values as a map in [0, 1]: (H, W) float32."""
        return (self.values / np.float32(self.full)).astype(np.float32)


def _not_found(path: Path, error: type[SodliftError]) -> SodliftError:
    return error("file not found", where=path, mend="check the folder and the file name pattern in the registry row")


def _check_file(path: Path, error: type[SodliftError]) -> None:
    if not path.is_file():
        raise _not_found(path, error)


def _open(path: Path, error: type[SodliftError]) -> Image.Image:
    """Decode the whole file, so that a truncated one fails here; raises ``error`` naming the file."""
    _check_file(path, error)
    try:
        with Image.open(path) as handle:
            handle.load()
            return handle.copy()
    except UnidentifiedImageError as cause:
        raise error(
            "not an image file",
            where=path,
            expected="PNG, JPEG, BMP, or TIFF of 8 or 16 bits or 32-bit floats",
            mend="replace the file",
        ) from cause
    except Image.DecompressionBombError as cause:
        raise error(
            f"image is too large: {cause}",
            where=path,
            expected="fewer than 178 million pixels",
            mend="shrink the image",
        ) from cause
    except Exception as cause:  # decoders have many words for truncated and corrupt files
        raise error(
            f"cannot decode the file: {cause}", where=path, mend="the file is damaged; fetch it again"
        ) from cause


def read_image(path: str | Path) -> Image8:
    """Read a colour image as (H, W, 3) uint8 RGB.

    Grey, 16-bit, palette and CMYK files are converted; an alpha channel is dropped, colours staying as stored. The
    EXIF orientation is not applied, since masks are drawn on the stored pixels.

    Raises
    ------
    DataError
        If the file is missing, truncated, not an image, or of 32 bits a channel.
    """
    image = _open(Path(path), DataError)
    if image.mode in {"I", "F"}:
        raise DataError(
            f"image of 32-bit {'integers' if image.mode == 'I' else 'floats'}",
            where=path,
            expected="8 or 16 bits a channel",
            mend="convert the image; sodlift does not guess its range",
        )
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion clips instead of scaling
        high_byte = (np.asarray(image) >> 8).astype(np.uint8)
        return np.repeat(high_byte[..., None], 3, axis=2)
    if image.mode in {"P", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA")
    return np.ascontiguousarray(np.asarray(image.convert("RGB"), dtype=np.uint8))


def _read_float(path: Path, error: type[SodliftError], values: npt.NDArray[Any]) -> Grey:
    if values.ndim != 2 or not values.size or values.dtype.kind not in "biuf":
        raise error(
            f"array of shape {values.shape} and type {values.dtype}",
            where=path,
            expected="a two-dimensional map (H, W) of numbers",
            mend="save one channel as floats in [0, 1]",
        )
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise error(
            "map holds NaN or infinity",
            where=path,
            expected="finite values in [0, 1]",
            mend="find out what wrote them and save the map again",
        )
    if values.min() < 0 or values.max() > 1:
        raise error(
            f"map spans {values.min():.4g} to {values.max():.4g}",
            where=path,
            expected="values in [0, 1]",
            mend="scale the map before saving it; sodlift does not guess its range",
        )
    return Grey(values, 1.0, ("float",))


def _open_npy(path: Path, error: type[SodliftError]) -> npt.NDArray[Any]:
    """Open an array file; memory-mapped, so that a header promising too much fails before memory is asked for."""
    _check_file(path, error)
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except Exception as cause:  # a damaged header fails in many ways
        raise error(
            f"cannot decode the file: {cause}", where=path, mend="the file is damaged; fetch it again"
        ) from cause


def _read_fast(path: Path, error: type[SodliftError]) -> Image8 | None:
    """Read the most common kind of map; None for any other kind."""
    try:
        return read_grey8(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise _not_found(path, error) from None
    except OSError as cause:
        mend = "check its permissions, and the disk"
        raise error(f"cannot read the file: {cause.strerror}", where=path, mend=mend) from cause
    except ValueError as cause:
        mend = "the file is damaged; fetch it again"
        raise error(f"cannot decode the file: {cause}", where=path, mend=mend) from cause


def read_grey(path: str | Path, error: type[SodliftError] = MapError) -> Grey:
    """Read a map or mask as stored: PNG, JPEG, BMP, TIFF or ``.npy``.

    Colour is converted to grey by OpenCV's weights, alpha is dropped, a palette is resolved; each is noted.

    Raises
    ------
    error
        If the file is missing, truncated, of 32-bit integers, or a float file that is empty or holds NaN or values
        outside [0, 1].
    """
    path = path if isinstance(path, Path) else Path(path)  # made anew it would be parsed again
    if path.suffix.lower() == ".npy":
        return _read_float(path, error, _open_npy(path, error))
    values = _read_fast(path, error)
    return _read_any(path, error) if values is None else Grey(values, 255.0)


def _read_any(path: Path, error: type[SodliftError]) -> Grey:
    """Read any kind of image file as grey."""
    image = _open(path, error)
    notes: list[str] = []
    if image.mode == "F":
        return _read_float(path, error, np.asarray(image))
    if image.mode == "I":
        raise error(
            "map of 32-bit integers",
            where=path,
            expected="8 or 16 bits, or floats in [0, 1]",
            mend="scale the map before saving it; sodlift does not guess its range",
        )
    if image.mode.startswith("I"):
        return Grey(np.asarray(image).astype(np.uint16), 65535.0, ("16-bit",))
    if image.mode in {"P", "PA"}:
        notes.append("palette")
    if image.mode in {"P", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode in {"LA", "RGBA"}:
        if np.asarray(image.getchannel("A")).min() < 255:
            notes.append("alpha")
        image = image.convert("L" if image.mode == "LA" else "RGB")
    if image.mode in {"L", "1"}:
        return Grey(np.asarray(image.convert("L"), dtype=np.uint8), 255.0, tuple(notes))
    rgb = np.asarray(image.convert("RGB"), dtype=np.uint8)
    if (rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 0] == rgb[..., 2]).all():
        return Grey(np.ascontiguousarray(rgb[..., 0]), 255.0, tuple(notes))
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    return Grey(grey, 255.0, (*notes, "colour"))


def read_map(path: str | Path) -> FloatMap:
    """Read a saliency map as (H, W) float32 in [0, 1]; raises MapError naming the file."""
    return read_grey(path, MapError).unit()


def binarise(grey: Grey, rule: str = "gt128") -> Mask:
    """Binarise a grey ground truth by one of ``MASK_RULES``; raises UnknownNameError for another rule."""
    if rule not in MASK_RULES:
        raise unknown_name("ground-truth rule", rule, MASK_RULES)
    return np.asarray(MASK_RULES[rule](grey.values, grey.full), dtype=bool)


def read_mask(path: str | Path, rule: str = "gt128") -> Mask:
    """Read a ground-truth mask as (H, W) bool; raises DataError naming the file."""
    return binarise(read_grey(path, DataError), rule)


def to_uint8(saliency: npt.NDArray[Any]) -> Image8:
    """Quantise a map in [0, 1] to 8 bits by rounding half to even; raises MapError for NaN or values outside."""
    if not np.isfinite(saliency).all() or (saliency.size and (saliency.min() < 0 or saliency.max() > 1)):
        raise MapError("map holds NaN or values outside [0, 1]", expected="finite values in [0, 1]")
    return np.asarray(np.rint(saliency * 255.0), dtype=np.uint8)


def write_map(path: str | Path, saliency: npt.NDArray[Any]) -> None:
    """Write a map (H, W) in [0, 1] as 8-bit grey PNG, whole or not at all; raises MapError for any other array."""
    if saliency.ndim != 2 or not saliency.size:
        raise MapError(f"map of shape {saliency.shape}", where=path, expected="(height, width)")
    try:
        quantised = to_uint8(saliency)
    except MapError as cause:
        raise MapError(cause.what, where=path, expected=cause.expected) from None
    with atomic_file(path) as part:
        Image.fromarray(quantised).save(part, format="PNG", compress_level=4)


def resize(saliency: npt.NDArray[Any], size: tuple[int, int], method: str = "bilinear") -> FloatMap:
    """Resize a map (H, W) to ``size = (height, width)``; float32, clipped to [0, 1] where the filter overshoots.

    Methods: ``bilinear``, ``nearest``, ``area`` (OpenCV), ``lanczos``, ``bicubic`` (Pillow, float).
    Raises UnknownNameError for another method.
    """
    saliency = np.ascontiguousarray(saliency, dtype=np.float32)
    if saliency.shape == tuple(size):
        return saliency
    height, width = size
    if method in _CV2_RESAMPLING:
        out = cv2.resize(saliency, (width, height), interpolation=_CV2_RESAMPLING[method])
    elif method in _PIL_RESAMPLING:
        out = np.asarray(Image.fromarray(saliency).resize((width, height), _PIL_RESAMPLING[method]))
    else:
        raise unknown_name("resize method", method, [*_CV2_RESAMPLING, *_PIL_RESAMPLING])
    return np.clip(out, 0.0, 1.0).astype(np.float32)


def resize_image(image: Image8, size: tuple[int, int]) -> Image8:
    """Resize (H, W, 3) uint8 to ``size = (height, width)``: Pillow's bilinear, which averages when it shrinks."""
    if image.shape[:2] == tuple(size):
        return image
    return np.array(Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BILINEAR))


def check_fit(saliency: npt.NDArray[Any], size: tuple[int, int], where: object = None) -> None:
    """Raise MapError unless the map (h, w) is one of an image of ``size = (height, width)``, of that size or scaled.

    Either side may be one pixel off what the other asks for, since sizes are rounded.
    """
    (h, w), (height, width) = saliency.shape, size
    if abs(w - width * h / height) > 1 and abs(h - height * w / width) > 1:
        transposed = abs(h - width * w / height) <= 1 or abs(w - height * h / width) <= 1
        raise MapError(
            f"map of {w}x{h} pixels does not fit its image of {width}x{height}: "
            f"{'transposed' if transposed else 'another aspect ratio'}",
            where=where,
            expected=f"{width}x{height}, or that size scaled",
            mend="check that the map belongs to this image, and was not rotated, cropped or squeezed",
        )


def minmax(values: npt.NDArray[Any], eps: float = 0.0) -> npt.NDArray[Any]:
    """Stretch to [0, 1]: ``(x - min) / (max - min + eps)``; a constant array (span <= 1e-12) is returned unchanged."""
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-12:
        return values
    return (values - low) / (high - low + eps)
