"""The embedded demo data set and the generator of its scenes."""

from pathlib import Path

COLUMNS = ("stem", "split", "kind", "objects", "background", "source", "licence")
"""Columns of ``scenes.csv``; objects, background, source and licence hold several names joined by ``;``."""


def demo_root() -> Path:
    """Return the folder of the data set: ``images/``, ``masks/``, ``scenes.csv``, ``LICENSES.md``."""
    return Path(__file__).with_name("data")
