"""Progress of long work: images a second and time left, on a terminal and, less often, in a log."""

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def track(items: Iterable[T], what: str, total: int | None = None, unit: str = "image", done: int = 0) -> "tqdm[T]":
    """Wrap ``items`` in a progress bar on stderr, which is renewed every 10 s where stderr is no terminal.

    Parameters
    ----------
    items : iterable
        What is worked through.
    what : str
        What is done, such as "evaluate ECSSD".
    total : int, optional
        Their number, where ``items`` does not tell.
    unit : str
        What is counted.
    done : int
        How many were done before.
    """
    interval = 0.2 if sys.stderr.isatty() else 10.0
    return tqdm(items, desc=what, total=total, unit=unit, initial=done, mininterval=interval, maxinterval=interval)
