"""Images and prior maps as a training sees them: decoded once, shuffled by (seed, epoch), flipped by (seed, step).

The batch of a step depends on the step's number and the seed alone. A training that goes on after a kill therefore
sees what it would have seen.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sodlift.arrays import FloatMap, Image8, check_fit, read_image, read_map, resize, resize_image, to_uint8
from sodlift.errors import DataError
from sodlift.progress import track
from sodlift.training.job import TrainingJob

CACHE_BYTES = 1 << 30
"""Decoded images and priors that are kept in memory; the rest is decoded again whenever it is needed."""


class Sample(NamedTuple):
    """One image (H, W, 3) uint8 RGB with its prior (H, W) uint8."""

    image: Image8
    prior: Image8


class Batch(NamedTuple):
    """Images (B, 3, H, W) uint8 with their priors (B, 1, H, W) float32 in [0, 1]."""

    images: Tensor
    priors: Tensor


@dataclass(frozen=True)
class Files:
    """Where one sample lies."""

    image: Path
    prior: Path


def load_sample(files: Files, size: int | None) -> tuple[Sample, FloatMap]:
    """Return one sample at ``size`` x ``size`` (None: the image's size), and its prior as stored.

    Raises
    ------
    DataError, MapError
        If a file is broken, or the prior's aspect is not the image's.
    """
    image, stored = read_image(files.image), read_map(files.prior)
    height, width = image.shape[:2]
    check_fit(stored, (height, width), files.prior)
    shape = (size, size) if size else (height, width)
    prior = to_uint8(resize(stored, shape, "lanczos"))
    return Sample(resize_image(image, shape), prior), stored


class Samples:
    """The usable samples of a training.

    Parameters
    ----------
    files : list of Files
        Every sample.
    size : int or None
        Side of the squares that images are resized to; None keeps their size.
    refuse : callable
        ``refuse(stored prior, prior at training size)``, maps in [0, 1], gives the reason why a sample cannot be
        learnt from, or an empty string.
    cache_bytes : int
        Memory that decoded samples may take.

    Raises
    ------
    DataError
        If no sample is usable, or a file is broken.
    """

    def __init__(
        self,
        files: list[Files],
        size: int | None,
        refuse: Callable[[FloatMap, FloatMap], str],
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.size = size
        self.skipped: Counter[str] = Counter()
        self._files: list[Files] = []
        self._cache: dict[int, Sample] = {}
        for item in track(files, "decoding"):
            sample, stored = load_sample(item, size)
            reason = refuse(stored, (sample.prior / 255).astype(np.float32))
            if reason:
                self.skipped[reason] += 1
                continue
            cost = sample.image.nbytes + sample.prior.nbytes
            if cost <= cache_bytes:
                self._cache[len(self._files)] = sample
                cache_bytes -= cost
            self._files.append(item)
        if not self._files:
            reasons = "; ".join(f"{count} x {reason}" for reason, count in sorted(self.skipped.items()))
            raise DataError(
                f"none of {len(files)} training images is usable: {reasons or 'the list is empty'}",
                mend="train with other priors, or change the thresholds",
            )

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> Sample:
        return self._cache.get(index) or load_sample(self._files[index], self.size)[0]

    def summary(self) -> str:
        """Return how many samples are used and why others are not, for the log."""
        skipped = "".join(f"; {count} skipped: {reason}" for reason, count in sorted(self.skipped.items()))
        return f"{len(self)} training images{skipped}"


def job_files(job: TrainingJob) -> list[Files]:
    """Return the files of every image of the job that has a prior; raises MapError for images without a record."""
    return [
        Files(entry.image, priors.path(entry.stem))
        for manifest, priors in job.manifests_and_priors
        for usable in [set(priors.usable(manifest.stems))]
        for entry in manifest.entries
        if entry.stem in usable
    ]


def indices(step: int, batch: int, count: int, seed: int) -> list[int]:
    """Return which samples make up the batch of ``step`` (from 0): epochs are permutations drawn by (seed, epoch)."""
    positions = range(step * batch, (step + 1) * batch)
    orders = {e: np.random.default_rng([seed, 0, e]).permutation(count) for e in {p // count for p in positions}}
    return [int(orders[p // count][p % count]) for p in positions]


class Batches:
    """The batch of every step; flips and inversions are drawn by (seed, step).

    Parameters
    ----------
    samples : Samples
        What to draw from.
    batch, seed : int
        Samples a step; seed of order and augmentation.
    hflip : float
        Probability that a sample is flipped horizontally.
    invert : float
        Probability that a sample's prior is replaced by its complement, 1 - prior.
    """

    def __init__(self, samples: Samples, batch: int, seed: int, *, hflip: float = 0.0, invert: float = 0.0) -> None:
        self.samples, self.batch, self.seed, self.hflip, self.invert = samples, batch, seed, hflip, invert

    def __call__(self, step: int) -> Batch:
        """Return the batch of ``step``, counted from 0."""
        chosen = [self.samples[i] for i in indices(step, self.batch, len(self.samples), self.seed)]
        flips, inversions = np.random.default_rng([self.seed, 1, step]).random((2, self.batch))
        mirrored, inverted = flips < self.hflip, inversions < self.invert
        images = np.stack([s.image[:, ::-1] if m else s.image for s, m in zip(chosen, mirrored, strict=True)])
        priors = np.stack([s.prior[:, ::-1] if m else s.prior for s, m in zip(chosen, mirrored, strict=True)])
        priors[inverted] = 255 - priors[inverted]
        return Batch(
            torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2),
            torch.from_numpy(np.ascontiguousarray(priors))[:, None].float() / 255,
        )
