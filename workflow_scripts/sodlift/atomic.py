"""Outputs that are complete or absent: written aside in the same folder, then renamed."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sodlift.errors import DataError


def _aside(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    # cut short, since a name that just fits the file system would no longer fit with these additions
    return target.with_name(f".{target.name[:32]}.{uuid.uuid4().hex[:8]}.part")


@contextmanager
def atomic_file(target: str | Path) -> Iterator[Path]:
    """Yield a path to write to; it becomes ``target`` when the block ends well and vanishes when it does not.

    The temporary name keeps the target's suffix, so that writers which choose a format by suffix work.
    """
    target = Path(target)
    aside = _aside(target)
    part = aside.with_name(aside.name + target.suffix)
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: str | Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it becomes ``target`` when the block ends well and vanishes when it does not.

    Raises
    ------
    DataError
        If ``target`` exists and is not an empty folder: nothing of the user's is replaced.
    """
    target = Path(target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(
            "output folder exists and is not empty", where=target, mend="remove it or choose another output folder"
        )
    part = _aside(target)
    part.mkdir()
    try:
        yield part
        part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
