"""Detectors that are run here: a network in an ONNX file, which makes a map of an image; ``training/onnx_file.py``."""

from contextlib import closing
from functools import partial
from pathlib import Path

from sodlift.arrays import FloatMap, Image8, read_image, resize_image
from sodlift.datasets.manifest import Manifest
from sodlift.detectors._base import DetectorType, Machine
from sodlift.mapset import MapWriter
from sodlift.parallel import ahead
from sodlift.progress import track
from sodlift.training import onnx_file
from sodlift.training.onnx_file import Model, OnnxOptions, Wanted, check_found, fitted, predict

AHEAD = 4
"""Images a worker that may wait, so that memory does not grow with the data set."""


def load(options: OnnxOptions) -> Model:
    """Load the network; raises what ``sodlift.training.onnx_file.load`` does."""
    return onnx_file.load(options, [Wanted("an image", 3)])


def files(options: OnnxOptions, dataset: str) -> list[Path]:
    """Return the network's file, whatever the data set; raises WeightsError if it is missing."""
    check_found(options.file)
    return [options.file]


def detect(model: Model, options: OnnxOptions, image: Image8, where: object = None) -> FloatMap:
    """Return the network's map of an image (H, W, 3), at the image's size: (H, W) float32 in [0, 1].

    Raises
    ------
    MapError
        If the network fails on the image, or its output is no map.
    """
    given = options.normalisation.apply(fitted(image, options, resize_image))
    return predict(model, options, [given], (image.shape[0], image.shape[1]), where)


def _detect_file(model: Model, options: OnnxOptions, file: Path) -> FloatMap:
    return detect(model, options, read_image(file), where=f"{options.file} on {file}")


def run(options: OnnxOptions, manifest: Manifest, writer: MapWriter, machine: Machine) -> None:
    """Run the network on every image; maps have the image's size, and are the same whatever the number of workers.

    Workers are threads: they share one network, which lets Python go as it runs. It runs on the CPU.

    Raises
    ------
    MissingDependencyError, WeightsError, ConfigError
        See ``load``; before the first image.
    MapError
        See ``detect``; the message names the image.
    """
    find = partial(_detect_file, load(options), options)
    workers, images = max(1, machine.workers), [entry.image for entry in manifest.entries]
    with closing(ahead(find, images, workers, AHEAD * workers)) as maps:
        shown_maps = track(maps, f"{options.file.name} {manifest.dataset}", total=len(images))
        for entry, saliency in zip(manifest.entries, shown_maps, strict=True):
            writer.add(entry.stem, saliency)


DETECTOR = DetectorType("a network in an ONNX file, run here", OnnxOptions, run, files, divisible=True)
