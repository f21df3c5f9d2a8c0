"""Detectors that are computed here: the traditional priors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from sodlift.allocator import keep_freed_memory
from sodlift.arrays import Image8, read_image, to_uint8
from sodlift.datasets.manifest import Manifest
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
        _ = self.built

    @property
    def built(self) -> Any:
        """The method's own parameters, an instance of its dataclass."""
        return build(PRIORS.get(self.method).params, self.params, "params")

    @property
    def modules(self) -> tuple[str, ...]:
        """The module that the method is in."""
        return (PRIORS.module(self.method),)


def maps(options: PriorOptions, files: Sequence[Path], workers: int, what: str) -> Iterator[Image8]:
    """Yield the prior map of each image file as 8 bits, (H, W), in the order of the files; shows the progress.

    The maps are the same, bit for bit, whatever the number of workers.

    Parameters
    ----------
    options : PriorOptions
        Which prior.
    files : sequence of Path
        The images.
    workers : int
        Most processes; fewer where there is little to do.
    what : str
        The data set's name, or what else the images are, beside the progress bar; empty for no bar.

    Raises
    ------
    DataError
        If an image cannot be read.
    """
    compute = partial(_compute, options.method, options.built)
    workers = max(1, min(workers, len(files) // FEWEST))
    with threadpool_limits(1):  # two threads of BLAS on matrices this small cost far more than they give
        found = ordered_map(compute, files, workers, preload=options.modules)
        yield from track(found, f"{options.method} {what}", total=len(files)) if what else found


def _compute(method: str, params: Any, file: Path) -> Image8:
    keep_freed_memory()
    return to_uint8(PRIORS.get(method).compute(read_image(file), params))


def run(options: PriorOptions, manifest: Manifest, writer: MapWriter, workers: int) -> None:
    """Compute the prior of every image; the maps are the same, bit for bit, whatever the number of ``workers``."""
    found = maps(options, [entry.image for entry in manifest.entries], workers, manifest.dataset)
    for entry, saliency in zip(manifest.entries, found, strict=True):
        writer.add(entry.stem, saliency / 255.0)


DETECTOR = DetectorType("a traditional prior, computed here", PriorOptions, run)
