"""YAML files read strictly, with the line of every key, so that a message can point at it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from sodlift.errors import ConfigError
from sodlift.problems import Problem, dotted


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML that also reads ``5e-3`` as a number, as YAML 1.2 and everyone's eyes do."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


@dataclass(frozen=True)
class Document:
    """What a configuration file says.

    Attributes
    ----------
    data : mapping
        Its content.
    file : str
        Its name, empty for a configuration that comes from no file.
    lines : mapping of str to int
        Line of each key and list item, by dotted path.
    """

    data: Mapping[str, Any]
    file: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)

    def locate(self, problems: Iterable[Problem]) -> list[Problem]:
        """Add this file to each problem, with the line of the problem's path or of the nearest key above it."""
        return [replace(p, file=self.place(p.path)) for p in problems]

    def place(self, path: str) -> str:
        """Return ``file:line`` of a dotted path, or the file alone where the line is not known."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return f"{self.file}:{self.lines[path]}" if path else self.file


def read_document(path: str | Path) -> Document:
    """Read a YAML file that holds one mapping; raises ConfigError for anything else, and for a key given twice."""
    path = Path(path)
    try:
        loader = _Loader(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError("configuration file not found", where=path, mend="check the path") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as cause:
        raise ConfigError(f"cannot read the file: {cause}", where=path, expected="a YAML file in UTF-8") from None
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError("the file holds no mapping", where=path, expected="keys with values: `name: value`")
        lines = dict(_lines(node, (), path))
        data = loader.construct_document(node)
    except yaml.YAMLError as cause:
        mark = getattr(cause, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        what = getattr(cause, "problem", None) or str(cause)
        raise ConfigError(f"not valid YAML: {what}", where=where, mend="check indentation, quotes and colons") from None
    finally:
        loader.dispose()
    return Document(data, str(path), lines)


def _lines(node: yaml.Node, path: tuple[object, ...], file: Path) -> Iterator[tuple[str, int]]:
    """Yield dotted path and line of everything below ``node``; raises ConfigError for a key that is there twice."""
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            yield dotted((*path, i)), item.start_mark.line + 1
            yield from _lines(item, (*path, i), file)
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                at = dotted((*path, key.value))
                raise ConfigError(
                    f"key '{at}' is there twice, on lines {seen[key.value]} and {line}",
                    where=f"{file}:{line}",
                    mend="remove or rename one of them",
                )
            seen[key.value] = line
            yield dotted((*path, key.value)), line
            yield from _lines(value, (*path, key.value), file)
