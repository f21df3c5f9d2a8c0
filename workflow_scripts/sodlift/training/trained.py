"""The trained network of a refiner or detector, from its model file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from sodlift.backbones import BACKBONES
from sodlift.backbones._base import Backbone, WeightsEntry
from sodlift.errors import WeightsError
from sodlift.training.model_file import ModelFile

N = TypeVar("N", bound=nn.Module)


def trained_network(
    kind: str,
    options: Any,
    same: Sequence[str],
    build: Callable[[Any, Backbone, nn.Module], N],
    file: Path | None,
) -> tuple[N, WeightsEntry]:
    """Return a network with its trained weights, on the CPU, and the weights entry that it was built for.

    Parameters
    ----------
    kind : str
        The type of the refiner or detector, such as "mirm".
    options : object
        Its options, with ``backbone`` and ``weights``.
    same : sequence of str
        The options that must be those of the training.
    build : callable
        ``build(options, backbone, module) -> network``.
    file : Path or None
        The model file.

    Raises
    ------
    WeightsError
        If no file is given, it is missing or broken, or is of another network.
    """
    if file is None:
        raise WeightsError(f"{kind.upper()} needs a trained model file", mend="train it first, or name its file")
    backbone = BACKBONES.get(options.backbone)
    name, entry = backbone.choose(options.weights)
    model = ModelFile.load(file, refiner=kind, backbone=options.backbone, weights=name)
    model.check(options, same, file)
    network = build(options, backbone, backbone.build(entry))
    model.fill(network, options, file)
    return network, entry
