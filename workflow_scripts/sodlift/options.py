"""Frozen dataclasses made from YAML mappings: the one way in which options reach a method.

A class may offer named starting points::

    @classmethod
    def presets(cls) -> dict[str, "Options"]: ...

A mapping then picks one with ``preset: name`` and overrides what it names besides.
"""

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from sodlift.errors import ConfigError
from sodlift.problems import (
    ConfigProblems,
    Problem,
    is_mapping,
    one_of,
    raise_any,
    shown,
    suggestion,
    type_hint,
)

T = TypeVar("T")

PRESET = "preset"


def build(cls: type[T], mapping: Mapping[str, Any], where: str = "") -> T:
    """Make an instance of the frozen dataclass ``cls`` from a mapping.

    Field types may be ``bool``, ``int``, ``float`` (an integer is taken too), ``str``, ``Path``, ``Literal``,
    ``X | None``, ``tuple[X, ...]`` and ``tuple[X, Y]`` (from lists), ``Mapping[str, X]``, other frozen dataclasses
    (from mappings, over the value that the field has by default or from the preset) and ``Any``.

    Parameters
    ----------
    cls : type
        A dataclass; with a ``presets()`` classmethod the mapping may hold ``preset: name``.
    mapping : mapping
        Values by field name, as YAML gives them. Fields left out keep their default.
    where : str
        Dotted path of the mapping, the beginning of every path in a message.

    Raises
    ------
    ConfigProblems
        A ConfigError that lists every unknown key, missing key, value of a wrong type and value that the class itself
        refuses (a ``ConfigError`` or ``ValueError`` from its ``__post_init__``).
    """
    problems: list[Problem] = []
    made = _build(cls, mapping, where, problems, None)
    raise_any(problems, where)
    return cast(T, made)


def _build(cls: Any, mapping: object, path: str, problems: list[Problem], base: Any) -> Any:
    """Make ``cls`` over ``base``; what is wrong is added to ``problems``, and then the result means nothing."""
    before = len(problems)
    if not is_mapping(mapping):
        problems.append(Problem(path, f"{shown(mapping)} is not a mapping of options", "keys with values, or {}"))
        return None
    given = dict(cast(Mapping[str, Any], mapping))
    presets = cls.presets() if hasattr(cls, "presets") else {}
    if presets and PRESET in given:
        base = _preset(presets, given.pop(PRESET), f"{path}.{PRESET}".lstrip("."), problems)
    hints = typing.get_type_hints(cls)
    known = {f.name: f for f in fields(cls) if f.init}
    allowed = [PRESET, *known] if presets else list(known)
    values = {}
    for key, value in given.items():
        at = f"{path}.{key}".lstrip(".")
        if key not in known:
            problems.append(Problem(at, f"unknown key '{key}'", one_of(allowed), suggestion(key, allowed)))
            continue
        values[key] = _coerce(hints[key], value, at, problems, _starting_value(known[key], base))
    if base is None:
        missing = [n for n, f in known.items() if n not in given and not _has_default(f)]
        problems += [Problem(path, f"missing key '{name}'", _words(hints[name])) for name in missing]
    if len(problems) > before:
        return None
    try:
        return cls(**values) if base is None else replace(base, **values)
    except ConfigProblems as refusal:
        problems += [replace(p, path=f"{path}.{p.path}".strip(".")) for p in refusal.problems]
    except ConfigError as refusal:
        at = path if refusal.where is None else f"{path}.{refusal.where}".lstrip(".")
        problems.append(Problem(at, refusal.what, str(refusal.expected or ""), str(refusal.mend or "")))
    except ValueError as refusal:
        problems.append(Problem(path, str(refusal)))
    return None


def _preset(presets: Mapping[str, Any], name: object, path: str, problems: list[Problem]) -> Any:
    if isinstance(name, str) and name in presets:
        return presets[name]
    problems.append(Problem(path, f"unknown preset {shown(name)}", one_of(presets), suggestion(name, presets)))
    return next(iter(presets.values()))  # any will do to go on looking for further problems


def _has_default(field: Any) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _starting_value(field: Any, base: Any) -> Any:
    """Return what the field holds when the mapping says nothing, None where it has no value then."""
    if base is not None:
        return getattr(base, field.name)
    if field.default is not MISSING:
        return field.default
    return None if field.default_factory is MISSING else field.default_factory()


def _coerce(hint: Any, value: Any, path: str, problems: list[Problem], start: Any = None) -> Any:
    """Return ``value`` as the type ``hint``; a value that is not of it adds a problem."""
    origin = typing.get_origin(hint)
    if is_dataclass(hint):
        return _build(hint, value, path, problems, start if isinstance(start, cast(type, hint)) else None)
    if origin in {types.UnionType, typing.Union}:
        return _union(hint, value, path, problems, start)
    if origin in {tuple, Mapping}:
        return _collection(hint, value, path, problems)
    if origin is Literal:
        allowed = typing.get_args(hint)
        if not any(value == a and type(value) is type(a) for a in allowed):
            problems.append(
                Problem(path, f"{shown(value)} is not allowed", one_of(allowed), suggestion(value, allowed))
            )
        return value
    if not _is_scalar(hint, value):
        problems.append(_wrong_type(hint, value, path))
        return None
    return hint(value) if hint in {float, Path} else value


def _wrong_type(hint: Any, value: object, path: str) -> Problem:
    return Problem(path, f"{shown(value)} has the wrong type", _words(hint), type_hint(value, _kind(hint)))


def _collection(hint: Any, value: Any, path: str, problems: list[Problem]) -> Any:
    """Return a list as a tuple, or a mapping as it is, each item coerced."""
    args = typing.get_args(hint)
    if typing.get_origin(hint) is Mapping and is_mapping(value):
        return {key: _coerce(args[1], item, f"{path}.{key}", problems) for key, item in value.items()}
    if typing.get_origin(hint) is tuple and isinstance(value, list | tuple):
        inner = [args[0]] * len(value) if args[-1] is Ellipsis else list(args)
        if len(inner) == len(value):
            pairs = enumerate(zip(inner, value, strict=True))
            return tuple(_coerce(of, item, f"{path}[{i}]", problems) for i, (of, item) in pairs)
    problems.append(_wrong_type(hint, value, path))
    return None


def _union(hint: Any, value: Any, path: str, problems: list[Problem], start: Any) -> Any:
    """Take the first member that accepts ``value``; with one member besides None, its own problems are reported."""
    members = [m for m in typing.get_args(hint) if m is not types.NoneType]
    if value is None and len(members) < len(typing.get_args(hint)):
        return None
    if len(members) == 1:
        return _coerce(members[0], value, path, problems, start)
    for member in members:
        found: list[Problem] = []
        made = _coerce(member, value, path, found, start)
        if not found:
            return made
    problems.append(_wrong_type(hint, value, path))
    return None


def _is_scalar(hint: Any, value: object) -> bool:
    """Whether ``value`` is of the plain type ``hint`` as YAML has it; raises TypeError for a type we do not know."""
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is Path:
        return isinstance(value, str | Path) and str(value) != ""
    if hint in {bool, str}:
        return isinstance(value, hint)
    if hint is Any:
        return True
    raise TypeError(f"options cannot be of type {hint!r}")


_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "a path"}


def _words(hint: Any) -> str:
    """Say in words which values the type takes."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in _NAMES:
        return _NAMES[hint]
    if hint is types.NoneType:
        return "null"
    if origin is Literal:
        return one_of(args)
    if origin in {types.UnionType, typing.Union}:
        return " or ".join(_words(a) for a in args)
    if origin is tuple:
        return (
            f"a list, each {_words(args[0])}"
            if args[-1] is Ellipsis
            else f"a list of {len(args)}: {', '.join(_words(a) for a in args)}"
        )
    return "any value" if hint is Any else "a mapping"


def _kind(hint: Any) -> str:
    return {int: "number", float: "number", str: "text"}.get(hint, "")
