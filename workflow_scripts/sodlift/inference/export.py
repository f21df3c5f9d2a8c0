"""Trained models as ONNX files: image (and prior) in, map out; each is checked against its model at once."""

import logging
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sodlift.atomic import atomic_file
from sodlift.errors import ConfigError, MissingDependencyError
from sodlift.inference.graphs import GRAPHS
from sodlift.inference.model import load_model

OPSET = 20
TOLERANCE = 1e-4
"""By how much a file's maps may differ from the model's."""

INPUTS = ("image", "prior")
"""What a file takes; a detector's only the first."""

MULTIPLE, SMALLEST, USUAL = 32, 64, 256
"""Sides of images: every stride divides them, and no tap is a single pixel; and what a model of any size gets."""


def export_onnx(model: Path, target: Path, size: int | None = None, settings: Mapping[str, Any] | None = None) -> float:
    """Write a model as an ONNX file with input ``image``, a refiner's ``prior``, and output ``map``; the batch is free.

    Parameters
    ----------
    model : Path
        A model file.
    target : Path
        The ONNX file; it appears when onnxruntime's maps equal the model's.
    size : int or None
        Side of images and priors; None is the one that the model resizes to, or 256 where it takes every size.
    settings : mapping of str to object
        Options that differ from those the model was trained with.

    Returns
    -------
    float
        The largest difference between onnxruntime's map and the model's, on images of noise.

    Raises
    ------
    ConfigError
        If the model, its options or the size cannot be exported, or the file's maps are not the model's.
    MissingDependencyError
        If a package of the extra ``onnx`` is not installed.
    WeightsError
        If the model file cannot be used.
    """
    runtime = [_package(name) for name in ("onnx", "onnxscript", "onnxruntime")][-1]
    loaded: Any = load_model(model, "cpu", settings)
    if type(loaded) not in GRAPHS:
        raise ConfigError(
            f"a {type(loaded).__name__} cannot be exported",
            where=model,
            expected=f"one of: {', '.join(kind.__name__ for kind in GRAPHS)}",
        )
    size = size or loaded.network_size((USUAL, USUAL))[0]
    if size < SMALLEST or size % MULTIPLE:
        raise ConfigError(f"size {size}", where="--size", expected=f"a multiple of {MULTIPLE}, at least {SMALLEST}")
    graph = GRAPHS[type(loaded)](loaded).eval()
    example = _example(size)[: 1 + graph.with_prior]
    with atomic_file(target) as part, torch.inference_mode(False), torch.no_grad():
        write_onnx(graph, example, part)
        session = runtime.InferenceSession(str(part), providers=["CPUExecutionProvider"])
        found = session.run(["map"], {name: x.numpy() for name, x in zip(INPUTS, example, strict=False)})[0]
        largest = float(np.abs(found - graph(*example).numpy()).max())
        if not largest <= TOLERANCE:
            raise ConfigError(
                f"onnxruntime's map differs from the model's by {largest:.2g}",
                where=model,
                expected=f"at most {TOLERANCE:g}",
                mend="install another version of torch or onnxruntime",
            )
    return largest


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as cause:
        raise MissingDependencyError(
            f"package '{name}' is needed to export a model", mend=f"pip install {name}, or 'sodlift[onnx]' with it"
        ) from cause


def _example(size: int) -> tuple[Tensor, Tensor]:
    """Return two images and priors with a certain core on a certain ground, always the same."""
    generator = torch.Generator().manual_seed(0)
    axis = torch.linspace(-1, 1, size)
    distance = torch.hypot(axis[:, None], axis[None])
    prior = torch.stack([(1.2 - shift * distance).clamp(0, 1) for shift in (1.5, 2.5)])[:, None]
    return torch.rand(2, 3, size, size, generator=generator) * 0.5 + prior * 0.5, prior


def write_onnx(graph: nn.Module, example: tuple[Tensor, ...], file: Path) -> None:
    """Write a graph of as many of ``INPUTS`` as the example has, and of one output, ``map``; the batch is free."""
    batch = {0: torch.export.Dim("batch", min=1, max=1024)}
    level = logging.getLogger("torch.onnx").level
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch's own deprecations
            torch.onnx.export(
                graph,
                example,
                str(file),
                input_names=list(INPUTS[: len(example)]),
                output_names=["map"],
                dynamic_shapes=(batch,) * len(example),
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    finally:
        logging.getLogger("torch.onnx").setLevel(level)
