"""Detectors that are run here: a network in an ONNX file, exported from any framework.

An image is resized to the network's input (or padded), normalised and run by onnxruntime on the CPU; the output is
activated, stretched where that is asked for, and resized to the image's size.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8, check_fit, minmax, read_image, resize, resize_image
from sodlift.datasets.manifest import Manifest
from sodlift.detectors._base import DetectorType, Machine
from sodlift.detectors._network import ACTIVATIONS, Normalisation
from sodlift.errors import ConfigError, MapError, MissingDependencyError, WeightsError, listed
from sodlift.mapset import MapWriter
from sodlift.parallel import ahead
from sodlift.problems import shown
from sodlift.progress import track
from sodlift.registry import unknown_name

ROUNDING = 1e-3
"""How far an output may lie outside [0, 1]: what half precision rounds there. It is clipped."""

AHEAD = 4
"""Images a worker that may wait, so that memory does not grow with the data set."""

TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
"""The types of numbers that a network may take, by onnxruntime's names."""

_LOADING = {
    "External data": "the model's weights lie in a second file: put it beside the model, under the name it had",
    "Protobuf parsing failed": "the file is damaged, or no ONNX model: fetch it again",
    "No graph": "the file is damaged, or no ONNX model: fetch it again",
}
"""Mends of models that onnxruntime does not load, by its words."""


@dataclass(frozen=True)
class OnnxOptions:
    """The network, what it takes and what its output means.

    Attributes
    ----------
    file : Path
        The ONNX file.
    size : (height, width) or None
        What images are resized to; None leaves them as they are but for ``multiple``.
    multiple : int
        Without ``size``: what height and width are padded up to a multiple of, by repeating the last row and column.
    normalisation : Normalisation
        What is done to the pixels.
    output : int or str
        Which output is the map, by position (-1 is the last) or name.
    activation : "none", "sigmoid" or "softmax"
        What turns the output into values in [0, 1]; ``softmax`` takes two planes, the second one being the object.
    stretch : bool
        Stretch each map to [0, 1] by its minimum and maximum, after the activation.
    sha256 : str
        The file's checksum in hexadecimal; another file is an error. Empty: any file is taken.

    Raises
    ------
    ConfigError
        If a size or multiple is not positive, both are given, or the checksum is none.
    """

    file: Path
    size: tuple[int, int] | None = None
    multiple: int = 1
    normalisation: Normalisation = field(default_factory=Normalisation)
    output: int | str = 0
    activation: Literal["none", "sigmoid", "softmax"] = "none"
    stretch: bool = False
    sha256: str = ""

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) < 1:
            raise ConfigError(f"size is {list(self.size)}", where="size", expected="[height, width], both positive")
        if self.multiple < 1:
            raise ConfigError(f"multiple is {self.multiple}", where="multiple", expected="1 or more")
        if self.size is not None and self.multiple > 1:
            raise ConfigError("both `size` and `multiple` are given", where="multiple", mend="leave one of them out")
        if not re.fullmatch("([0-9a-fA-F]{64})?", self.sha256):
            raise ConfigError(f"{shown(self.sha256)} is no sha256", where="sha256", expected="64 hexadecimal digits")


class Model(NamedTuple):
    """A network that is loaded, and fits its options."""

    session: Any
    input: str
    type: type
    output: str


def load(options: OnnxOptions) -> Model:
    """Load the network, and hold what it takes and gives against the options.

    Raises
    ------
    MissingDependencyError
        If onnxruntime is not installed.
    WeightsError
        If the file is missing, broken, another than ``sha256`` says, or does not map one image to maps.
    ConfigError
        If the network takes images of another size, or has no such output.
    """
    session = _session(options)
    return Model(session, *_input(session, options), _output(session, options))


def _session(options: OnnxOptions) -> Any:
    try:
        runtime: Any = import_module("onnxruntime")  # here, since it is optional
    except ImportError as cause:
        raise MissingDependencyError(
            "detectors of type onnx need the package onnxruntime, which is not installed",
            mend="pip install 'sodlift[onnx]'",
        ) from cause
    _check_found(options.file)
    _check_digest(options)
    settings = runtime.SessionOptions()
    # Several threads within an image cut its sums differently, and the last bits change with their number. So an image
    # has one thread, and several images are worked on at once.
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.log_severity_level = 4  # it would print what it raises
    try:
        return runtime.InferenceSession(str(options.file), settings, providers=["CPUExecutionProvider"])
    except Exception as cause:  # onnxruntime has no base class of its errors
        told = _told(cause)
        mends = (mend for words, mend in _LOADING.items() if words in told)
        raise WeightsError(
            f"cannot load the ONNX model: {told}",
            where=options.file,
            mend=next(mends, f"export the model anew, for what onnxruntime {runtime.__version__} knows"),
        ) from cause


def _told(cause: Exception) -> str:
    """Return an error of onnxruntime as one line, without its codes."""
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", " ".join(str(cause).split()))


def files(options: OnnxOptions, dataset: str) -> list[Path]:
    """Return the network's file, whatever the data set; raises WeightsError if it is missing."""
    _check_found(options.file)
    return [options.file]


def _check_found(file: Path) -> None:
    if not file.is_file():
        raise WeightsError("ONNX model not found", where=file, mend="put it there, or correct `file`")


def _check_digest(options: OnnxOptions) -> None:
    if not options.sha256:
        return
    with options.file.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    if digest != options.sha256.lower():
        raise WeightsError(
            f"ONNX model is another file: its sha256 is {digest}",
            where=options.file,
            expected=f"sha256 {options.sha256.lower()}",
            mend="fetch the file again, or correct `sha256`",
        )


def _input(session: Any, options: OnnxOptions) -> tuple[str, type]:
    """Return the name and type of the network's input; raises WeightsError, ConfigError."""
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise WeightsError(
            f"ONNX model has {len(inputs)} inputs: {listed(i.name for i in inputs)}",
            where=options.file,
            expected="one, an image",
        )
    name, shape, kind = inputs[0].name, inputs[0].shape, inputs[0].type
    written = f"({', '.join(map(str, shape))})"
    if not _is_image(shape):
        raise WeightsError(
            f"input '{name}' of the ONNX model is {written}",
            where=options.file,
            expected="(1, 3, height, width): one image, its three channels first; names stand for any number",
            mend="export the model for such an input",
        )
    if kind not in TYPES:
        raise WeightsError(
            f"input '{name}' of the ONNX model is a {kind}", where=options.file, expected=" or ".join(TYPES)
        )
    size = options.size or (None, None)
    if any(isinstance(fixed, int) and fixed != given for fixed, given in zip(shape[2:], size, strict=True)):
        wanted = [
            str(n) if isinstance(n, int) else word for n, word in zip(shape[2:], ("height", "width"), strict=True)
        ]
        raise ConfigError(
            f"`size` is {'null' if options.size is None else list(options.size)}, and input '{name}' of the ONNX model "
            f"is {written}",
            where=options.file,
            mend=f"write `size: [{', '.join(wanted)}]`, or export the model for any size",
        )
    return name, TYPES[kind]


def _is_image(shape: Sequence[int | str | None]) -> bool:
    """Whether the shape that a network declares can be (1, 3, h, w): a number that it leaves open can be any."""
    if len(shape) != 4 or (shape[1] != 3 and shape[3] == 3):  # open channels before three: they are last
        return False
    return all(not isinstance(n, int) or n == wanted for n, wanted in zip(shape[:2], (1, 3), strict=True))


def _output(session: Any, options: OnnxOptions) -> str:
    """Return the name of the output that is the map; raises ConfigError, WeightsError."""
    types = {output.name: output.type for output in session.get_outputs()}
    names, wanted = list(types), options.output
    if isinstance(wanted, int) and not -len(names) <= wanted < len(names):
        raise ConfigError(
            f"`output` is {wanted}, and the ONNX model has {len(names)} outputs",
            where=options.file,
            expected=f"0 to {len(names) - 1}, or one of: {', '.join(names)}",
        )
    name = names[wanted] if isinstance(wanted, int) else wanted
    if name not in types:
        raise unknown_name("output", name, names, where=options.file)
    if types[name] not in TYPES:
        raise WeightsError(
            f"output '{name}' of the ONNX model is a {types[name]}", where=options.file, expected=" or ".join(TYPES)
        )
    return name


def detect(model: Model, options: OnnxOptions, image: Image8, where: object = None) -> FloatMap:
    """Return the network's map of an image (H, W, 3), at the image's size: (H, W) float32 in [0, 1].

    Raises
    ------
    MapError
        If the network fails on the image, or its output is no map.
    """
    height, width = image.shape[:2]
    if options.size is None:
        rows, columns = (-side % options.multiple for side in (height, width))
        inner = np.pad(image, ((0, rows), (0, columns), (0, 0)), mode="edge")
    else:
        inner = resize_image(image, options.size)
    try:
        (raw,) = model.session.run([model.output], {model.input: options.normalisation.apply(inner).astype(model.type)})
    except Exception as cause:  # as above
        mend = None if options.size else "give `size`, or `multiple`: 32 for most networks"
        raise MapError(f"the ONNX model fails: {_told(cause)}", where=where, mend=mend) from cause
    saliency = _saliency(raw, options, (inner.shape[0], inner.shape[1]), where)
    if options.size is None:
        return np.ascontiguousarray(resize(saliency, (inner.shape[0], inner.shape[1]))[:height, :width])
    return resize(saliency, (height, width))


def _saliency(raw: npt.NDArray[Any], options: OnnxOptions, size: tuple[int, int], where: object) -> FloatMap:
    """Return the map (h, w), float32 in [0, 1], that the output for an input of ``size`` means; raises MapError."""
    activation = ACTIVATIONS[options.activation]
    refusal = MapError(
        f"output of the ONNX model is {raw.shape}",
        where=where,
        expected=f"(1, {activation.planes}, height, width) in the proportions of its input, {size[1]}x{size[0]}",
        mend="name the right `output`; `activation: softmax` takes two planes, the others one",
    )
    plane = raw.shape[-2:]
    if raw.ndim < 2 or min(plane) < 2 or raw.size != activation.planes * math.prod(plane):
        raise refusal
    planes = raw.astype(np.float32).reshape(activation.planes, *plane)
    try:
        check_fit(planes[0], size)
    except MapError:
        raise refusal from None
    if not np.isfinite(planes).all():
        raise MapError(
            "output of the ONNX model holds NaN or infinity",
            where=where,
            mend="check `normalisation`; half precision may overflow: export the model in single precision",
        )
    saliency = activation.apply(planes)
    saliency = minmax(saliency) if options.stretch else saliency
    low, high = float(saliency.min()), float(saliency.max())
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise MapError(
            f"output of the ONNX model spans {low:.4g} to {high:.4g}",
            where=where,
            expected="values in [0, 1]",
            mend="`activation: sigmoid` where these are logits, or `stretch: true`",
        )
    return np.clip(saliency, 0, 1).astype(np.float32)


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
