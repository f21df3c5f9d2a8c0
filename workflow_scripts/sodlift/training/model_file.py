"""The model file: a network's weights together with everything needed to know what they are."""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sodlift.atomic import atomic_file
from sodlift.backbones._state import fit_state, read_state
from sodlift.errors import WeightsError
from sodlift.training.code import network_code
from sodlift.training.options import NetworkOptions

FORMAT = 2

_LOG = logging.getLogger("sodlift.training")


@dataclass(frozen=True)
class ModelFile:
    """A trained network.

    Attributes
    ----------
    refiner : str
        Name of the refiner (or detector) type.
    options : dict
        The options it was trained with, its recipe among them; plain values.
    backbone, weights : str
        Backbone and its weights entry, which fixes padding and normalisation.
    weights_origin : str
        The pretrained file's title and checksum.
    training : str
        Hash of the training images and targets.
    images : list of list of str
        Of each of them: data set, detector, stem, the image's and its target's SHA-256, and its part: "train",
        "validation", or "skipped".
    seed : int
        The training's seed.
    steps : int
        Steps after which these weights were taken.
    code, network_code : str
        Hashes of all code that trained it, and of the network's own.
    versions : dict of str to str
        Versions of sodlift, Python, torch and NumPy.
    state : dict of str to Tensor
        The network's state dict.
    """

    refiner: str
    options: dict[str, Any]
    backbone: str
    weights: str
    weights_origin: str
    training: str
    images: list[list[str]]
    seed: int
    steps: int
    code: str
    network_code: str
    versions: dict[str, str]
    state: dict[str, Any]

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all."""
        with atomic_file(path) as part:
            torch.save({"format": FORMAT, **vars(self)}, part)

    @classmethod
    def load(cls, path: str | Path, *, refiner: str, backbone: str, weights: str) -> "ModelFile":
        """Read a model file and check that it fits; code in the file is never run.

        Raises
        ------
        WeightsError
            If the file is missing, broken, or of another refiner type, backbone or weights entry.
        """
        path = Path(path)
        content = read_state(path)
        if content.pop("format", None) != FORMAT or content.keys() != cls.__dataclass_fields__.keys():
            raise WeightsError("not a model file of this version of sodlift", where=path, mend="train the model again")
        model = cls(**content)
        wanted = {"refiner": refiner, "backbone": backbone, "weights": weights}
        for key, value in wanted.items():
            if getattr(model, key) != value:
                raise WeightsError(
                    f"model file was trained for {key} '{getattr(model, key)}', not '{value}'",
                    where=path,
                    mend="name its own options, or train this refiner",
                )
        return model

    def check(self, options: NetworkOptions, keys: Iterable[str], path: str | Path) -> None:
        """Raise WeightsError unless the model was trained with these options: two forms may have the same shapes.

        Parameters
        ----------
        options : NetworkOptions
            The options it is used with.
        keys : iterable of str
            Those that have to be the same.
        path : path
            The model's file, for messages.
        """
        for key in keys:
            trained, wanted = self.options[key], json.loads(json.dumps(getattr(options, key)))
            if trained != wanted:
                raise WeightsError(
                    f"model file was trained with {key} {trained!r}, not {wanted!r}",
                    where=path,
                    mend=f"set {key} to what it was trained with, or train this refiner",
                )

    def fill(self, network: nn.Module, options: NetworkOptions, path: str | Path) -> None:
        """Load the weights into ``network``, which was built from ``options``; ``path`` is for messages.

        A network whose code has changed since the training is used all the same, with a warning: its parameters fit,
        but what it computes with them may be something else.

        Raises
        ------
        WeightsError
            If keys are missing, unexpected or misshaped.
        """
        fit_state(network, self.state, path)
        if self.network_code != network_code(network, options):
            _LOG.warning(
                "%s: the code of the network has changed since it was trained (by sodlift %s); "
                "train it again if its maps look wrong",
                path,
                self.versions["sodlift"],
            )
