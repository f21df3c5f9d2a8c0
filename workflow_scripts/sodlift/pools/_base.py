"""What a pool is: the images that a refiner compares with, and what is computed of each pair once for all detectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sodlift.datasets.manifest import Manifest


@dataclass(frozen=True)
class PoolType:
    """One registered way to find similar images and to link them; rows of ``pools.yaml`` give it options.

    Attributes
    ----------
    title, source : str
        What it is, in a few words; authors, venue and year.
    options : type
        Frozen dataclass of its options.
    build : callable
        ``build(options, manifests, folder, workers)`` writes what is known of each image of the pool by itself, and the
        options.
    align : callable
        ``align(manifest, pool folder, folder, workers)`` writes, for each image of a data set, which images of the pool
        are similar and how they are linked to it. Both write whole folders or none, whatever the number of workers the
        same, and raise DataError for images that are broken.
    """

    title: str
    source: str
    options: type
    build: Callable[[Any, Sequence[Manifest], Path, int], None]
    align: Callable[[Manifest, Path, Path, int], None]
