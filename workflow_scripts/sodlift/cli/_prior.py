"""What ``sodlift prior`` does, once its arguments are read."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from sodlift.arrays import write_map
from sodlift.cli._outputs import check_maps
from sodlift.detectors.prior import PriorOptions, maps
from sodlift.errors import ConfigError, DataError, listed
from sodlift.priors import PRIORS
from sodlift.registry import unknown_name

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""What is an image in a folder, in any case; a file that is named itself may end as it likes."""


def compute_priors(arguments: argparse.Namespace) -> None:
    """Compute and write the maps.

    Raises
    ------
    SodliftError
        If anything that is given is wrong. Arguments, names and the images' headers are checked before any map is
        computed; where an image turns out to be damaged further on, the maps before it have been written.
    """
    options = _options(list(dict.fromkeys(arguments.method)), arguments.set)
    images = _images(arguments.images)
    targets = {
        option.method: [
            (arguments.output / option.method if len(options) > 1 else arguments.output) / f"{image.stem}.png"
            for image in images
        ]
        for option in options
    }
    check_maps([file for files in targets.values() for file in files], images, overwrite=arguments.overwrite)
    for option in options:
        found = maps(option, images, arguments.workers, "" if arguments.quiet else f"of {len(images)} images")
        for file, saliency in zip(targets[option.method], found, strict=True):
            write_map(file, saliency / 255.0)


def _options(methods: Sequence[str], given: Iterable[str]) -> list[PriorOptions]:
    """Return each method with its parameters: ``NAME=VALUE`` is for all methods, ``METHOD.NAME=VALUE`` for one."""
    params: dict[str, dict[str, Any]] = {method: {} for method in methods}
    for method in methods:
        if method not in PRIORS:
            raise unknown_name("prior", method, PRIORS.names(), where="--method")
    for text in given:
        key, equals, value = text.partition("=")
        method, dot, name = key.rpartition(".")
        if not equals or not name or (dot and method not in params):
            raise ConfigError(
                f"cannot understand '--set {text}'",
                expected=f"NAME=VALUE, or METHOD.NAME=VALUE with a method among {', '.join(methods)}",
            )
        for chosen in [method] if dot else methods:
            params[chosen][name] = yaml.safe_load(value)
    return [PriorOptions(method, params[method]) for method in methods]


def _images(given: Iterable[Path]) -> list[Path]:
    """Return the image files that are named or lie in a folder that is; raises ConfigError or DataError."""
    files: dict[Path, None] = {}
    for path in given:
        if not path.exists():
            raise DataError("no such image or folder", where=path, mend="check the path")
        inside = sorted(file for file in path.iterdir() if _is_image(file)) if path.is_dir() else [path]
        if not inside:
            raise DataError("no images in the folder", where=path, expected=f"files ending in {', '.join(SUFFIXES)}")
        files |= dict.fromkeys(file.resolve() for file in inside)
    stems: dict[str, list[Path]] = {}
    for file in files:
        stems.setdefault(file.stem, []).append(file)
    if several := [f"{stem} ({' and '.join(map(str, same))})" for stem, same in stems.items() if len(same) > 1]:
        raise ConfigError(
            f"images of one stem, whose maps would have one name: {listed(several)}",
            expected="one image a stem",
            mend="name the images that are meant, or write to two folders in two runs",
        )
    if broken := [file for file in files if not _opens(file)]:
        raise DataError(
            f"{len(broken)} of {len(files)} files are no images that can be read: {listed(broken)}",
            expected="PNG, JPEG, BMP, TIFF or WebP",
            mend="replace the files, or leave them out",
        )
    return list(files)


def _is_image(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _opens(file: Path) -> bool:
    """Whether the file begins as an image does; whether it is whole shows when it is decoded."""
    try:
        with Image.open(file):
            return True
    except Exception:  # decoders have many words for what they cannot read
        return False
