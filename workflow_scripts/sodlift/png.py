"""Fast reading of the most common map file: a non-interlaced PNG of 8-bit grey.

libdeflate (the optional package ``deflate``) inflates two to three times as fast as zlib, and undoing the row filters
takes a compiled loop, so that such a file reads several times as fast as through an image library.
"""

import zlib
from collections.abc import Callable, Iterator
from struct import unpack_from

import numpy as np
import numpy.typing as npt
from numba import njit

Inflate = Callable[[bytes, int], bytes | bytearray]


def inflate_by_zlib(data: bytes, size: int) -> bytes:
    """Return the first ``size`` bytes of a zlib stream, more slowly than libdeflate."""
    return zlib.decompressobj().decompress(data, size)


try:
    from deflate import zlib_decompress

    inflate: Inflate = zlib_decompress
except ImportError:
    inflate = inflate_by_zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = b"\x00\x00\x00\rIHDR"
_KIND = (8, 0, 0, 0, 0)
"""Bit depth, colour type grey, deflate, the five row filters, not interlaced."""

_MOST = 178_000_000
"""Pixels beyond which a file is left to the image library, which refuses it by name."""


def read_grey8(data: bytes) -> npt.NDArray[np.uint8] | None:
    """Decode the bytes of a PNG of 8-bit grey.

    Returns
    -------
    (H, W) uint8 or None
        None where the file is of another kind, has transparency, or is damaged in any way: it is then for the image
        library to read it, or to say what is wrong.

    Raises
    ------
    ValueError
        If it is of this kind, whole, and holds fewer or more rows than its header promises: image libraries take the
        missing ones for black.
    """
    if data[:8] != _SIGNATURE or data[8:16] != _HEADER or len(data) < 33:
        return None
    width, height, *kind = unpack_from(">IIBBBBB", data, 16)
    if tuple(kind) != _KIND or not 0 < width * height <= _MOST:
        return None
    parts = []
    for name, begin, end in _chunks(data):
        if name == b"IDAT":
            parts.append(data[begin:end])
        elif name == b"IEND":
            break
        elif name == b"tRNS":
            return None
    else:
        return None
    try:
        rows = inflate(parts[0] if len(parts) == 1 else b"".join(parts), height * (width + 1))
    except Exception:  # every library has its own
        return None
    if len(rows) != height * (width + 1):
        raise ValueError(f"its {len(rows)} bytes of pixels are not {height} rows of {width + 1}")
    pixels, known = _unfilter(np.frombuffer(rows, np.uint8).reshape(height, width + 1))
    return pixels if known else None


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, begin and end of each chunk, as long as they are whole and their checksums right."""
    at = 8
    while at + 12 <= len(data):
        length, name = unpack_from(">I4s", data, at)
        begin, end = at + 8, at + 8 + length
        if end + 4 > len(data) or zlib.crc32(data[at + 4 : end]) != unpack_from(">I", data, end)[0]:
            return
        yield name, begin, end
        at = end + 4


@njit(cache=True)
def _unfilter(rows: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], bool]:
    """Undo the filter that the first byte of each row names; the second result tells whether all were known."""
    height, width = rows.shape[0], rows.shape[1] - 1
    pixels = np.empty((height, width), np.uint8)
    above = np.zeros(width, np.uint8)
    y = 0
    while y < height:
        kind, row, out = rows[y, 0], rows[y, 1:], pixels[y]
        if kind == 0:
            out[:] = row
        elif kind == 1:  # the difference to the pixel on the left
            left = np.uint8(0)
            for x in range(width):
                left = np.uint8(row[x] + left)
                out[x] = left
        elif kind == 2:  # to the one above
            for x in range(width):
                out[x] = np.uint8(row[x] + above[x])
        elif kind == 3:  # to the mean of both
            left = np.uint8(0)
            for x in range(width):
                left = np.uint8(row[x] + ((np.int32(left) + np.int32(above[x])) >> 1))
                out[x] = left
        elif kind == 4:
            if y + 1 < height and rows[y + 1, 0] == 4:
                _two_paeth_rows(row, rows[y + 1, 1:], above, out, pixels[y + 1])
                y += 1
            else:
                _paeth_row(row, above, out)
        else:
            return pixels, False
        above = pixels[y]
        y += 1
    return pixels, True


@njit(cache=True)
def _paeth(left: np.int32, above: np.int32, corner: np.int32) -> np.int32:
    """Of three neighbours the one nearest to ``left + above - corner``.

    It is the corner in the middle third between the two others, else the one of them that is farther from the corner.
    So written it takes no branch: the noise of maps has no pattern that a processor could guess.
    """
    low, high = min(left, above), max(left, above)
    turn = 3 * corner - (left + above)
    nearest = low if high <= turn else corner
    return high if turn <= low else nearest


@njit(cache=True)
def _paeth_row(row: npt.NDArray[np.uint8], above: npt.NDArray[np.uint8], out: npt.NDArray[np.uint8]) -> None:
    left, corner = np.int32(0), np.int32(0)
    for x in range(len(row)):
        b = np.int32(above[x])
        left = (row[x] + _paeth(left, b, corner)) & np.int32(255)
        out[x] = left
        corner = b


@njit(cache=True)
def _two_paeth_rows(
    upper: npt.NDArray[np.uint8],
    lower: npt.NDArray[np.uint8],
    above: npt.NDArray[np.uint8],
    out: npt.NDArray[np.uint8],
    below: npt.NDArray[np.uint8],
) -> None:
    """Undo two rows at once, the lower one a pixel behind: each waits for its left neighbour only half of the time."""
    width = len(upper)
    corner = np.int32(above[0])
    left = (upper[0] + corner) & np.int32(255)  # the pixel above is the one predictor of the first
    out[0] = left
    left2, corner2 = np.int32(0), np.int32(0)
    for x in range(1, width):
        b, b2 = np.int32(above[x]), left
        left = (upper[x] + _paeth(left, b, corner)) & np.int32(255)
        left2 = (lower[x - 1] + _paeth(left2, b2, corner2)) & np.int32(255)
        out[x], below[x - 1] = left, left2
        corner, corner2 = b, b2
    below[width - 1] = (lower[width - 1] + _paeth(left2, left, corner2)) & np.int32(255)
