"""Removal of artificial frames: black bars, drawn borders and the like along an image's sides."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.arrays import Image8

Box = tuple[slice, slice]

PLAIN = 12.0
"""Largest standard deviation of a channel over a strip of one colour, in grey levels: drawn frames come out of JPEG."""


def frame_box(image: Image8, depth: int = 20, edge: float = 0.4, share: float = 0.6) -> Box:
    """Return the part of an image inside its frame, or the whole of it where no frame is seen.

    A side has a frame where a line parallel to it, among the outermost ``depth`` pixels, is an edge along more than
    ``share`` of its length: an edge in lightness or, where all outside the line has one colour, in one of R, G and B.
    One framed side is cut alone; with two or more the widest margin is cut on all sides.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    depth : int
        Widest margin looked for, in pixels; an image without room for two such margins is left whole, as it is for 0.
    edge : float
        Least Sobel response of an edge pixel, as a share of 255 (responses saturate there).
    share : float
        Share of a line that must be an edge.

    Returns
    -------
    (slice, slice)
        Rows and columns to keep.
    """
    height, width = image.shape[:2]
    if not depth or min(height, width) < 2 * (depth + 3):
        return slice(0, height), slice(0, width)
    across = image.transpose(1, 0, 2)
    sides = (image[:depth], image[::-1][:depth], across[:depth], across[::-1][:depth])
    top, bottom, left, right = (_margin(np.ascontiguousarray(side), edge, share) for side in sides)
    # two pixels more, because the edge itself is blurred
    margins = [m + 2 if m else 0 for m in (top, bottom, left, right)]
    if sum(m > 0 for m in margins) > 1:
        margins = [max(margins)] * 4
    top, bottom, left, right = margins
    return slice(top, height - bottom), slice(left, width - right)


def _margin(strip: Image8, edge: float, share: float) -> int:
    """Return how many rows lie outside the innermost edge line of a strip (rows from the border inwards), 0 if none."""
    lines = _edge_lines(cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY), edge, share)
    # a frame as light as the scene shows in its colour alone; edges of the scene itself are many in single channels
    if not lines and _plain(strip[:1]):
        found = [line for channel in cv2.split(strip) for line in _edge_lines(channel, edge, share)]
        lines = [line for line in found if _plain(strip[: max(1, line - 1)])]  # the last row is blurred
    return max(lines) + 1 if lines else 0


def _edge_lines(plane: npt.NDArray[Any], edge: float, share: float) -> list[int]:
    """Return the rows of a plane (h, w) that are edges along more than ``share`` of their length."""
    response = np.minimum(np.abs(cv2.Sobel(plane, cv2.CV_16S, 0, 1)), 255)
    # a pixel is an edge where the response is strong and no weaker than just before and behind it
    crest = (response >= edge * 255) & (response == cv2.dilate(response, np.ones((3, 1), np.uint8)))
    return [int(line) for line in np.flatnonzero(crest.mean(axis=1) > share)]


def _plain(strip: Image8) -> bool:
    return float(cv2.meanStdDev(strip)[1].max()) < PLAIN
