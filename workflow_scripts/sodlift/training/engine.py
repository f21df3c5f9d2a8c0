"""The training loop of every network here: plain torch, resumed exactly where it was killed.

All that a step depends on is the network, the optimiser, the step's number and the random generators. A checkpoint
holds these four, so that a training that is killed and started again ends with the same weights as an undisturbed one:
bit for bit on a CPU.
"""

import logging
import math
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from sodlift.progress import track
from sodlift.seeds import seed_everything
from sodlift.training.checkpoint import Checkpoint, random_state, restore_random_state
from sodlift.training.errors import TrainingError
from sodlift.training.log import Write
from sodlift.training.memory import LabelMemory
from sodlift.training.optimisers import make_optimiser, set_rates
from sodlift.training.task import Batch, LossFunction, Task
from sodlift.training.team import Team
from sodlift.training.watch import Terminated, Watch, refuse_number

_LOG = logging.getLogger("sodlift.training")

SIGTERM_STATUS = 143
"""Exit status of a training that SIGTERM ended: 128 + 15, as shells have it."""


class Feed(Protocol):
    """Where batches come from; see ``sodlift.training.feed.Feed``."""

    def steps(self, start: int) -> Iterator[Batch]: ...  # noqa: D102
    def held_out(self) -> Iterator[Batch]: ...  # noqa: D102
    def names(self, step: int) -> list[str]: ...  # noqa: D102


@dataclass(frozen=True)
class Run:
    """Where a training runs.

    Attributes
    ----------
    seed : int
        Seed of what the network itself draws, such as dropout.
    checkpoint : Checkpoint
        The file of its progress.
    team : Team
        The processes that share it, and this one's device.
    write : callable
        Adds a row to the log; the first step has the number ``offset``.
    terminated : Terminated
        Tells when to stop.
    stage, offset : int
        Number of the task, from 0, and of steps before it.
    memory : LabelMemory or None
        The labels of a task that changes them.
    """

    seed: int
    checkpoint: Checkpoint
    team: Team
    write: Write
    terminated: Terminated
    stage: int = 0
    offset: int = 0
    memory: LabelMemory | None = None

    @property
    def bad_batch(self) -> Path:
        """Where a batch goes whose loss is no number."""
        return self.checkpoint.path.with_name(f"{self.checkpoint.path.name}.bad_batch_{self.team.rank}.npz")


class Outcome(NamedTuple):
    """What a training came to: the last or best step and its score on held-out images (None without any)."""

    step: int
    validation: float | None


class _Sums(NamedTuple):
    """What a step's parts add up to, over the halves of a batch and over the processes."""

    total: float
    weight: float
    positives: float
    spread: float
    terminated: float
    due: float

    @property
    def loss(self) -> float:
        return self.total / self.weight if self.weight else self.total


def fit(task: Task, feed: Feed, run: Run, state: Mapping[str, Any] | None = None) -> Outcome:
    """Train the task's network in place, on from ``state`` where there is one.

    The network ends on the device, in evaluation mode, with its last or best weights as the recipe says.

    Parameters
    ----------
    task : Task
        The network and what it learns.
    feed : Feed
        Batches by step.
    run : Run
        Files and machine.
    state : mapping, optional
        What the checkpoint holds of this stage.

    Raises
    ------
    TrainingError
        If the loss, the gradient or a weight becomes NaN or infinite (the last checkpoint and the log stay), or a
        single image does not fit into memory.
    SystemExit
        With status 143 after SIGTERM, when the progress is saved.
    """
    return _Fit(task, feed, run).train(state)


class _Fit:
    """One stage while it is trained."""

    def __init__(self, task: Task, feed: Feed, run: Run) -> None:
        seed_everything(run.seed + run.team.rank)
        self.task, self.feed, self.run, self.recipe = task, feed, run, task.recipe
        device = run.team.device
        task.network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.module = run.team.shared(task.network)
        self.optimiser = make_optimiser(task.groups, task.recipe)
        self.parameters = [p for group in task.groups for p in group.parameters]
        self.bfloat16 = {"bfloat16": True, "float32": False, "auto": device.type == "cuda"}[task.recipe.precision]
        self.pieces = 1
        self.answers: list[tuple[Batch, Tensor]] = []
        self.best: dict[str, Any] | None = None
        self.watch = Watch()

    def train(self, state: Mapping[str, Any] | None) -> Outcome:
        start = self._restore(state) if state else 0
        score, saved, begun = None, time.monotonic(), time.monotonic()
        steps: Any = range(start, self.recipe.steps)
        if self.run.team.main:
            steps = track(steps, "training", total=self.recipe.steps, unit="step", done=start)
        for step, batch in zip(steps, self.feed.steps(start), strict=True):
            rate = set_rates(self.optimiser, self.recipe.factor(step))
            last = step + 1 == self.recipe.steps
            sums = self._step(step, batch, due=time.monotonic() - saved >= self.recipe.checkpoint_seconds)
            values = {"loss": sums.loss, "lr": rate}
            values["images_per_s"] = self.recipe.batch / (time.monotonic() - begun)
            self.watch.see(step, sums.positives, sums.spread)
            if self.recipe.validation and (last or (step + 1) % self.recipe.validate_every == 0):
                score = values["validation"] = self._validate(step)
            self.run.write(self.run.offset + step, values)
            if self.run.team.main:
                steps.set_postfix_str("{loss:.4f} loss, {images_per_s:.1f} images/s".format(**values), refresh=False)
            if not last and (sums.due or sums.terminated):
                self._save(step + 1)
                saved = time.monotonic()
            if not last and sums.terminated:
                self._exit(step + 1)
            begun = time.monotonic()
        self._check_weights(self.recipe.steps)
        self.task.network.eval()
        if self.best is None:
            return Outcome(self.recipe.steps, score)
        self.task.network.load_state_dict(self.best["network"])
        return Outcome(self.best["step"], self.best["score"])

    def _step(self, step: int, batch: Batch, *, due: bool) -> _Sums:
        """Take one step of the optimiser; a batch that does not fit into memory is halved until it does."""
        while True:
            try:
                sums = self._gradients(batch, due)
                break
            except torch.OutOfMemoryError as cause:
                self._halve(batch, cause)
        if not math.isfinite(sums.loss):
            raise self._bad(f"loss is {sums.loss}", step, batch)
        if self.recipe.clip is not None:
            norm = nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
            if not torch.isfinite(norm):
                raise self._bad(f"norm of the gradient is {norm.item()}", step, batch)
        self.optimiser.step()
        self._remember(step)
        return sums

    def _remember(self, step: int) -> None:
        """Change the labels of the step's samples, by what the network answered before the step."""
        if self.task.remember is None or self.run.memory is None:
            return
        for part, logits in self.answers:
            labels = self.task.remember(part, logits, step / self.recipe.steps)
            if labels is not None:
                self.run.memory.store(part, labels)
        self.run.team.wait()  # another process may be the next to read them

    def _gradients(self, batch: Batch, due: bool) -> _Sums:
        """Set the gradients to those of the whole batch's loss: the parts' totals over all their weights.

        The weights of later parts are not known yet when the first part is differentiated. So each is divided by the
        weight of the first parts, and all is corrected at the end.
        """
        team = self.run.team
        self.optimiser.zero_grad(set_to_none=True)
        sums = torch.zeros(len(_Sums._fields), dtype=torch.float64, device=team.device)
        sums[-2:] = torch.tensor([self.run.terminated.requested, due and team.main])
        reference: Tensor | None = None
        self.answers = []
        for part in batch.parts(self.pieces):
            with torch.autocast(team.device.type, torch.bfloat16, enabled=self.bfloat16):
                loss = self.task.loss(self.module, part)
            if reference is None:
                reference = team.sum(loss.weight.detach().float())
                reference = torch.where(reference > 0, reference, 1)
            # DistributedDataParallel takes the mean over processes where the sum is meant
            (loss.total / reference * team.world).backward()  # type: ignore[no-untyped-call]
            logits = loss.logits.detach().float()
            if self.run.memory is not None:
                self.answers.append((part, logits))
            spread = logits.max() - logits.min()
            sums[:4] += torch.stack([v.detach().double() for v in (loss.total, loss.weight, loss.positives, spread)])
        sums = team.sum(sums)
        if self.pieces > 1:
            assert reference is not None
            scale = reference / torch.where(sums[1] > 0, sums[1], 1)
            for parameter in self.parameters:
                if parameter.grad is not None:
                    parameter.grad *= scale.to(parameter.grad.dtype)
        return _Sums(*sums.tolist())

    def _halve(self, batch: Batch, cause: torch.OutOfMemoryError) -> None:
        images = math.ceil(len(batch.images) / self.pieces)
        if images == 1 or self.run.team.world > 1:
            raise TrainingError(
                f"{images} image{'s' * (images > 1)} of {batch.images.shape[-2]}x{batch.images.shape[-1]} "
                f"do{'es' * (images == 1)} not fit into memory",
                where=self.run.team.device,
                mend="train at a smaller size, with a smaller `batch`, or on a machine with more memory",
            ) from cause
        self.optimiser.zero_grad(set_to_none=True)
        if self.run.team.device.type == "cuda":
            torch.cuda.empty_cache()
        self.pieces *= 2
        _LOG.warning(
            "out of memory: the batch is computed in %d parts from here on; the loss is that of the whole batch, "
            "but normalisation by batch statistics sees a part only",
            self.pieces,
        )

    def _validate(self, step: int) -> float:
        """Return the score on the held-out images, and keep the best weights where the recipe says so."""
        network, score = self.task.network, self.task.score or self.task.loss
        network.eval()
        value = validate(network, self.feed, score, self.run.team, bfloat16=self.bfloat16)
        network.train()
        if self.recipe.keep == "best" and (self.best is None or value < self.best["score"]):
            weights = {key: tensor.detach().cpu().clone() for key, tensor in network.state_dict().items()}
            self.best = {"score": value, "step": step + 1, "network": weights}
        return value

    def _bad(self, what: str, step: int, batch: Batch) -> TrainingError:
        return refuse_number(what, step, batch, self.feed.names(step), self.run.bad_batch)

    def _check_weights(self, step: int) -> None:
        """Refuse to keep weights that are no numbers: nothing could go on from them."""
        if not all(bool(torch.isfinite(p).all()) for p in self.parameters):
            raise TrainingError(
                f"a weight is NaN or infinite after {step} steps",
                where=self.run.checkpoint.path,
                mend="lower the learning rate, give `clip`, or train in float32 (`precision: float32`)",
            )

    def _save(self, step: int) -> None:
        self._check_weights(step)
        generators = self.run.team.gather(random_state())
        if self.run.team.main:
            self.run.checkpoint.save(
                {
                    "stage": self.run.stage,
                    "step": step,
                    "network": self.task.network.state_dict(),
                    "optimiser": self.optimiser.state_dict(),
                    "random": generators,
                    "pieces": self.pieces,
                    "best": self.best,
                    "labels": None if self.run.memory is None else self.run.memory.state,
                }
            )

    def _restore(self, state: Mapping[str, Any]) -> int:
        """Set everything to a checkpoint's state; return the step to go on with."""
        self.task.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.pieces, self.best = state["pieces"], state["best"]
        if self.run.team.rank < len(state["random"]):
            restore_random_state(state["random"][self.run.team.rank])
        if self.run.team.main:
            print(
                f"going on at step {self.run.offset + state['step']}, from {self.run.checkpoint.path}", file=sys.stderr
            )
        return int(state["step"])

    def _exit(self, step: int) -> None:
        if self.run.team.main:
            print(
                f"training ended by SIGTERM after {self.run.offset + step} steps; the same command goes on from there, "
                f"by {self.run.checkpoint.path}",
                file=sys.stderr,
            )
        raise SystemExit(SIGTERM_STATUS)


def validate(network: nn.Module, feed: Feed, score: LossFunction, team: Team, *, bfloat16: bool) -> float:
    """Return the mean score of a network, in evaluation mode, over the held-out images."""
    sums = torch.zeros(2, dtype=torch.float64, device=team.device)
    with torch.no_grad(), torch.autocast(team.device.type, torch.bfloat16, enabled=bfloat16):
        for batch in feed.held_out():
            loss = score(network, batch)
            sums += torch.stack([loss.total.double(), loss.weight.double()])
    total, weight = team.sum(sums).tolist()
    return float(total / weight) if weight else float(total)
