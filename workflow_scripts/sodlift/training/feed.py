"""The batch of every step, as a function of (seed, step) alone: order, augmentation, and the way to the device.

A training that goes on after a kill therefore sees what it would have seen; so do the processes that share a batch.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Queue
from typing import NamedTuple, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from sodlift.training.data import Samples
from sodlift.training.memory import LabelMemory, mirrored
from sodlift.training.recipe import Recipe
from sodlift.training.task import Batch
from sodlift.training.team import Team

AHEAD = 3
"""Batches that are made ready while a GPU computes."""

T = TypeVar("T")


class Raw(NamedTuple):
    """A batch before augmentation, on the CPU.

    Attributes
    ----------
    planes : (B, 3 or 4, H, W) uint8
        Images and targets.
    flips : (B,) bool
        Which are mirrored.
    corners : (B, 2) float64 in [0, 1)
        Where crops lie, from the top and left ends of what is possible.
    chance, seeds, samples : (B,)
        As in ``Batch``.
    others : (B, N, H, W) uint8
        Targets of other samples.
    """

    planes: Tensor
    flips: Tensor
    corners: Tensor
    chance: Tensor
    seeds: Tensor
    samples: Tensor
    others: Tensor


def indices(step: int, batch: int, count: int, seed: int, stage: int = 0) -> list[int]:
    """Return which samples make up the batch of ``step`` (from 0): epochs are permutations drawn by (seed, epoch)."""
    positions = range(step * batch, (step + 1) * batch)
    epochs = {p // count for p in positions}
    orders = {e: np.random.default_rng([seed, 0, e, stage]).permutation(count) for e in epochs}
    return [int(orders[p // count][p % count]) for p in positions]


class Feed:
    """Batches of one stage of a training.

    Parameters
    ----------
    samples : Samples
        What to draw from.
    train, validation : sequence of int
        Positions of the samples that are learnt from, and of those held out.
    recipe : Recipe
        Size of the batch and augmentation.
    seed, stage : int
        What everything random depends on, besides the step.
    team : Team
        The processes that share each batch, and this one's device.
    crisp : bool
        Targets hold only 0 and 1, so a crop is resized by the nearest pixel.
    memory : LabelMemory, optional
        Where the targets of ``steps`` are, as they have become by then.
    others : int
        How many other training samples' targets come with each image.
    """

    def __init__(
        self,
        samples: Samples,
        train: Sequence[int],
        validation: Sequence[int],
        recipe: Recipe,
        seed: int,
        team: Team,
        *,
        stage: int = 0,
        crisp: bool = False,
        memory: LabelMemory | None = None,
        others: int = 0,
    ) -> None:
        self.samples, self.train, self.validation, self.memory, self.others = samples, train, validation, memory, others
        self.recipe, self.seed, self.stage, self.team, self.crisp = recipe, seed, stage, team, crisp

    def steps(self, start: int) -> Iterator[Batch]:
        """Yield this process's part of the batch of every step from ``start`` on, on the device."""
        raw = (self.raw(step) for step in range(start, self.recipe.steps))
        cuda = self.team.device.type == "cuda"
        for ready in prefetched(map(_pinned, raw), AHEAD) if cuda else raw:
            batch = augmented(_moved(ready, self.team.device), self.recipe.crop, crisp=self.crisp)
            # labels are read now, not ahead: the step before may have changed them
            yield batch if self.memory is None else batch._replace(targets=self.memory.labels(batch))

    def held_out(self) -> Iterator[Batch]:
        """Yield this process's part of the held-out samples, never augmented, the same at every call."""
        size = self.recipe.batch
        for number, start in enumerate(range(0, len(self.validation), size)):
            if number % self.team.world == self.team.rank:
                chosen = list(self.validation[start : start + size])
                raw = self._raw(chosen, [self.seed, 3, number, self.stage], len(chosen), slice(None))
                plain = raw._replace(flips=torch.zeros_like(raw.flips))
                yield augmented(_moved(plain, self.team.device), 1.0, crisp=self.crisp)

    def names(self, step: int) -> list[str]:
        """Return "dataset/stem" of this process's images of a step."""
        found = [self.samples.items[i] for i in self._chosen(step)[self.team.part]]
        return [f"{item.dataset}/{item.stem}" for item in found]

    def raw(self, step: int) -> Raw:
        """Return this process's part of the batch of ``step``, counted from 0."""
        chosen = self._chosen(step)
        return self._raw(chosen, [self.seed, 1, step, self.stage], len(chosen), self.team.part)

    def _chosen(self, step: int) -> list[int]:
        found = indices(step, self.recipe.batch, len(self.train), self.seed, self.stage)
        return [self.train[i] for i in found]

    def _raw(self, chosen: list[int], entropy: list[int], count: int, part: slice) -> Raw:
        """Draw for all ``count`` samples of the step, so that a part draws what the whole would."""
        random = np.random.default_rng(entropy)
        flips, chance = random.random((2, count))
        corners, seeds = random.random((count, 2)), random.integers(2**63, size=count)
        flipped = flips < 0.5 if self.recipe.hflip else np.zeros(count, bool)
        planes = np.stack([self.samples[i] for i in chosen[part]])
        drawn = [values[part] for values in (flipped, corners, chance, seeds, np.array(chosen))]
        others = self._targets(random.integers(len(self.train), size=(count, self.others))[part], planes.shape[-2:])
        return Raw(torch.from_numpy(planes), *map(torch.from_numpy, [*drawn, others]))

    def _targets(self, positions: npt.NDArray[np.int64], size: tuple[int, ...]) -> npt.NDArray[np.uint8]:
        """Return the targets (B, N, H, W) of training samples by their positions (B, N)."""
        found = [self.samples[self.train[i]][3] for i in positions.ravel().tolist()]
        return np.array(found, np.uint8).reshape(*positions.shape, *size)


def augmented(raw: Raw, crop: float, *, crisp: bool) -> Batch:
    """Flip and crop a batch, on the device that it is on; targets keep to their images."""
    planes = mirrored(raw.planes, raw.flips)
    images, targets = planes[:, :3], planes[:, 3:]
    if crop < 1:
        images = _cropped(images, raw.corners, crop, "bilinear")
        targets = _cropped(targets, raw.corners, crop, "nearest-exact" if crisp else "bilinear")
    others = raw.others.float() / 255
    return Batch(images, targets.float() / 255, raw.chance, raw.seeds, raw.samples, raw.flips, others)


def _cropped(planes: Tensor, corners: Tensor, crop: float, mode: str) -> Tensor:
    """Cut (B, C, H, W) uint8 to a share of its sides, at each image's own corner, and resize it back."""
    if not planes.shape[1]:
        return planes
    height, width = planes.shape[-2:]
    rows, columns = max(1, round(crop * height)), max(1, round(crop * width))
    tops = (corners[:, 0] * (height - rows + 1)).long().tolist()
    lefts = (corners[:, 1] * (width - columns + 1)).long().tolist()
    cut = [p[:, y : y + rows, x : x + columns] for p, y, x in zip(planes, tops, lefts, strict=True)]
    back = functional.interpolate(torch.stack(cut).float(), (height, width), mode=mode)
    return back.round().to(torch.uint8)


def prefetched(items: Iterator[T], ahead: int) -> Iterator[T]:
    """Yield ``items`` in order while a thread makes the next ones; what it raises is raised here."""
    ready: Queue[Callable[[], T] | None] = Queue(ahead)
    ended = threading.Event()

    def work() -> None:
        try:
            for item in items:
                ready.put(lambda item=item: item)  # type: ignore[misc]
                if ended.is_set():
                    return
            ready.put(None)
        except BaseException as error:  # whatever it is, it is raised where the items are used
            failed = error
            ready.put(lambda: _raise(failed))

    thread = threading.Thread(target=work, name="prefetch", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            yield item()
    finally:
        ended.set()
        while thread.is_alive():
            while not ready.empty():
                ready.get()
            thread.join(0.01)


def _raise(error: BaseException) -> NoReturn:
    raise error


def _pinned(raw: Raw) -> Raw:
    return Raw(*(tensor.pin_memory() for tensor in raw))


def _moved(raw: Raw, device: torch.device) -> Raw:
    """Move all but the seeds, corners and samples' numbers, which are read on the CPU."""
    moved = {name: getattr(raw, name).to(device, non_blocking=True) for name in ("planes", "flips", "chance", "others")}
    return raw._replace(**moved)
