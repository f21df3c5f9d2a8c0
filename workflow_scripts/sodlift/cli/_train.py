"""What ``sodlift train`` does, once its arguments are read."""

import argparse
import glob
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from sodlift.cli._maps import FolderMaps
from sodlift.cli._outputs import check_outputs
from sodlift.cli._pool import compared
from sodlift.cli._settings import merged, settings_of
from sodlift.datasets.manifest import Manifest
from sodlift.datasets.sources.folder import SOURCE, FolderOptions
from sodlift.datasets.validate import build_manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors._base import DetectorType
from sodlift.errors import ConfigError
from sodlift.options import build
from sodlift.refiners import REFINERS
from sodlift.refiners._base import RefinerType
from sodlift.training.job import TrainingJob

GIVEN = {(): "images", ("priors",): "priors", ("masks",): "masks", ("priors", "masks"): "both"}
"""What is learnt from, by which folders are named beside the images."""
LEARNS = {
    "both": "learns from priors and masks: name them by --priors and --masks",
    "priors": "learns from priors: name them by --priors",
    "masks": "learns from masks: name them by --masks",
    "images": "learns from images alone: name neither --priors nor --masks",
    None: "learns nothing",
}
"""What is said of what a type learns from."""


def train(arguments: argparse.Namespace) -> None:
    """Train a refiner or a deep detector and write its model file, its log, report and figure beside it.

    A killed training goes on when the same command is given again, from the checkpoint beside the output.

    Raises
    ------
    SodliftError
        If anything that is given is wrong, or the training fails.
    """
    kind, options = _learner(arguments)
    output: Path = arguments.output
    job = TrainingJob(
        sources=(),
        output=output,
        checkpoint=output.with_name(f"{output.name}.checkpoint"),
        log=output.with_suffix(".csv"),
        seed=arguments.seed,
        device=arguments.device,
        threads=arguments.workers,
        tensorboard=arguments.tensorboard,
    )
    _check_files(job, overwrite=arguments.overwrite)
    manifest = _manifest(arguments.images, arguments.masks)
    maps = None if arguments.priors is None else FolderMaps(arguments.priors, manifest.stems)
    job = replace(job, sources=((manifest, maps),))
    assert kind.train is not None  # else it learns nothing
    if isinstance(kind, RefinerType) and kind.pooled:
        with compared(job, manifest, overwrite=arguments.overwrite) as complete:
            kind.train(options, complete)
    else:
        kind.train(options, job)


def _learner(arguments: argparse.Namespace) -> tuple[RefinerType | DetectorType, Any]:
    """Return what is trained, and its options; raises ConfigError where it does not learn from what is given."""
    noun = "refiner" if arguments.refiner is not None else "detector"
    name = arguments.refiner or arguments.detector
    kind: RefinerType | DetectorType = REFINERS.get(name) if noun == "refiner" else DETECTORS.get(name)
    folders = tuple(what for what in ("priors", "masks") if getattr(arguments, what) is not None)
    if kind.train is None or kind.learns_from != GIVEN[folders]:
        raise ConfigError(f"{noun} '{name}' {LEARNS[kind.learns_from]}", where=f"--{(*folders, 'images')[-1]}")
    if not kind.deep:
        raise ConfigError(f"{noun} '{name}' is no network", where=f"--{noun}", mend="train it in a run, by its row")
    named = {"backbone": arguments.backbone, "weights": arguments.entry, "weights_file": arguments.weights}
    settings = {key: value for key, value in named.items() if value is not None}
    return kind, build(kind.options, merged(settings, settings_of(arguments.set)), name)


def _check_files(job: TrainingJob, *, overwrite: bool) -> None:
    """Raise ConfigError for a file that cannot be written or, unless asked for, one that is there.

    A log so far tells of a training that was let in before and killed since, maybe amid its last files: it goes on.
    """
    files = {"-o": job.output, "the log": job.log, "the report": job.report, "the figure": job.curves}
    check_outputs(files, ())
    there = [file for file in files.values() if file.exists()]
    if there and not overwrite and not job.running_log.exists():
        raise ConfigError(
            f"there already: {', '.join(file.name for file in there)}",
            where=job.output.parent,
            mend="add --overwrite, or choose another name",
        )


def _manifest(images: Path, masks: Path | None) -> Manifest:
    """Return the images, each with its mask where a folder of them is given, by the rules of a data set's folders."""
    folders = [folder.absolute() for folder in (images, masks) if folder is not None]
    root = Path(os.path.commonpath(folders))
    patterns = [(Path(glob.escape(str(folder.relative_to(root)))) / "*").as_posix() for folder in folders]
    options = FolderOptions(str(root), images=patterns[0], masks=patterns[1] if masks is not None else None)
    return build_manifest(images.resolve().name, SOURCE, options, root)[0]
