"""Removal of artificial frames: black bars, drawn borders and the like along an image's sides."""

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.arrays import Image8

Box = tuple[slice, slice]


def frame_box(image: Image8, depth: int = 20, edge: float = 0.4, share: float = 0.6) -> Box:
    """Return the part of an image inside its frame, or the whole of it where no frame is seen.

    A side has a frame where a line parallel to it, among the outermost ``depth`` pixels, is an edge along more than
    ``share`` of its length. One framed side is cut alone; with two or more the widest margin is cut on all sides.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    depth : int
        Widest margin looked for, in pixels; an image without room for two such margins is left whole.
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
    if min(height, width) < 2 * (depth + 3):
        return slice(0, height), slice(0, width)
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    top, bottom = _margin(grey[:depth], edge, share), _margin(grey[::-1][:depth], edge, share)
    left, right = _margin(grey.T[:depth], edge, share), _margin(grey.T[::-1][:depth], edge, share)
    # two pixels more, because the edge itself is blurred
    margins = [m + 2 if m else 0 for m in (top, bottom, left, right)]
    if sum(m > 0 for m in margins) > 1:
        margins = [max(margins)] * 4
    top, bottom, left, right = margins
    return slice(top, height - bottom), slice(left, width - right)


def _margin(strip: npt.NDArray[np.uint8], edge: float, share: float) -> int:
    """Return how many rows lie outside the innermost edge line of a strip (rows from the border inwards), 0 if none."""
    response = np.minimum(np.abs(cv2.Sobel(np.ascontiguousarray(strip), cv2.CV_16S, 0, 1)), 255)
    # a pixel is an edge where the response is strong and no weaker than just before and behind it
    crest = (response >= edge * 255) & (response == cv2.dilate(response, np.ones((3, 1), np.uint8)))
    lines = np.flatnonzero(crest.mean(axis=1) > share)
    return int(lines[-1]) + 1 if lines.size else 0
