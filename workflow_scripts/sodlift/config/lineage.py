"""What was learnt from what: detectors and refiners learn from maps of detectors, which learnt from others in turn."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sodlift.config.rows import DetectorRow, RefinerRow


class Link(NamedTuple):
    """A detector behind another one or a refiner; or that one itself.

    Attributes
    ----------
    way : tuple of str
        The detectors on the way to it and itself; empty for the one that is asked about.
    words : str
        The same in words, such as "trained on maps of 'a', which is ".
    row : DetectorRow or RefinerRow
        Its row.
    """

    way: tuple[str, ...]
    words: str
    row: DetectorRow | RefinerRow


def links(row: DetectorRow | RefinerRow, detectors: Mapping[str, DetectorRow]) -> Iterator[Link]:
    """Yield a row itself and every detector whose maps it takes, or that one behind it takes: each once, nearest first.

    A detector that stands behind itself is yielded a second time, by the way that leads back to it.
    """
    waiting, met = deque([Link((), "", row)]), set()
    while waiting:
        link = waiting.popleft()
        yield link
        for name, how in _takes(link.row).items():
            if name in detectors and name not in met:
                met.add(name)
                words = f"{link.words}{how} maps of '{name}', which is "
                waiting.append(Link((*link.way, name), words, detectors[name]))


def learnt(row: DetectorRow | RefinerRow, detectors: Mapping[str, DetectorRow]) -> dict[str, str]:
    """Return every data set that a detector or refiner has learnt from, also by the maps that it takes, and how.

    How is in words: "trained on 'A'", or "trained on maps of 'x', which is trained on 'A',". A data set counts whether
    its masks were learnt from or its images alone.
    """
    found: dict[str, str] = {}
    for link in links(row, detectors):
        for dataset in link.row.train.datasets if link.row.train else ():
            found.setdefault(dataset, f"{link.words}trained on '{dataset}'{',' if link.way else ''}")
    return found


def cycle(row: DetectorRow, detectors: Mapping[str, DetectorRow]) -> tuple[str, ...]:
    """Return the shortest way from a detector back to itself, both ends included; empty where there is none."""
    return next(((row.id, *link.way) for link in links(row, detectors) if link.way[-1:] == (row.id,)), ())


def _takes(row: DetectorRow | RefinerRow) -> dict[str, str]:
    """Return the detectors whose maps a row takes, and what for."""
    takes = dict.fromkeys(row.train.detectors if row.train else (), "trained on")
    if isinstance(row, DetectorRow) and row.needs:
        takes.setdefault(row.needs, "made of")
    return takes
