"""Several mistakes reported at once: each with its dotted path, the offending value, what is allowed and the mend."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sodlift.errors import ConfigError
from sodlift.registry import did_you_mean

_LONGEST = 80
"""Characters of an offending value that a message shows."""


@dataclass(frozen=True)
class Problem:
    """One mistake of a configuration or registry file.

    Attributes
    ----------
    path : str
        Dotted path of the key concerned, such as ``mirm_paper.options.theta_fg`` or ``detectors[2]``.
    what : str
        What is wrong, with the offending value.
    expected : str
        What is allowed.
    mend : str
        What to do about it, such as "did you mean 'theta_fg'?".
    file : str
        The file (and line) that the path belongs to, where it is known.
    """

    path: str
    what: str
    expected: str = ""
    mend: str = ""
    file: str = ""

    @property
    def where(self) -> str:
        """The file and the dotted path, as far as they are known."""
        return ": ".join(part for part in (self.file, self.path) if part)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        lines += [f"    expected: {self.expected}"] if self.expected else []
        lines += [f"    mend: {self.mend}"] if self.mend else []
        return "\n".join(lines)


class ConfigProblems(ConfigError):
    """Every problem that was found, in one error; ``problems`` holds them."""

    def __init__(self, problems: Iterable[Problem], title: str = "") -> None:
        self.problems, self.title = tuple(problems), title
        if len(self.problems) == 1:
            only = self.problems[0]
            super().__init__(
                only.what, where=only.where or None, expected=only.expected or None, mend=only.mend or None
            )
        else:
            listed = "".join(f"\n  - {problem}" for problem in self.problems)
            super().__init__(f"{len(self.problems)} problems{' in ' + title if title else ''}:{listed}")

    def __reduce__(self) -> tuple[Any, ...]:
        return ConfigProblems, (self.problems, self.title)  # so that it crosses processes whole


def raise_any(problems: Iterable[Problem], title: str = "") -> None:
    """Raise ConfigProblems if there is any problem."""
    problems = tuple(problems)
    if problems:
        raise ConfigProblems(problems, title)


def dotted(path: Iterable[object]) -> str:
    """Write keys and list positions as one path: ``("a", "b", 2)`` is ``a.b[2]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def shown(value: object) -> str:
    """Return ``repr(value)``, shortened in its middle where it is long."""
    text = repr(value)
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[: half - 2]} ... {text[-half + 3 :]}"


def suggestion(value: object, known: Iterable[object]) -> str:
    """Return "did you mean 'x'?" for a near match among ``known``, else an empty string."""
    return did_you_mean(str(value), [str(k) for k in known]).rstrip()


def one_of(known: Iterable[object]) -> str:
    """Return "one of: a, b, c" for what is allowed."""
    return f"one of: {', '.join(str(k) for k in known) or '(none)'}"


def type_hint(value: object, wanted: str) -> str:
    """Return the mend for a value that YAML read as another type than its writer meant, else an empty string."""
    if isinstance(value, bool) and wanted == "text":
        return "YAML reads yes, no, on and off as true or false: put the text in quotes"
    if isinstance(value, int | float) and wanted == "text":
        return "put the text in quotes"
    if isinstance(value, str) and wanted == "number" and re.fullmatch(r"[-+]?[0-9]+", value):
        return f"write {value} without quotes"
    if isinstance(value, str) and wanted == "number" and _is_number(value):
        return f"this is text to YAML: write {float(value)!r}, without quotes"
    return ""


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def is_mapping(value: object) -> bool:
    """Whether ``value`` is a mapping whose keys are all text, as every mapping of ours is."""
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
