"""State dicts: read without running code, compared with a network key by key, and refused where they do not fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sodlift.errors import WeightsError, listed

_COUNTER = ".num_batches_tracked"
"""Batch normalisation counts batches since PyTorch 0.4.1, and needs the count only for a cumulative average."""
_SHOWN = 8
"""Problems that an error lists."""
_SAID = {
    "matched": "keys matched",
    "missing": "missing",
    "unexpected": "unexpected",
    "misshaped": "misshaped",
    "uncounted": "counters of batches absent",
    "unused": "of the classifier unused",
    "outside": "of other parts left out",
}


@dataclass(frozen=True)
class KeyReport:
    """What became of every key of a file and of a network.

    Attributes
    ----------
    matched : tuple of str
        Keys of both, of one shape.
    missing, unexpected, misshaped : tuple of str
        Keys of the network only, of the file only, and of both in two shapes, which are told. Any of them is a problem.
    uncounted : tuple of str
        Counters of batches that files of before PyTorch 0.4.1 lack; they start at 0, and no prediction uses them.
    unused : tuple of str
        Keys of the file that belong to the classifier.
    outside : tuple of str
        Keys of the file that do not begin with the network's prefix, as they are in the file.
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshaped: tuple[str, ...]
    uncounted: tuple[str, ...]
    unused: tuple[str, ...]
    outside: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for each key that keeps the file from fitting."""
        return tuple(f"{kind}: {key}" for kind in ("missing", "unexpected", "misshaped") for key in getattr(self, kind))

    @property
    def summary(self) -> str:
        """One line, such as "26 keys matched, 6 of the classifier unused"."""
        counts = {kind: len(keys) for kind, keys in self._groups() if keys or kind == "matched"}
        return ", ".join(f"{count} {_SAID[kind]}" for kind, count in counts.items())

    def __str__(self) -> str:
        lines = [self.summary]
        for kind, keys in self._groups():
            lines += [f"{kind}:", *(f"    {key}" for key in keys)] if keys else []
        return "\n".join(lines)

    def _groups(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        return ((field.name, getattr(self, field.name)) for field in fields(self))


def read_state(path: Path, nested: str = "") -> dict[str, Any]:
    """Read a file saved by torch without running any code of it.

    Parameters
    ----------
    path : Path
        The file.
    nested : str
        Key of what to return, for a checkpoint that holds more than a state dict.

    Raises
    ------
    WeightsError
        If it is missing, cannot be read without running code, or is no mapping by names.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as cause:
        raise WeightsError(
            "weights file not found", where=path, mend="train the model first, or name its file"
        ) from cause
    except Exception as cause:  # torch names no narrower set: zip, pickle and type errors all mean the same here
        raise WeightsError(
            f"cannot read the weights file: {str(cause).splitlines()[0] if str(cause) else type(cause).__name__}",
            where=path,
            expected="a file saved by torch.save with tensors only",
            mend="fetch or train it again",
        ) from cause
    if not nested:
        return _mapping(state, "weights file holds", path)
    checkpoint = _mapping(state, "weights file holds", path)
    if nested not in checkpoint:
        raise WeightsError(
            f"weights file holds no '{nested}'",
            where=path,
            expected=f"a checkpoint with the state dict under '{nested}'; its keys are {listed(checkpoint, 5)}",
            mend="choose the weights entry that this file belongs to",
        )
    return _mapping(checkpoint[nested], f"'{nested}' of the weights file is", path)


def _mapping(state: Any, said: str, path: Path) -> dict[str, Any]:
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        kind = "dict whose keys are no names" if isinstance(state, dict) else type(state).__name__
        raise WeightsError(f"{said} a {kind}", where=path, expected="a state dict")
    return state


def compare_keys(
    module: nn.Module, state: Mapping[str, Any], prefix: str = "", unused: tuple[str, ...] = ()
) -> KeyReport:
    """Compare the keys of ``state`` with those of ``module``.

    Parameters
    ----------
    module : nn.Module
        The network.
    state : mapping of str to Tensor
        What a file holds.
    prefix : str
        What the network's keys begin with in the file.
    unused : tuple of str
        Beginnings of keys, below ``prefix``, that the network does without.
    """
    own = module.state_dict()
    inside = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    given = {key: value for key, value in inside.items() if not key.startswith(unused)}
    misshaped = {
        key: f"{key} is {_shape(given[key])}, not {_shape(own[key])}"
        for key in own
        if key in given and _shape(given[key]) != _shape(own[key])
    }
    absent = [key for key in own if key not in given]
    return KeyReport(
        matched=tuple(key for key in own if key in given and key not in misshaped),
        missing=tuple(key for key in absent if not key.endswith(_COUNTER)),
        unexpected=tuple(key for key in given if key not in own),
        misshaped=tuple(misshaped.values()),
        uncounted=tuple(key for key in absent if key.endswith(_COUNTER)),
        unused=tuple(key for key in inside if key not in given),
        outside=tuple(key for key in state if not key.startswith(prefix)),
    )


def _shape(value: Any) -> str:
    return str(tuple(value.shape)) if isinstance(value, torch.Tensor) else f"a {type(value).__name__}"


def fit_state(
    module: nn.Module, state: Mapping[str, Any], where: object, prefix: str = "", unused: tuple[str, ...] = ()
) -> KeyReport:
    """Load ``state`` into ``module`` and return what became of each key; see ``compare_keys``.

    Raises
    ------
    WeightsError
        If keys are missing, unexpected or misshaped: the message lists them.
    """
    report = compare_keys(module, state, prefix, unused)
    if problems := report.problems:
        more = f"\n    and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        lines = "".join(f"\n    {line}" for line in problems[:_SHOWN])
        stray = f"keys that begin with '{prefix}', which '{report.outside[0]}' does not" if report.outside else None
        raise WeightsError(
            f"weights do not fit the network: {report.summary}{lines}{more}",
            where=where,
            expected=stray,
            mend="name the weights file of this network, or the network (backbone, weights entry) of this file",
        )
    module.load_state_dict({key: state[prefix + key] for key in report.matched})
    return report
