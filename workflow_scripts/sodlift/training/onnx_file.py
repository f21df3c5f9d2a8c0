"""Networks in ONNX files, exported from any framework: opened, held against their options, and run on the CPU.

What goes in is resized to the network's input (or padded); what comes out is activated, stretched where that is asked
for, and resized to the image's size.
"""

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, check_fit, minmax, resize
from sodlift.errors import ConfigError, MapError, MissingDependencyError, WeightsError, listed
from sodlift.problems import shown
from sodlift.registry import unknown_name
from sodlift.training.network_io import ACTIVATIONS, Normalisation

V = TypeVar("V", bound=np.generic)

Resize = Callable[[npt.NDArray[Any], tuple[int, int]], npt.NDArray[Any]]
"""Resizes an image or a map to (height, width)."""

ROUNDING = 1e-3
"""How far an output may lie outside [0, 1]: what half precision rounds there. It is clipped."""

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


class Wanted(NamedTuple):
    """An input that a model must have.

    Attributes
    ----------
    noun : str
        What it is, for messages: "an image".
    planes : int
        Its channels.
    name : str or None
        Its name; None where it is the only one, whatever its name.
    """

    noun: str
    planes: int
    name: str | None = None


class Input(NamedTuple):
    """An input of a network: its name and the type of its numbers."""

    name: str
    type: type


class Model(NamedTuple):
    """A network that is loaded, and fits its options; its inputs are in the order in which they were wanted."""

    session: Any
    inputs: tuple[Input, ...]
    output: str


def load(options: OnnxOptions, wanted: Sequence[Wanted]) -> Model:
    """Load the network, and hold what it takes and gives against the options.

    Raises
    ------
    MissingDependencyError
        If onnxruntime is not installed.
    WeightsError
        If the file is missing, broken, another than ``sha256`` says, or does not make a map of what is wanted.
    ConfigError
        If the network takes another size, or has no such output.
    UnknownNameError
        If it has no input or output of a name.
    """
    session = _session(options)
    return Model(session, _inputs(session, options, wanted), _output(session, options))


def _session(options: OnnxOptions) -> Any:
    try:
        runtime: Any = import_module("onnxruntime")  # here, since it is optional
    except ImportError as cause:
        raise MissingDependencyError(
            "networks in ONNX files need the package onnxruntime, which is not installed",
            mend="pip install 'sodlift[onnx]'",
        ) from cause
    check_found(options.file)
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


def check_found(file: Path) -> None:
    """Raise WeightsError if the file is missing."""
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


def _inputs(session: Any, options: OnnxOptions, wanted: Sequence[Wanted]) -> tuple[Input, ...]:
    """Return the network's inputs in the order of ``wanted``; raises WeightsError, ConfigError, UnknownNameError."""
    given = {one.name: one for one in session.get_inputs()}
    if len(given) != len(wanted):
        raise WeightsError(
            f"ONNX model has {len(given)} inputs: {listed(given)}",
            where=options.file,
            expected=f"{len(wanted)}: {' and '.join(one.noun for one in wanted)}",
            mend="a network of an image alone is a detector, one of an image and a prior a refiner",
        )
    names = [next(iter(given)) if one.name is None else one.name for one in wanted]
    if unknown := [name for name in names if name not in given]:
        raise unknown_name("input", unknown[0], given, where=options.file)
    return tuple(_input(given[name], one.planes, options) for name, one in zip(names, wanted, strict=True))


def _input(given: Any, planes: int, options: OnnxOptions) -> Input:
    """Return one input, held against the options; raises WeightsError, ConfigError."""
    name, shape, kind = given.name, given.shape, given.type
    written = f"({', '.join(map(str, shape))})"
    if not _has_planes(shape, planes):
        raise WeightsError(
            f"input '{name}' of the ONNX model is {written}",
            where=options.file,
            expected=f"(1, {planes}, height, width): channels first; names stand for any number",
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
    return Input(name, TYPES[kind])


def _has_planes(shape: Sequence[int | str | None], planes: int) -> bool:
    """Whether the shape that a network declares can be (1, planes, h, w): a number that it leaves open can be any."""
    if len(shape) != 4 or (shape[1] != planes and shape[3] == planes):  # open channels before so many: they are last
        return False
    return all(not isinstance(n, int) or n == wanted for n, wanted in zip(shape[:2], (1, planes), strict=True))


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


def fitted(values: npt.NDArray[V], options: OnnxOptions, resized: Resize) -> npt.NDArray[V]:
    """Return an image (H, W, 3) or a map (H, W) as large as the network takes it: resized by ``resized``, or padded."""
    if options.size is not None:
        return resized(values, options.size)
    rows, columns = (-side % options.multiple for side in values.shape[:2])
    return np.pad(values, ((0, rows), (0, columns), (0, 0))[: values.ndim], mode="edge")


def predict(
    model: Model, options: OnnxOptions, given: Sequence[npt.NDArray[Any]], size: tuple[int, int], where: object = None
) -> FloatMap:
    """Return the network's map at the image's size: (H, W) float32 in [0, 1].

    Parameters
    ----------
    model, options
        The network.
    given : sequence of (1, planes, h, w)
        What its inputs get, in their order: ``fitted``.
    size : (H, W)
        The image's size.
    where : object
        What an error names.

    Raises
    ------
    MapError
        If the network fails, or its output is no map.
    """
    fed: dict[str, Any] = {one.name: values.astype(one.type) for one, values in zip(model.inputs, given, strict=True)}
    try:
        (raw,) = model.session.run([model.output], fed)
    except Exception as cause:  # as above
        mend = None if options.size else "give `size`, or `multiple`: 32 for most networks"
        raise MapError(f"the ONNX model fails: {_told(cause)}", where=where, mend=mend) from cause
    inner = (given[0].shape[2], given[0].shape[3])
    saliency = _saliency(raw, options, inner, where)
    if options.size is None:
        return np.ascontiguousarray(resize(saliency, inner)[: size[0], : size[1]])
    return resize(saliency, size)


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
