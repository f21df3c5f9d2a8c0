"""Detectors that are computed here: the traditional priors."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from sodlift.allocator import keep_freed_memory
from sodlift.arrays import Image8, read_image, to_uint8
from sodlift.datasets.manifest import Manifest
from sodlift.detectors._base import DetectorType, Machine, model_files
from sodlift.errors import ConfigError
from sodlift.mapset import MapWriter
from sodlift.options import build
from sodlift.parallel import ordered_map
from sodlift.priors import PRIORS
from sodlift.priors._base import Prior
from sodlift.progress import track
from sodlift.registry import unknown_name

if TYPE_CHECKING:
    from sodlift.training.job import TrainingJob

START_SECONDS = 2.0
"""What starting the workers takes: a whole run that is shorter is done in one process."""

TRIED = 4
"""Images that are done in this process first, to see how long one takes; the very first one loads compiled code."""


@dataclass(frozen=True)
class PriorOptions:
    """Which prior.

    Attributes
    ----------
    method : str
        Name of a registered prior.
    params : mapping
        Parameters that differ from the method's own; of one that learns, ``model`` names the trained file where the
        detector is not trained by the run.
    training : mapping
        Parameters of the training of a method that learns, where they differ from its own.

    Raises
    ------
    ConfigError
        If the method or one of its parameters is unknown.
    """

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.method not in PRIORS:
            raise unknown_name("prior", self.method, PRIORS.names(), where="method")
        built = self.built
        # as their own types, so that a path is known as one
        object.__setattr__(self, "params", {name: getattr(built, name) for name in self.params})
        if self.training:
            if self.prior.learning is None:
                raise ConfigError(f"'{self.method}' has nothing to train", where="training", mend="remove `training`")
            build(self.prior.learning.params, self.training, "training")

    @property
    def prior(self) -> Prior:
        """The method."""
        return PRIORS.get(self.method)

    @property
    def built(self) -> Any:
        """The method's own parameters, an instance of its dataclass."""
        return build(self.prior.params, self.params, "params")

    @property
    def modules(self) -> tuple[str, ...]:
        """The module that the method is in."""
        return (PRIORS.module(self.method),)

    @property
    def trained(self) -> bool:
        """Whether the method learns."""
        return self.prior.learning is not None

    @property
    def model(self) -> Path | None:
        """File of the trained model."""
        return self.params.get("model")

    def with_model(self, file: Path) -> "PriorOptions":
        """Return the options with another file of the trained model."""
        return replace(self, params={**self.params, "model": file})


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
        Most processes; one where there is little to do.
    what : str
        The data set's name, or what else the images are, beside the progress bar; empty for no bar.

    Raises
    ------
    DataError
        If an image cannot be read.
    """
    with threadpool_limits(1):  # two threads of BLAS on matrices this small cost far more than they give
        found = _maps(options, files, workers)
        yield from track(found, f"{options.method} {what}", total=len(files)) if what else found


def _maps(options: PriorOptions, files: Sequence[Path], workers: int) -> Iterator[Image8]:
    compute = partial(_compute, options.method, options.built)
    first, rest = files[:TRIED], files[TRIED:]
    seconds = []
    for file in first:
        begun = time.perf_counter()
        yield compute(file)
        seconds.append(time.perf_counter() - begun)
    saved = min(seconds, default=0.0) * len(rest) * (1 - 1 / workers)
    yield from ordered_map(compute, rest, workers if saved > START_SECONDS else 1, preload=options.modules)


def _compute(method: str, params: Any, file: Path) -> Image8:
    keep_freed_memory()
    return to_uint8(PRIORS.get(method).compute(read_image(file), params))


def run(options: PriorOptions, manifest: Manifest, writer: MapWriter, machine: Machine) -> None:
    """Compute the prior of every image; the maps are the same, bit for bit, whatever the number of workers."""
    found = maps(options, [entry.image for entry in manifest.entries], machine.workers, manifest.dataset)
    for entry, saliency in zip(manifest.entries, found, strict=True):
        writer.add(entry.stem, saliency / 255.0)


def train(options: PriorOptions, job: "TrainingJob") -> None:
    """Train a method that learns; the model is the same, bit for bit, whatever the number of ``job.threads``.

    Of the job's files only the model is written.
    """
    learning = options.prior.learning
    assert learning is not None
    training: Any = build(learning.params, options.training, "training")
    manifests = [manifest for manifest, _ in job.sources]
    with threadpool_limits(1):
        learning.train(manifests, options.built, training, job.seed, job.threads).save(job.output)


def seen(options: PriorOptions) -> frozenset[str]:
    """Return the SHA-256 of every image that the model was trained on; none for a method that does not learn."""
    learning = options.prior.learning
    return frozenset() if learning is None else learning.seen(options.built)


DETECTOR = DetectorType(
    "a traditional prior, computed here",
    PriorOptions,
    run,
    model_files,
    seen=seen,
    divisible=True,
    learns_from="masks",
    train=train,
)
