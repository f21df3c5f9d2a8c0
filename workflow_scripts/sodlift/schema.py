"""JSON Schema checks that list every mistake, in words that say what is allowed."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from sodlift.problems import Problem, dotted, one_of, shown, suggestion, type_hint

Error = Any  # jsonschema.ValidationError, whose stubs type every attribute for its half-built state too

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


@cache
def read_schema(path: Path) -> dict[str, Any]:
    """Read a JSON Schema of ours, which is taken to be right (a test checks it)."""
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def schema_problems(data: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Problem]:
    """Return every breach of ``schema``, in the order of the dotted paths, each once."""
    found = list(_odd_keys(data, ()))
    for error in Draft202012Validator(schema).iter_errors(data):
        found += _IN_WORDS.get(str(error.validator), _as_is)(error)
    return sorted(dict.fromkeys(found), key=lambda problem: problem.path)


def defaults(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of the schema's top-level keys."""
    return {key: part["default"] for key, part in schema["properties"].items() if "default" in part}


def _odd_keys(data: object, path: tuple[object, ...]) -> Iterator[Problem]:
    """Yield keys that YAML did not read as text."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if not isinstance(key, str):
                yield Problem(dotted(path), f"key {key!r} is not text", "a name", "put the key in quotes")
            yield from _odd_keys(value, (*path, key))


def _path(error: Error) -> tuple[object, ...]:
    """Return the path of what is wrong, a wrong key included."""
    key = (error.instance,) if "propertyNames" in error.absolute_schema_path else ()
    return (*error.absolute_path, *key)


def _unknown_keys(error: Error) -> Iterator[Problem]:
    known = list(error.schema["properties"])
    for key in error.instance:
        if isinstance(key, str) and key not in known:
            at = dotted((*_path(error), key))
            yield Problem(at, f"unknown key '{key}'", one_of(known), suggestion(key, known))


def _missing_keys(error: Error) -> Iterator[Problem]:
    for key in error.validator_value:
        if key not in error.instance:
            what = error.schema["properties"][key].get("description", "")
            yield Problem(dotted(_path(error)), f"missing key '{key}'", what)


def _type(error: Error) -> Iterator[Problem]:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    value = error.instance
    mend = ""
    if "array" in wanted and isinstance(value, str | int | float) and not isinstance(value, bool):
        mend = f"write a list: [{value}]"
    elif wanted[0] in {"string", "integer", "number"}:
        mend = type_hint(value, "text" if wanted[0] == "string" else "number")
    expected = " or ".join(_TYPES[name] for name in wanted)
    yield Problem(dotted(_path(error)), f"{shown(value)} has the wrong type", expected, mend)


def _enum(error: Error) -> Iterator[Problem]:
    allowed = error.validator_value
    what = f"{shown(error.instance)} is not allowed"
    yield Problem(dotted(_path(error)), what, one_of(allowed), suggestion(error.instance, allowed))


def _pattern(error: Error) -> Iterator[Problem]:
    expected = error.schema.get("description", f"text that matches {error.validator_value}")
    yield Problem(dotted(_path(error)), f"invalid name {shown(error.instance)}", expected)


def _duplicates(error: Error) -> Iterator[Problem]:
    counts = Counter(map(repr, error.instance))
    for value, times in counts.items():
        if times > 1:
            yield Problem(dotted(_path(error)), f"{value} is listed {times} times", "each once")


def _size(words: str) -> Callable[[Error], Iterator[Problem]]:
    def problem(error: Error) -> Iterator[Problem]:
        what = f"{shown(error.instance)} is not allowed"
        yield Problem(dotted(_path(error)), what, words.format(error.validator_value))

    return problem


def _as_is(error: Error) -> Iterator[Problem]:
    yield Problem(dotted(_path(error)), error.message)


_IN_WORDS: dict[str, Callable[[Error], Iterable[Problem]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    "uniqueItems": _duplicates,
    "minimum": _size("at least {}"),
    "maximum": _size("at most {}"),
    "minItems": _size("a list of at least {}"),
    "minLength": _size("text of at least {} character"),
}
"""How a breach of each of JSON Schema's keywords is put."""
