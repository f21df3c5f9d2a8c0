"""The contact sheet: every scene of a demo data set with the outline of its mask."""

import csv
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from sodlift.arrays import Image8, read_image, read_mask

_CELL = (124, 108)
_COLUMNS = 10
_LINE = (255, 40, 160)


def outlined(folder: Path, stem: str) -> Image8:
    """Return the image ``stem`` scaled into a cell, with the mask's outline drawn on it."""
    image = read_image(folder / "images" / f"{stem}.jpg")
    mask = read_mask(folder / "masks" / f"{stem}.png")
    scale = min((_CELL[0] - 4) / image.shape[1], (_CELL[1] - 4) / image.shape[0])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    shape = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    rings, _ = cv2.findContours(shape.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(small, rings, -1, _LINE, 1), dtype=np.uint8)


def contact_sheet(folder: Path) -> Image.Image:
    """Return the sheet of the data set in ``folder``: train part, then test part, in 256 colours."""
    with (folder / "scenes.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    parts = {split: [r["stem"] for r in rows if r["split"] == split] for split in ("train", "test")}
    lines = sum(-(-len(stems) // _COLUMNS) for stems in parts.values())
    sheet = Image.new("RGB", (_CELL[0] * _COLUMNS, _CELL[1] * lines + 18 * len(parts)), (24, 24, 26))
    pen, top = ImageDraw.Draw(sheet), 0
    for split, stems in parts.items():
        pen.text((6, top + 3), f"{split}: {len(stems)} images", fill=(235, 235, 235))
        top += 18
        for k, stem in enumerate(stems):
            cell = outlined(folder, stem)
            left, low = k % _COLUMNS * _CELL[0], top + k // _COLUMNS * _CELL[1]
            sheet.paste(
                Image.fromarray(cell), (left + (_CELL[0] - cell.shape[1]) // 2, low + (_CELL[1] - cell.shape[0]) // 2)
            )
        top += -(-len(stems) // _COLUMNS) * _CELL[1]
    return sheet.quantize(palette=sheet.quantize(256), dither=Image.Dither.FLOYDSTEINBERG)
