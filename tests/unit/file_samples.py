"""Image files of many kinds, made in memory."""

import io
import struct
import zlib
from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
from PIL import Image

ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row and column, and steps down and right, of the passes of an interlaced PNG."""


def encoded(picture: Image.Image, kind: str = "png", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def opencv(values: np.ndarray, kind: str = ".png") -> bytes:
    return cv2.imencode(kind, values)[1].tobytes()


def npy(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def tiff(values: np.ndarray) -> bytes:
    return encoded(Image.fromarray(values), "tiff")


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(height: int, width: int, stream: bytes, interlaced: bool = False, parts: int = 1) -> bytes:
    """Return an 8-bit grey PNG with this compressed stream, cut into parts."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, interlaced))
    cuts = [len(stream) * i // parts for i in range(parts + 1)]
    data = b"".join(chunk(b"IDAT", stream[a:b]) for a, b in pairwise(cuts))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b"")


def filtered(values: np.ndarray, kind_of: Callable[[int], int]) -> bytes:
    """Return the rows of a PNG, each behind the number of its filter, by the letter of the PNG standard."""
    padded = np.zeros((values.shape[0] + 1, values.shape[1] + 1), int)
    padded[1:, 1:] = values
    rows = bytearray()
    for y in range(values.shape[0]):
        kind = kind_of(y)
        rows.append(kind)
        for x in range(values.shape[1]):
            left, above, corner = (int(v) for v in (padded[y + 1, x], padded[y, x + 1], padded[y, x]))
            guess = left + above - corner
            paeth = min((left, above, corner), key=lambda near: abs(guess - near))
            guesses = (0, left, above, (left + above) // 2, paeth)
            rows.append((int(values[y, x]) - (guesses[kind] if kind < len(guesses) else 0)) % 256)
    return bytes(rows)


def grey_png(
    values: np.ndarray, kind_of: Callable[[int], int] = lambda row: 0, parts: int = 1, check: bool = True
) -> bytes:
    """Return an 8-bit grey PNG; ``check=False`` turns a bit of the checksum of its pixels."""
    stream = zlib.compress(filtered(values, kind_of))
    return png_of(*values.shape, stream if check else stream[:-1] + bytes([stream[-1] ^ 1]), parts=parts)


def interlaced_png(values: np.ndarray) -> bytes:
    passes = [values[y::down, x::right] for y, x, down, right in ADAM7]
    return png_of(*values.shape, zlib.compress(b"".join(filtered(p, lambda row: 0) for p in passes if p.size)), True)


def crc_error(png: bytes, name: bytes = b"IDAT") -> bytes:
    """Return the file with one bit of a chunk's checksum turned."""
    at = png.index(name)
    end = at + 4 + int.from_bytes(png[at - 4 : at], "big")
    return png[:end] + bytes([png[end] ^ 1]) + png[end + 1 :]


def bomb(height: int, width: int) -> bytes:
    """Return a PNG of a few bytes whose header promises ``height`` x ``width`` pixels."""
    return png_of(height, width, zlib.compress(b""))


def npy_bomb() -> bytes:
    whole = npy(np.zeros((6, 8)))
    return whole.replace(b"(6, 8)", b"(999999, 999999)", 1).replace(b" " * 10, b"", 1)
