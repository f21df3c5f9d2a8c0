"""The model file: a network's weights together with everything needed to know what they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sodlift.atomic import atomic_file
from sodlift.backbones._state import read_state
from sodlift.errors import WeightsError

FORMAT = 1


@dataclass(frozen=True)
class ModelFile:
    """A trained network.

    Attributes
    ----------
    refiner : str
        Name of the refiner (or detector) type.
    options : dict
        The options it was trained with; plain values.
    backbone, weights : str
        Backbone and its weights entry, which fixes padding and normalisation.
    weights_origin : str
        The pretrained file's title and checksum.
    training : str
        Hash of the training manifests and priors.
    code_version : str
        Version of sodlift that trained it.
    state : dict of str to Tensor
        The network's state dict.
    """

    refiner: str
    options: dict[str, Any]
    backbone: str
    weights: str
    weights_origin: str
    training: str
    code_version: str
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
