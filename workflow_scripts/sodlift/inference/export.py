"""Trained models as ONNX files: image and prior in, refined map out; each is checked against its model at once."""

import logging
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sodlift.atomic import atomic_file
from sodlift.backbones._base import WeightsEntry
from sodlift.errors import ConfigError, MissingDependencyError
from sodlift.inference.model import load_model
from sodlift.refiners.lps.refine import LpsRefiner, iterations
from sodlift.refiners.mirm.loss import foreground_weights
from sodlift.refiners.mirm.refine import FLAT, MirmRefiner

OPSET = 20
TOLERANCE = 1e-4
"""By how much a file's maps may differ from the model's."""

MULTIPLE, SMALLEST, USUAL = 32, 64, 256
"""Sides of images: every stride divides them, and no tap is a single pixel; and what a model of any size gets."""


class _Normalised(nn.Module):
    """Images in [0, 1] as the weights expect them."""

    def __init__(self, entry: WeightsEntry) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(entry.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(entry.std).view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        return (image - self.mean) / self.std  # type: ignore[operator]


class MirmGraph(nn.Module):
    """MIRM from image (B, 3, H, W) RGB and prior (B, 1, H, W), both in [0, 1], to its merged, stretched map.

    An image whose prior has no pixel of at least theta_fg keeps it, as in mode ``keep``.
    """

    def __init__(self, refiner: MirmRefiner) -> None:
        super().__init__()
        self.normalised, self.network, self.theta_fg = (
            _Normalised(refiner.entry),
            refiner.fast,
            refiner.options.theta_fg,
        )

    def forward(self, image: Tensor, prior: Tensor) -> Tensor:
        """Return the refined map (B, 1, H, W)."""
        found = torch.sigmoid(self.network(self.normalised(image), foreground_weights(prior, self.theta_fg)))
        merged = torch.where((found - 0.5).abs() > (prior - 0.5).abs(), found, prior)
        low, high = merged.amin(dim=(-2, -1), keepdim=True), merged.amax(dim=(-2, -1), keepdim=True)
        stretched = torch.where(high - low < FLAT, merged, (merged - low) / (high - low + 1e-12)).clamp(0, 1)
        return torch.where(prior.amax(dim=(-2, -1), keepdim=True) >= self.theta_fg, stretched, prior)


class LpsGraph(nn.Module):
    """LPS from image (B, 3, H, W) RGB and prior (B, 1, H, W), both in [0, 1], to the map of its last iteration.

    An image whose prior leaves a region less than a pixel keeps it.
    """

    def __init__(self, refiner: LpsRefiner) -> None:
        super().__init__()
        self.normalised, self.network = _Normalised(refiner.entry), refiner.network
        self.times = refiner.options.iterations

    def forward(self, image: Tensor, prior: Tensor) -> Tensor:
        """Return the refined map (B, 1, H, W)."""
        *_, last = iterations(self.network, self.network.encode(self.normalised(image)), prior, self.times)
        return last


GRAPHS: dict[type, Callable[[Any], nn.Module]] = {MirmRefiner: MirmGraph, LpsRefiner: LpsGraph}
"""What is exported of a refiner, by its type."""


def export_onnx(model: Path, target: Path, size: int | None = None, settings: Mapping[str, Any] | None = None) -> float:
    """Write a model as an ONNX file with inputs ``image`` and ``prior`` and output ``map``; the batch is free.

    Parameters
    ----------
    model : Path
        A model file.
    target : Path
        The ONNX file; it appears when onnxruntime's maps equal the model's.
    size : int or None
        Side of images and priors; None is the model's own, or 256 where it takes every size.
    settings : mapping of str to object
        Options that differ from those the model was trained with.

    Returns
    -------
    float
        The largest difference between onnxruntime's map and the model's, on images of noise.

    Raises
    ------
    ConfigError
        If the refiner or the size cannot be exported, or the file's maps are not the model's.
    MissingDependencyError
        If a package of the extra ``onnx`` is not installed.
    WeightsError
        If the model file cannot be used.
    """
    runtime = [_package(name) for name in ("onnx", "onnxscript", "onnxruntime")][-1]
    refiner: Any = load_model(model, "cpu", settings)
    if type(refiner) not in GRAPHS:
        raise ConfigError(f"a {type(refiner).__name__} cannot be exported", where=model, expected="MIRM or LPS")
    size = size or refiner.options.size or USUAL
    if size < SMALLEST or size % MULTIPLE:
        raise ConfigError(f"size {size}", where="--size", expected=f"a multiple of {MULTIPLE}, at least {SMALLEST}")
    graph = GRAPHS[type(refiner)](refiner).eval()
    image, prior = _example(size)
    with atomic_file(target) as part, torch.inference_mode(False), torch.no_grad():
        write_onnx(graph, (image, prior), part)
        session = runtime.InferenceSession(str(part), providers=["CPUExecutionProvider"])
        found = session.run(["map"], {"image": image.numpy(), "prior": prior.numpy()})[0]
        largest = float(np.abs(found - graph(image, prior).numpy()).max())
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


def write_onnx(graph: nn.Module, example: tuple[Tensor, Tensor], file: Path) -> None:
    """Write a graph of two inputs, ``image`` and ``prior``, and one output, ``map``; the batch is free."""
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
                input_names=["image", "prior"],
                output_names=["map"],
                dynamic_shapes=(batch, batch),
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    finally:
        logging.getLogger("torch.onnx").setLevel(level)
