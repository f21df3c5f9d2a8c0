"""Contact sheets: images with their ground truth, priors and refined maps side by side, to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

from sodlift.arrays import FloatMap, Image8, Mask, to_uint8
from sodlift.atomic import atomic_file
from sodlift.errors import DataError

_GAP, _INK, _PAPER, _FRAME = 6, (40, 40, 40), (255, 255, 255), (200, 200, 200)
_TEXT = 13  # pixels


@dataclass(frozen=True)
class GalleryRow:
    """One row of the sheet.

    Attributes
    ----------
    title : str
        What the row shows, such as the image's stem and the detector.
    panels : tuple of arrays
        (H, W, 3) uint8 images, (H, W) float maps in [0, 1] or (H, W) bool masks; None leaves a place empty.
    captions : tuple of str
        A line below each panel, such as its scores; empty for none.
    """

    title: str
    panels: tuple[Image8 | FloatMap | Mask | None, ...]
    captions: tuple[str, ...] = ()


def gallery(rows: Sequence[GalleryRow], columns: Sequence[str], *, cell: tuple[int, int] = (180, 135)) -> Image8:
    """Compose the sheet.

    Parameters
    ----------
    rows : sequence of GalleryRow
        From top to bottom.
    columns : sequence of str
        Headings of the panels.
    cell : (int, int)
        Width and height of a panel's place in pixels; panels keep their aspect.

    Returns
    -------
    (H, W, 3) uint8
        The sheet.

    Raises
    ------
    DataError
        If there is no row, or one has another number of panels or captions than there are columns.
    """
    if not rows:
        raise DataError("no rows for the gallery", expected="at least one")
    for row in rows:
        if len(row.panels) != len(columns) or len(row.captions) not in {0, len(columns)}:
            raise DataError(
                f"gallery row '{row.title}' has {len(row.panels)} panels and {len(row.captions)} captions",
                expected=f"{len(columns)} panels, and as many captions or none",
            )
    font = ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), _TEXT)
    width, height = cell
    line = _TEXT + 5
    caption = line if any(row.captions for row in rows) else 0
    lead = max(round(font.getlength(part)) for row in rows for part in row.title.split("\n")) + 2 * _GAP
    size = (lead + len(columns) * (width + _GAP), line + _GAP + len(rows) * (height + caption + _GAP))
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for c, name in enumerate(columns):
        draw.text((lead + c * (width + _GAP) + width / 2, _GAP / 2), name, _INK, font, anchor="ma")
    for r, row in enumerate(rows):
        top = line + _GAP + r * (height + caption + _GAP)
        draw.multiline_text((_GAP, top + height / 2), row.title, _INK, font, anchor="lm")
        for c, panel in enumerate(row.panels):
            left = lead + c * (width + _GAP)
            if panel is not None:
                small = _fit(_rgb(panel), width, height)
                corner = (left + (width - small.width) // 2, top + (height - small.height) // 2)
                sheet.paste(small, corner)
                end = (corner[0] + small.width - 1, corner[1] + small.height - 1)
                draw.rectangle((corner, end), outline=_FRAME)  # so that white and black panels have an edge
            if row.captions:
                draw.text((left + width / 2, top + height + 2), row.captions[c], _INK, font, anchor="ma")
    return np.asarray(sheet)


def save_gallery(sheet: Image8, path: str | Path) -> None:
    """Write a sheet as PNG, whole or not at all."""
    with atomic_file(path) as part:
        Image.fromarray(sheet).save(part, format="PNG", optimize=True)


def _rgb(panel: Image8 | FloatMap | Mask) -> Image8:
    if panel.ndim == 3:
        return panel.astype(np.uint8, copy=False)
    grey = to_uint8(panel.astype(np.float32))
    return np.repeat(grey[..., None], 3, axis=2)


def _fit(image: Image8, width: int, height: int) -> Image.Image:
    scale = min(width / image.shape[1], height / image.shape[0])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return Image.fromarray(np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8))
