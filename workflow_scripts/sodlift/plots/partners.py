"""Images beside those that their superpixels are linked to: which goes where is told by colour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sodlift.arrays import Image8, resize_image
from sodlift.errors import DataError
from sodlift.plots.style import COLOURS, figure_style

Floats = npt.NDArray[np.float64]

_CELL = (1.4, 1.05)  # inches: the place of a picture, which keeps its aspect
_GAP, _CAPTION, _BETWEEN, _HEADING = 0.05, 0.14, 0.12, 0.45  # inches
_LETTERS = 23  # of a caption, so that it does not run into the next one's
_PIXELS = 200  # an inch
_CORNERS = np.array([[(0.10, 0.45, 1.00), (1.00, 0.15, 0.55)], [(0.00, 0.80, 0.35), (1.00, 0.85, 0.05)]])
_LUMINANCE = (0.299, 0.587, 0.114)
_SHADE = 0.4  # how much of a colour's brightness is the photograph's
_FADED = 0.25  # how much is left of a photograph where nothing is linked
_OUTLINE = 0.4  # how white an outline is


@dataclass(frozen=True)
class Picture:
    """One image of the page.

    Attributes
    ----------
    caption : str
        A line above it; of a long one its end.
    image : (H, W, 3) uint8
        The photograph, RGB.
    superpixels : (H, W) int32
        From 0 to n - 1.
    places : (n, 2) float64
        By superpixel the place in the row's first image, x and y in [0, 1], whose colour it has; NaN for none.
    boxes : (k, 4) float64
        Boxes that are drawn on the photograph: left, top, width and height as shares of the image's.
    """

    caption: str
    image: Image8
    superpixels: npt.NDArray[np.int32]
    places: Floats
    boxes: Floats


def partners_figure(rows: Sequence[Sequence[Picture]], title: str = "") -> Figure:
    """Draw a page with a row for each image: itself, then its partners; photographs above, colours below.

    The first photograph of a row shows its superpixels' outlines, and below it each has the colour of its place. What
    has no colour is faded.

    Raises
    ------
    DataError
        If there is no row.
    """
    if not rows:
        raise DataError("no images to draw", expected="at least one")
    columns = max(map(len, rows))
    row_height = _CAPTION + 2 * _CELL[1] + _GAP
    width = columns * (_CELL[0] + _GAP) - _GAP
    height = len(rows) * (row_height + _BETWEEN) - _BETWEEN + (_HEADING if title else 0.0)
    with figure_style():
        figure = Figure(figsize=(width, height))
        if title:
            figure.text(0.5, 1 - 0.4 * _HEADING / height, title, ha="center", va="center", fontsize=9)
        for r, row in enumerate(rows):
            foot = (len(rows) - 1 - r) * (row_height + _BETWEEN)
            for c, picture in enumerate(row):
                left = c * (_CELL[0] + _GAP)
                upper, lower = (
                    figure.add_axes((left / width, at / height, _CELL[0] / width, _CELL[1] / height), anchor=anchor)
                    for at, anchor in ((foot + _CELL[1] + _GAP, "S"), (foot, "N"))
                )
                _photograph(upper, picture, outlined=c == 0)
                _show(lower, coloured(picture))
    return figure


def coloured(picture: Picture) -> Image8:
    """Return a picture (h, w, 3) at the size at which it is drawn, its superpixels in their places' colours."""
    labels = _nearest(picture.superpixels, _size(picture.image))
    grey = (resize_image(picture.image, labels.shape) @ np.array(_LUMINANCE) / 255)[..., None]
    colours = place_colours(picture.places)[labels]
    drawn = colours * (1 - _SHADE + _SHADE * grey)
    return _to_image(np.where(np.isnan(drawn), 1 - _FADED * (1 - grey), drawn))


def place_colours(places: Floats) -> Floats:
    """Return the colours (n, 3), RGB in [0, 1], of places (n, 2) in [0, 1]: blends of a colour a corner; NaN of NaN."""
    x, y = places[:, :1], places[:, 1:]
    (top_left, top_right), (low_left, low_right) = _CORNERS
    return np.asarray(
        (1 - y) * ((1 - x) * top_left + x * top_right) + y * ((1 - x) * low_left + x * low_right), dtype=np.float64
    )


def _photograph(axes: Axes, picture: Picture, *, outlined: bool) -> None:
    size = _size(picture.image)
    image = resize_image(picture.image, size)
    if outlined:
        edge = _edges(_nearest(picture.superpixels, size))
        image = _to_image(np.where(edge[..., None], _OUTLINE + (1 - _OUTLINE) * image / 255, image / 255))
    _show(axes, image)
    caption = picture.caption if len(picture.caption) <= _LETTERS else f"…{picture.caption[1 - _LETTERS :]}"
    axes.set_title(caption, fontsize=6.5, pad=2.5)
    for x, y, width, height in picture.boxes * np.tile(size[::-1], 2):
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), width, height, fill=False, edgecolor=COLOURS[1], linewidth=0.8))


def _show(axes: Axes, image: Image8) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set_axis_off()


def _size(image: Image8) -> tuple[int, int]:
    """Return the height and width, in pixels, at which an image is drawn."""
    height, width = image.shape[:2]
    scale = min(_CELL[0] / width, _CELL[1] / height) * _PIXELS
    return max(1, round(height * scale)), max(1, round(width * scale))


def _nearest(labels: npt.NDArray[np.int32], size: tuple[int, int]) -> npt.NDArray[np.int32]:
    rows, columns = (((np.arange(to) + 0.5) * of / to).astype(int) for to, of in zip(size, labels.shape, strict=True))
    return np.asarray(labels[rows[:, None], columns])


def _edges(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Return the pixels whose right or lower neighbour is of another superpixel."""
    edge = np.zeros(labels.shape, bool)
    edge[:, :-1] = labels[:, 1:] != labels[:, :-1]
    edge[:-1] |= labels[1:] != labels[:-1]
    return edge


def _to_image(colours: Floats) -> Image8:
    return np.rint(colours * 255).clip(0, 255).astype(np.uint8)
