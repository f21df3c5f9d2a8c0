"""What ``sodlift refine`` does, once its arguments are read."""

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt
from PIL import Image

from sodlift.allocator import keep_freed_memory
from sodlift.arrays import write_map
from sodlift.cli._maps import FolderMaps, images_of
from sodlift.cli._outputs import check_maps
from sodlift.cli._settings import settings_of
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.errors import ConfigError, DataError, listed
from sodlift.inference.model import load_model
from sodlift.inference.refine import refine_map_sets
from sodlift.options import build
from sodlift.progress import track
from sodlift.refiners import REFINERS
from sodlift.refiners._base import Refiner


@dataclass(frozen=True)
class _Folder:
    """A folder that refined maps are written to, each whole or not at all."""

    path: Path

    def file(self, stem: str) -> Path:
        return self.path / f"{stem}.png"

    def add(self, stem: str, saliency: npt.NDArray[Any] | None, status: str = "ok", note: str = "") -> None:
        if saliency is not None:
            write_map(self.file(stem), saliency)


def refine(arguments: argparse.Namespace) -> None:
    """Refine the maps.

    Raises
    ------
    SodliftError
        If anything that is given is wrong. Arguments, names, the images' headers and the model are checked before any
        map is refined; where a file turns out to be damaged further on, the maps before it have been written.
    """
    images = images_of(arguments.images)
    priors = [FolderMaps(source, images) for source in arguments.priors]
    names = [maps.folder.resolve().name for maps in priors]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"folders of priors of one name: {listed(names)}", where="--priors", mend="refine them in several runs"
        )
    folders = [_Folder(arguments.output / name if len(names) > 1 else arguments.output) for name in names]
    read = set(images.values()) | {maps.path(stem) for maps in priors for stem in images}
    written = [folder.file(stem) for folder in folders for stem in images]
    check_maps(written, [file.resolve() for file in read], overwrite=arguments.overwrite)
    manifest = Manifest("images", tuple(_entry(stem, file) for stem, file in images.items()))
    keep_freed_memory()
    refiner = _refiner(arguments)
    progress = iter if arguments.quiet else partial(track, what="refining")
    sets = list(zip(priors, folders, strict=True))
    summaries = refine_map_sets(refiner, manifest, sets, progress, precision=arguments.precision)
    if not arguments.quiet:
        for name, summary in zip(names, summaries, strict=True):
            print(f"{name}: {summary}", file=sys.stderr)


def _refiner(arguments: argparse.Namespace) -> Refiner:
    settings = settings_of(arguments.set)
    if arguments.model is not None:
        return load_model(arguments.model, arguments.device, settings)
    kind = REFINERS.get(arguments.refiner)
    if kind.learns_from is not None:
        raise ConfigError(
            f"refiner '{arguments.refiner}' is trained", where="--refiner", mend="name its model file by --model"
        )
    return kind.load(build(kind.options, settings, arguments.refiner), None, arguments.device)


def _entry(stem: str, file: Path) -> Entry:
    """Return what is known of an image from its header; raises DataError where that cannot be read."""
    try:
        with Image.open(file) as handle:
            width, height = handle.size
    except Exception as cause:  # decoders have many words for what they cannot read
        raise DataError("no image that can be read", where=file, mend="replace the file, or leave it out") from cause
    return Entry(stem, file.absolute(), None, height, width, image_sha256="")
