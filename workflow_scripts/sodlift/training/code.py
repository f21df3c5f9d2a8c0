"""Which code trained a model, and which code its network is."""

import ast
import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

from torch import nn

from sodlift.code_hash import code_hash
from sodlift.training.options import NetworkOptions

FOREIGN = frozenset({"torch", *sys.stdlib_module_names})
"""Packages whose code is known by their versions, which the model file names."""


def network_code(network: nn.Module, options: NetworkOptions) -> str:
    """Return the hash of the modules that define the network's layers and their base classes, and of the backbone's.

    Imports are not followed, since a network's package holds its training too. Comments and layout do not count, nor
    does what torch and Python themselves define.
    """
    classes = {base for layer in network.modules() for base in type(layer).__mro__}
    names = {cls.__module__ for cls in classes} | set(options.modules)
    digest = hashlib.sha256()
    for name in sorted(name for name in names if name.partition(".")[0] not in FOREIGN):
        tree = ast.parse(inspect.getsource(importlib.import_module(name)))
        digest.update(f"{name}\0{ast.dump(tree)}\0".encode())
    return digest.hexdigest()[:16]


def training_code(make_tasks: Callable[..., Any], options: NetworkOptions) -> str:
    """Return the hash of all code of a training: of the module that defines its tasks, the engine, the backbone."""
    return code_hash(inspect.getfile(make_tasks), ("sodlift.training.train", *options.modules))
