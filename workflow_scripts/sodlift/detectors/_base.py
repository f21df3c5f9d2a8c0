"""What a type of detector is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sodlift.datasets.manifest import Manifest
from sodlift.mapset import MapWriter

Run = Callable[[Any, Manifest, MapWriter, int], None]


@dataclass(frozen=True)
class DetectorType:
    """One registered kind of detector; the configuration's rows give it options.

    Attributes
    ----------
    title : str
        What it is, in a few words.
    options : type
        Frozen dataclass of its options; an attribute ``modules`` names what they load by name.
    run : callable
        ``run(options, manifest, writer, workers)`` adds the prior map of every image in ``manifest`` to ``writer``, at
        the map's own size, using at most ``workers`` processes. The maps do not depend on ``workers``. Raises MapError
        or DataError.
    """

    title: str
    options: type
    run: Run
