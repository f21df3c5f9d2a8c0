"""The data set embedded in the package: photographs and composite scenes with masks, free to redistribute."""

import csv
from dataclasses import dataclass
from pathlib import Path

from sodlift.datasets.sources._base import Listing, Pair, Source
from sodlift.demo import demo_root
from sodlift.errors import DataError


@dataclass(frozen=True)
class DemoOptions:
    """Which part of the demo data set.

    Attributes
    ----------
    split : str, optional
        "train" or "test"; null uses both.
    """

    split: str | None = None


def find(options: DemoOptions, root: Path) -> Listing:
    """List the embedded scenes; ``root`` plays no part.

    Raises
    ------
    ConfigError
        If the split is unknown.
    DataError
        If the scenes are not installed.
    """
    data = demo_root()
    table = data / "scenes.csv"
    if not table.is_file():
        raise DataError("the embedded demo scenes are missing", where=table, mend="install sodlift again")
    with table.open(newline="", encoding="utf-8") as handle:
        scenes = sorted((row["stem"], row["split"]) for row in csv.DictReader(handle))
    pairs = (Pair(s, data / "images" / f"{s}.jpg", data / "masks" / f"{s}.png", split) for s, split in scenes)
    return Listing(tuple(pairs)).select(options.split, data)


SOURCE = Source("the embedded demo scenes", DemoOptions, find)
