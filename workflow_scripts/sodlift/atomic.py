"""Outputs that are complete or absent: written aside in the same folder, then renamed."""

import glob
import hashlib
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sodlift.errors import DataError

_LONGEST = 32
"""Longest name that temporary names hold as it is: one that just fits the file system would no longer fit else."""


def _short(name: str) -> str:
    """Return ``name``, or of a longer one its start and a hash of it all."""
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _aside(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(f".{_short(target.name)}.{uuid.uuid4().hex[:8]}.part")


def sweep(target: Path) -> None:
    """Remove what killed processes left of a file or folder ``target``; only for one who alone writes it."""
    for left in target.parent.glob(f".{glob.escape(_short(target.name))}.????????.part*"):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()


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
