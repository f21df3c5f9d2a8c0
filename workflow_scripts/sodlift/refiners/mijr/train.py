"""Training of MIJR (Sec. IV): the filter of pairs first, then the classifiers under it."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from shutil import rmtree

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from sodlift.datasets.manifest import Manifest
from sodlift.errors import ConfigError, DataError
from sodlift.pools.similar.images import ImagePool, name_of
from sodlift.refiners.mijr.data import Instances, digest_of_pool, open_instances
from sodlift.refiners.mijr.extract import extractor
from sodlift.refiners.mijr.network import CERTAIN, Mijr, Pairs, build, joint_loss, trust_of
from sodlift.refiners.mijr.options import MijrOptions
from sodlift.training.device import find_device
from sodlift.training.job import TrainingJob
from sodlift.training.pretrained import Pretrained, pretrained
from sodlift.training.task import Batch, Group, Loss, Task
from sodlift.training.train import train_network

Positions = npt.NDArray[np.int64]

THUMBNAIL = 8
"""Side at which the engine decodes images, which only say here which sample is whose."""
POSITIVE_SHARE = 3 / 8
"""30,000 pairs of use to 50,000 others (Sec. IV-B)."""


class Drawn:
    """Superpixels and pairs of the images of a batch, by the batch's own random numbers.

    Parameters
    ----------
    held : Instances
        All superpixels.
    order : sequence of str
        Image names by the number that a sample has in the engine.
    options : MijrOptions
        What a pair of use is, and how many are drawn.
    """

    def __init__(self, held: Instances, order: Sequence[str], options: MijrOptions) -> None:
        self.held, self.order, self.options = held, order, options
        partners, certain, truth = held.partners, held.certain, held.truth
        there = partners >= 0
        sure = certain[partners].sum(axis=2) >= CERTAIN
        self.valid = there & sure
        foreground, background = certain[partners, 0], certain[partners, 1]
        right = foreground * truth[:, None] + background * (1 - truth[:, None])
        wrong = (held.agreement <= options.wrong)[:, None]
        # comparisons with NaN, where there is no mask, are False
        self.useful = self.valid & wrong & (right >= options.right)
        finite = held.costs[np.isfinite(held.costs)]
        self.median_cost = float(np.median(finite)) if len(finite) else 1.0

    def superpixels(self, batch: Batch) -> Positions:
        """Return positions (B * instances,) of superpixels, drawn evenly."""
        draws = batch.noise(self.options.instances).cpu().numpy()
        found = [
            self.held.starts[name] + (draw * self.held.counts[name]).astype(np.int64)
            for name, draw in zip(self._names(batch), draws, strict=True)
        ]
        return np.concatenate(found)

    def pairs(self, batch: Batch) -> tuple[Positions, Positions]:
        """Return superpixels (K,) and the numbers (K,) of their partners: pairs of use and others, as 3 to 5.

        An image without any of one kind gives of the other kind alone; one without valid pairs gives one that is not.
        """
        count = self.options.instances
        first = round(POSITIVE_SHARE * count)
        draws = batch.noise(count).cpu().numpy()
        found: list[Positions] = []
        for name, draw in zip(self._names(batch), draws, strict=True):
            start = self.held.starts[name]
            here = slice(start, start + self.held.counts[name])
            useful = self.useful[here]
            for kind, part in ((useful, draw[:first]), (self.valid[here] & ~useful, draw[first:])):
                places = np.argwhere(kind)
                if len(places):
                    found.append(places[(part * len(places)).astype(np.int64)] + (start, 0))
            if not self.valid[here].any():
                found.append(np.array([[start, 0]]))
        chosen = np.concatenate(found)
        return chosen[:, 0], chosen[:, 1]

    def at(self, superpixels: Positions, device: torch.device, which: Positions | None = None) -> Pairs:
        """Return the pairs of superpixels (B,) with all their partners, or with the ``which``-th alone."""
        held, chosen = self.held, np.arange(self.held.partners.shape[1])[None] if which is None else which[:, None]
        rows = superpixels[:, None]
        partners = held.partners[rows, chosen]
        costs = torch.from_numpy(held.costs[rows, chosen])
        parts = (
            held.features[superpixels].astype(np.float32),
            held.features[partners].astype(np.float32),
            held.base[superpixels],
            held.certain[partners],
        )
        own, partner, base, certain = (torch.from_numpy(part).to(device) for part in parts)
        trust = trust_of(costs, torch.tensor(self.median_cost)).to(device)
        return Pairs(own, partner, base, certain, trust, torch.from_numpy(self.valid[rows, chosen]).to(device))

    def _names(self, batch: Batch) -> list[str]:
        return [self.order[i] for i in batch.samples.tolist()]


def tasks(options: MijrOptions, source: Pretrained, drawn: Drawn, pool: bytes) -> tuple[Task, ...]:
    """Return the training of the filter, where there is one, and that of the classifiers."""
    held, recipe = drawn.held, options.recipe
    network = build(options, source.backbone, source.module, len(held.base))
    _describe(network, drawn)
    network.pool.copy_(torch.frombuffer(bytearray(pool), dtype=torch.uint8))

    def choose(module: nn.Module, batch: Batch) -> Loss:
        superpixels, which = drawn.pairs(batch)
        pairs = drawn.at(superpixels, batch.images.device, which)
        useful = torch.from_numpy(drawn.useful[superpixels, which]).float().to(batch.images.device)
        logits = module(pairs)[:, 0]
        valid = pairs.valid[:, 0].float()
        total = functional.binary_cross_entropy_with_logits(logits.float(), useful, valid, reduction="sum")
        return Loss(total, valid.sum(), useful.sum(), logits)

    def relearn(module: nn.Module, batch: Batch) -> Loss:
        superpixels = drawn.superpixels(batch)
        pairs = drawn.at(superpixels, batch.images.device)
        truth = torch.from_numpy(held.truth[superpixels]).to(batch.images.device).round()
        decided = module(pairs)
        if module.training:
            network.observe(decided.single.detach(), truth, pairs.valid)
        total = joint_loss(decided, truth, pairs.valid, network.alpha())
        return Loss(total, truth.new_tensor(len(truth)), truth.sum(), decided.single)

    rate = recipe.head_lr
    classifiers = Task(network, (Group("head", list(network.classifiers.parameters()), rate),), relearn, recipe)
    if not options.filtered:
        return (classifiers,)
    earlier = replace(recipe, steps=options.filter_steps)
    return Task(
        network.filter, (Group("filter", list(network.filter.parameters()), rate),), choose, earlier
    ), classifiers


def _describe(network: Mijr, drawn: Drawn) -> None:
    """Set what the network knows of the pool: features' mean and deviation, certain shares, cost, pairs of use."""
    held = drawn.held
    total, squares = np.zeros(held.features.shape[1]), np.zeros(held.features.shape[1])
    for start in range(0, len(held.features), 1 << 14):
        part = held.features[start : start + (1 << 14)].astype(np.float64)
        total += part.sum(axis=0)
        squares += (part**2).sum(axis=0)
    mean = total / len(held.features)
    deviation = np.sqrt(np.maximum(squares / len(held.features) - mean**2, 1e-6))
    network.filter.standard.mean.copy_(torch.from_numpy(mean))
    network.filter.standard.deviation.copy_(torch.from_numpy(deviation))
    network.certain.copy_(torch.from_numpy(held.certain))
    network.median_cost.fill_(drawn.median_cost)
    network.positives.fill_(int(drawn.useful.sum()))


def train(options: MijrOptions, job: TrainingJob) -> None:
    """Train MIJR and write ``job.output``.

    Raises
    ------
    DataError, MapError
        If no image has both a mask and a usable base map, the job has no pool, or a file is broken.
    ConfigError
        If several processes are to train: what is learnt fits one.
    WeightsError
        If the pretrained weights are missing or of another network.
    TrainingError
        If the loss is no longer a number.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("MIJR is trained by one process", mend="start it without torchrun")
    if job.pool is None:
        raise DataError("MIJR needs a pool of similar images", mend="name one: `pool`")
    pool, source = ImagePool(job.pool), pretrained(options)
    extract = extractor(source.module, source.entry, options.shape, find_device(job.device))
    digest = digest_of_pool(job)
    key = hashlib.sha256(f"{digest} {options.backbone} {source.origin} {options.size}".encode()).hexdigest()[:16]
    kept = job.checkpoint.with_name(f"{job.checkpoint.name}.instances")
    held = open_instances(kept / key, pool, job, extract, options.classifiers)
    learnt = set(held.learnt)
    sources = tuple((part, None) for manifest, _ in job.sources if (part := _part(manifest, learnt)) is not None)
    if not sources:
        mend = "give masks for some images of the pool, and maps that are not empty"
        raise DataError("no image of the pool has both a mask and a usable base map", where=job.pool, mend=mend)
    order = [name_of(manifest, entry) for manifest, _ in sources for entry in manifest.entries]
    drawn = Drawn(held, order, options)
    smaller = replace(job, sources=sources, pool=None, aligned=())
    train_network(
        "mijr",
        options,
        smaller,
        lambda start: tasks(options, start, drawn, pool.digest),
        size=THUMBNAIL,
        targets="masks",
        also=digest,
    )
    rmtree(kept)


def _part(manifest: Manifest, names: set[str]) -> Manifest | None:
    """Return the images of a data set that are learnt from, None where there are none."""
    entries = tuple(entry for entry in manifest.entries if name_of(manifest, entry) in names)
    return Manifest(manifest.dataset, entries) if entries else None
