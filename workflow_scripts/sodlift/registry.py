"""Registries by convention: a name is a module of a package, and the module holds one well-known attribute.

Adding a prior, a backbone or a refiner is therefore adding one file. Because names map to modules, the workflow can
hash exactly the code behind a name (see ``code_hash``) without importing it.
"""

import difflib
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from typing import Generic, TypeVar

from sodlift.errors import UnknownNameError

T = TypeVar("T")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"did you mean 'x'? "`` for a near match among ``known``, else an empty string."""
    near = difflib.get_close_matches(str(name), [str(k) for k in known], n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'? " if near else ""


def unknown_name(kind: str, name: str, known: Iterable[str], where: object = None) -> UnknownNameError:
    """Build the error for a name that is not among ``known`` (not raised here, so that callers keep their flow)."""
    known = sorted(str(k) for k in known)
    return UnknownNameError(
        f"unknown {kind} '{name}'",
        where=where,
        expected=f"one of: {', '.join(known) or '(none registered)'}",
        mend=f"{did_you_mean(name, known)}Check the spelling, or register it.",
    )


class Registry(Generic[T]):
    """The public modules of ``package``, each giving its attribute ``attribute``.

    Parameters
    ----------
    kind : str
        What is registered, for messages ("prior", "backbone").
    package : str
        Dotted name of the package whose modules are the entries; modules with a leading underscore are helpers.
    attribute : str
        Name of the module-level object that every entry defines.
    exclude : iterable of str
        Modules of the package that are shared parts, not entries.
    """

    def __init__(self, kind: str, package: str, attribute: str, exclude: Iterable[str] = ()) -> None:
        self.kind, self.package, self.attribute = kind, package, attribute
        self._exclude = frozenset(exclude)

    def names(self) -> list[str]:
        """Return the registered names, sorted, without importing any of them."""
        spec = importlib.util.find_spec(self.package)
        assert spec is not None and spec.submodule_search_locations is not None
        found = (m.name for m in pkgutil.iter_modules(list(spec.submodule_search_locations)))
        return sorted(n for n in found if not n.startswith("_") and n not in self._exclude)

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def module(self, name: str) -> str:
        """Return the dotted module behind ``name``; raises UnknownNameError."""
        if name not in self:
            raise unknown_name(self.kind, name, self.names())
        return f"{self.package}.{name}"

    def source(self, name: str) -> Path:
        """Return the source file behind ``name``, without importing it; raises UnknownNameError."""
        spec = importlib.util.find_spec(self.module(name))
        assert spec is not None and spec.origin is not None
        return Path(spec.origin)

    def get(self, name: str) -> T:
        """Import the module behind ``name`` and return its entry; raises UnknownNameError."""
        entry: T = getattr(importlib.import_module(self.module(name)), self.attribute)
        return entry
