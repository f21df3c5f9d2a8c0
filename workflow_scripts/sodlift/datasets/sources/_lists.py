"""Lists of images in text files: a stem or a file name a line."""

import unicodedata
from collections.abc import Collection, Iterable
from pathlib import Path


def read_list(file: Path) -> tuple[str, ...]:
    """Return the lines of a list in UTF-8, without the empty ones; raises OSError where it cannot be read."""
    text = file.read_text("utf-8-sig", errors="replace")
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def stems_of(lines: Iterable[str], known: Collection[str]) -> tuple[set[str], list[str]]:
    """Return the stems that ``lines`` name, in composed Unicode as sources have them, and the lines that name none."""
    composed = [unicodedata.normalize("NFC", line) for line in lines]
    stems = {line: line if line in known else Path(line).stem for line in composed}
    unknown = [line for line, stem in stems.items() if stem not in known]
    return {stem for stem in stems.values() if stem in known}, unknown
