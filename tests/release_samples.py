"""Releases made for tests: archives on a local server or dropped in by hand, and the store that keeps them."""

import hashlib
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sodlift.fetch.download import Patience
from sodlift.fetch.release import Release, ReleaseFile
from sodlift.fetch.store import Store

PAGE = "https://people.example/sets"
QUICK = Patience(tries=2, connect=2, read=0.5, sleep=lambda seconds: None, jitter=lambda: 1.0)
IMAGES = {f"Set/Imgs/{stem}.jpg": stem.encode() for stem in "abc"}
MASKS = {f"Set/GT/{stem}.png": stem.encode() for stem in "abc"}
TAKE = {"images": "Set/Imgs/*.jpg", "masks": "set/gt/*.png"}


def archive(file: Path, members: Mapping[str, bytes]) -> Path:
    """Write a zip of ``members``, the same bytes each time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as packed:
        for name, content in members.items():
            packed.writestr(zipfile.ZipInfo(name), content)
    return file


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def store(tmp_path: Path, **change: Any) -> Store:
    return Store(tmp_path / "resources", **{"progress": False, "patience": QUICK, **change})


def release(*files: ReleaseFile, **change: Any) -> Release:
    return Release(**{"page": PAGE, "files": files, **change})


def below(folder: Path) -> list[str]:
    """Return the files below a folder, hidden ones included."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def png(value: int = 255, mode: str = "L") -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.full((4, 5), value, np.uint8)).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


SET = {f"S/imgs/{s}.png": png(i, "RGB") for i, s in enumerate("abc")} | {f"S/gt/{s}.png": png() for s in "abc"}
MAPS = {f"out/{s}.png": png(9) for s in "abc"}
