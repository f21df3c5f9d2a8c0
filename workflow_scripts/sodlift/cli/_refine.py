"""What ``sodlift refine`` does, once its arguments are read."""

import argparse
import sys
from functools import partial

from sodlift.allocator import keep_freed_memory
from sodlift.cli._maps import FolderMaps, WrittenMaps, images_of, manifest_of
from sodlift.cli._outputs import check_maps
from sodlift.cli._settings import settings_of
from sodlift.errors import ConfigError, listed
from sodlift.inference.model import read_model
from sodlift.inference.refine import refine_map_sets
from sodlift.options import build
from sodlift.progress import track
from sodlift.refiners import REFINERS
from sodlift.refiners._base import Refiner


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
    folders = [WrittenMaps(arguments.output / name if len(names) > 1 else arguments.output) for name in names]
    read = set(images.values()) | {maps.path(stem) for maps in priors for stem in images}
    written = [folder.file(stem) for folder in folders for stem in images]
    check_maps(written, [file.resolve() for file in read], overwrite=arguments.overwrite)
    manifest = manifest_of(images)
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
        return read_model(arguments.model, settings).refiner(arguments.device, arguments.pool)
    if arguments.pool is not None:
        raise ConfigError("a refiner without a model compares with no pool", where="--pool", mend="leave it out")
    kind = REFINERS.get(arguments.refiner)
    if kind.learns_from is not None:
        raise ConfigError(
            f"refiner '{arguments.refiner}' is trained", where="--refiner", mend="name its model file by --model"
        )
    return kind.load(build(kind.options, settings, arguments.refiner), None, arguments.device)
