"""The one function that trains: a refiner's ``train(options, job)`` says what, this does the rest."""

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from shutil import copyfile
from typing import Any

import torch

from sodlift.atomic import atomic_file, sweep
from sodlift.errors import ConfigError
from sodlift.training.checkpoint import Checkpoint
from sodlift.training.code import network_code, training_code
from sodlift.training.curves import draw_curves
from sodlift.training.data import (
    Item,
    Refuse,
    Samples,
    Targets,
    digest_of,
    held_out,
    items_of,
    open_samples,
    remove_samples,
)
from sodlift.training.engine import Outcome, Run, fit
from sodlift.training.feed import Feed
from sodlift.training.job import TrainingJob
from sodlift.training.log import step_log
from sodlift.training.memory import begin_memory
from sodlift.training.model_file import ModelFile
from sodlift.training.options import NetworkOptions
from sodlift.training.pretrained import Pretrained, pretrained
from sodlift.training.report import versions, write_report
from sodlift.training.task import Task
from sodlift.training.team import Team, team
from sodlift.training.watch import terminable


def train_network(
    kind: str,
    options: NetworkOptions,
    job: TrainingJob,
    make_tasks: Callable[[Pretrained], Sequence[Task]],
    *,
    size: int | None,
    targets: Targets,
    refuse: Refuse = lambda stored, resized: "",
    also: str = "",
) -> None:
    """Train a network and write ``job.output``, with its log, report and figure.

    Parameters
    ----------
    kind : str
        Name of the refiner (or detector) type, such as "mirm".
    options : NetworkOptions
        Its options: a frozen dataclass.
    job : TrainingJob
        Data, files and machine.
    make_tasks : callable
        A function ``make_tasks(pretrained) -> tasks`` that builds what is trained, one after the other, when everything
        random is seeded: usually one task. A later task's network holds whatever it needs of an earlier one's (such as
        the backbone, shared); the model file gets the last one's.
    size : int or None
        Side of the squares that images are resized to; None keeps their size, and needs a batch of 1.
    targets : str
        What comes with an image: its map from the job (``priors``), its ``masks``, binarised at > 127, or ``none``.
    refuse : callable
        ``refuse(stored target, target at training size)``, maps (H, W) in [0, 1], gives the reason why an image
        cannot be learnt from, or an empty string.
    also : str
        A hash of what else is learnt from, beside the images and their targets.

    Raises
    ------
    DataError, MapError
        If no image is usable, a file is broken, or targets are missing.
    ConfigError
        If the device is not there, or the options contradict the weights, the data or the number of processes.
    WeightsError
        If the pretrained weights are missing or of another network.
    TrainingError
        If a number is no longer one, memory is short, or the checkpoint is damaged.
    MissingDependencyError
        If TensorBoard's files are asked for without its package.
    SystemExit
        With status 143 after SIGTERM, when the progress is saved.
    """
    torch.manual_seed(job.seed)
    source = pretrained(options)
    settings = json.loads(json.dumps(asdict(options), default=str))
    with team(job.device, job.threads) as place:
        items = items_of(job, targets)
        code, data = training_code(make_tasks, options), digest_of(items, also)
        identity = hashlib.sha256(json.dumps([kind, settings, job.seed, data, code, versions()]).encode()).hexdigest()
        checkpoint = Checkpoint(job.checkpoint, identity)
        tasks = make_tasks(source)
        _check_batches(tasks, place, size)
        _check_memories(tasks, size)

        def opened() -> Samples:
            return open_samples(job.cache, identity[:16], items, size, targets, refuse, job.threads)

        if place.main:
            opened()  # one process decodes, for all
        place.wait()
        samples = opened()
        if place.main:
            print(samples.summary(), file=sys.stderr)
        outcome = _fit_all(tasks, samples, job, checkpoint, place, crisp=targets == "masks")
        if not place.main:
            return
        network = tasks[-1].network
        ModelFile(
            refiner=kind,
            options=settings,
            backbone=options.backbone,
            weights=source.weights,
            weights_origin=source.origin,
            training=data,
            images=_images(items, samples, tasks[-1].recipe.validation),
            seed=job.seed,
            steps=outcome.step,
            code=code,
            network_code=network_code(network, options),
            versions=versions(),
            state={key: value.cpu() for key, value in network.state_dict().items()},
        ).save(job.output)
        with atomic_file(job.log) as part:
            copyfile(job.running_log, part)
        draw_curves(job.log, job.curves)
        facts = {"refiner": kind, "seed": job.seed, "images": len(samples), "skipped": dict(samples.skipped)}
        write_report(job.report, job.log, place, tasks[-1].recipe, {**facts, **outcome._asdict()})
        checkpoint.remove()
        job.running_log.unlink()
        remove_samples(job.cache)
        for file in (job.output, job.log, job.curves, job.report, job.running_log):
            sweep(file)


def _fit_all(
    tasks: Sequence[Task], samples: Samples, job: TrainingJob, checkpoint: Checkpoint, place: Team, *, crisp: bool
) -> Outcome:
    """Train one task after the other, from where the checkpoint is; return what the last one came to."""
    state = checkpoint.load()
    first = int(state["stage"]) if state else 0
    offsets = [sum(task.recipe.steps for task in tasks[:stage]) for stage in range(len(tasks))]
    start = offsets[first] + (int(state["step"]) if state else 0)
    log = step_log(job.running_log, start, job.tensorboard) if place.main else nullcontext(_no_log)
    with log as write, terminable() as terminated:
        for stage in range(first, len(tasks)):
            task = tasks[stage]
            train, validation = _split(samples, task.recipe.validation)
            known = state if stage == first else None
            labels = known["labels"] if known else None
            memory = begin_memory(job.cache, samples, place, labels) if task.remember else None
            parts = (samples, train, validation, task.recipe, job.seed, place)
            feed = Feed(*parts, stage=stage, crisp=crisp, memory=memory, others=task.others)
            run = Run(job.seed, checkpoint, place, write, terminated, stage, offsets[stage], memory)
            outcome = fit(task, feed, run, known)
    return outcome


def _no_log(step: int, values: Any) -> None:
    """Write nothing: the first process keeps the log."""


def _split(samples: Samples, share: float) -> tuple[list[int], list[int]]:
    """Return the positions of the samples to learn from and of those held out; raises ConfigError if either is none."""
    out = [held_out(item.stem, share) for item in samples.items]
    train, validation = ([i for i, held in enumerate(out) if held is part] for part in (False, True))
    if not train or (share and not validation):
        raise ConfigError(
            f"of {len(samples)} images {len(validation)} are held out",
            where="recipe.validation",
            expected="at least one image on either side",
            mend="choose another share, or train on more images",
        )
    return train, validation


def _images(items: Sequence[Item], samples: Samples, share: float) -> list[list[str]]:
    """Return the training manifest: every image's names and digests, and its part."""
    used = set(samples.items)
    parts = {False: "train", True: "validation"}
    return [[*item.row, parts[held_out(item.stem, share)] if item in used else "skipped"] for item in items]


def _check_batches(tasks: Sequence[Task], place: Team, size: int | None) -> None:
    for batch in (task.recipe.batch for task in tasks):
        if size is None and batch > 1:
            raise ConfigError(
                f"{batch} is not allowed", where="recipe.batch", expected="1 where images keep their own size"
            )
        if batch < place.world:
            raise ConfigError(
                f"{batch} images a step cannot be shared by {place.world} processes",
                where="recipe.batch",
                expected=f"at least {place.world}",
            )


def _check_memories(tasks: Sequence[Task], size: int | None) -> None:
    """Refuse what a label memory cannot keep: labels of several sizes, or parts of a label."""
    for task in tasks:
        if task.remember and size is None:
            raise ConfigError(
                "images keep their own size", where="size", expected="one size for all where labels are changed"
            )
        if task.remember and task.recipe.crop < 1:
            raise ConfigError(
                f"{task.recipe.crop} is not allowed", where="recipe.crop", expected="1 where labels are changed"
            )
