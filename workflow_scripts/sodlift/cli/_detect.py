"""What ``sodlift detect`` does, once its arguments are read."""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from sodlift.allocator import keep_freed_memory
from sodlift.arrays import FloatMap, to_uint8
from sodlift.cli._maps import WrittenMaps, images_of, manifest_of
from sodlift.cli._outputs import check_maps
from sodlift.cli._settings import settings_of
from sodlift.detectors._base import Machine
from sodlift.detectors._deep import detect
from sodlift.errors import MapError
from sodlift.inference.model import read_model


@dataclass(frozen=True)
class _Detected(WrittenMaps):
    """The folder of the maps, with counts of what is odd about them."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, stem: str, saliency: FloatMap | None, status: str = "ok", note: str = "") -> None:
        super().add(stem, saliency, status, note)
        self.counts["maps"] += 1
        self.counts["constant"] += saliency is not None and np.ptp(to_uint8(saliency)) == 0

    def refuse(self, stem: str, kind: str, item: str) -> None:
        raise MapError(
            f"the map of image '{stem}' is {kind}",
            expected="finite values in [0, 1]",
            mend="train the detector again: its weights may be damaged",
        )

    def __str__(self) -> str:
        constant = self.counts["constant"]
        return f"{self.counts['maps']} maps" + (f"; {constant} constant: nothing was found" if constant else "")


def detect_folder(arguments: argparse.Namespace) -> None:
    """Find the maps of a folder of images.

    Raises
    ------
    SodliftError
        If anything that is given is wrong. Arguments, names, the images' headers and the model are checked before any
        map is made; where an image turns out to be damaged further on, the maps before it have been written.
    """
    images = images_of(arguments.images)
    maps = _Detected(arguments.output)
    inputs = [arguments.model.resolve(), *(file.resolve() for file in images.values())]
    check_maps([maps.file(stem) for stem in images], inputs, overwrite=arguments.overwrite)
    manifest = manifest_of(images)
    keep_freed_memory()
    detector = read_model(arguments.model, settings_of(arguments.set)).detector(arguments.device)
    machine = Machine(arguments.workers, arguments.device, arguments.precision)
    detect(detector, manifest, maps, machine, quiet=arguments.quiet)
    if not arguments.quiet:
        print(maps, file=sys.stderr)
