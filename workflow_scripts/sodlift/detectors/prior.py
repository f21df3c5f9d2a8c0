"""Detectors that are computed here: the traditional priors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from sodlift.arrays import Image8, read_image, to_uint8
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors._base import DetectorType
from sodlift.mapset import MapWriter
from sodlift.options import build
from sodlift.parallel import ordered_map
from sodlift.priors import PRIORS
from sodlift.progress import track
from sodlift.registry import unknown_name

FEWEST = 16
"""Below this number of images a worker, starting a process costs more than it saves."""


@dataclass(frozen=True)
class PriorOptions:
    """Which prior.

    Attributes
    ----------
    method : str
        Name of a registered prior.
    params : mapping
        Parameters that differ from the method's own.

    Raises
    ------
    ConfigError
        If the method or one of its parameters is unknown.
    """

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.method not in PRIORS:
            raise unknown_name("prior", self.method, PRIORS.names(), where="method")
        build(PRIORS.get(self.method).params, self.params, "params")

    @property
    def modules(self) -> tuple[str, ...]:
        """The module that the method is in."""
        return (PRIORS.module(self.method),)


def _compute(method: str, params: Any, file: Path) -> Image8:
    """Return the prior map of an image file as 8 bits, (H, W), as it is stored."""
    with threadpool_limits(1):  # two threads of BLAS on matrices this small cost far more than they give
        return to_uint8(PRIORS.get(method).compute(read_image(file), params))


def run(options: PriorOptions, manifest: Manifest, writer: MapWriter, workers: int) -> None:
    """Compute the prior of every image; the maps are the same, bit for bit, whatever the number of ``workers``."""
    entries: tuple[Entry, ...] = manifest.entries
    params: Any = build(PRIORS.get(options.method).params, options.params, "params")
    compute = partial(_compute, options.method, params)
    files = [entry.image for entry in entries]
    workers = max(1, min(workers, len(files) // FEWEST))
    maps = ordered_map(compute, files, workers, preload=[PRIORS.module(options.method)])
    shown = track(maps, f"{options.method} {manifest.dataset}", total=len(files))
    for entry, saliency in zip(entries, shown, strict=True):
        writer.add(entry.stem, saliency / 255.0)


DETECTOR = DetectorType("a traditional prior, computed here", PriorOptions, run)
