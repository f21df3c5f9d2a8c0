"""What reports on data have in common: findings by kind, figures at a glance, and their forms in JSON and Markdown."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median_low
from typing import Any, ClassVar, Literal

from sodlift.atomic import atomic_file
from sodlift.errors import DataError, SodliftError, listed

Remark = tuple[str, str]
"""The name of a kind of finding and one item that it concerns."""


@dataclass(frozen=True)
class Kind:
    """A kind of finding: an error stops the pipeline, a warning is shown in the report."""

    severity: Literal["error", "warning"]
    title: str
    mend: str


@dataclass(frozen=True)
class Finding:
    """The items concerned by one kind of finding, each naming a file or stem and the detail.

    Attributes
    ----------
    kind : str
        The kind's name.
    about : Kind
        What it means.
    items : tuple of str
        What it concerns.
    """

    kind: str
    about: Kind
    items: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.about.title} ({len(self.items)}): {listed(self.items)}"


def findings(kinds: Mapping[str, Kind], remarks: Iterable[Remark]) -> tuple[Finding, ...]:
    """Gather remarks by kind, in the order of ``kinds``; items keep theirs."""
    items: dict[str, list[str]] = {kind: [] for kind in kinds}
    for kind, item in remarks:
        items[kind].append(item)
    return tuple(Finding(kind, kinds[kind], tuple(named)) for kind, named in items.items() if named)


def _errors(found: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in found if finding.about.severity == "error")


def raise_errors(
    subject: str, found: Iterable[Finding], error: type[SodliftError] = DataError, where: object = None
) -> None:
    """Raise one ``error`` that lists every finding of that severity, if there is any."""
    errors = _errors(found)
    if errors:
        lines = "".join(f"\n  - {finding}\n    mend: {finding.about.mend}" for finding in errors)
        raise error(f"{subject}: not fit for use:{lines}", where=where)


def saved_findings(report: str | Path) -> tuple[Finding, ...]:
    """Return the findings of a report that was saved as JSON."""
    return tuple(
        Finding(f["kind"], Kind(f["severity"], f["title"], f["mend"]), tuple(f["items"]))
        for f in json.loads(Path(report).read_text("utf-8"))["findings"]
    )


@dataclass(frozen=True)
class Spread:
    """Smallest, median (low) and largest of some values."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """Return the spread of ``values``, None where there are none."""
        return cls(min(values), median_low(values), max(values)) if values else None


def average(values: Sequence[float]) -> float | None:
    """Return the mean of ``values``, None where there are none."""
    return mean(values) if values else None


def shares(spread: Spread | None, average: float | None) -> str:
    """Say the mean and the range of shares in [0, 1], as a report's fact; empty where there are none."""
    return f"{average:.1%} on average, {spread.min:.1%} to {spread.max:.1%}" if spread else ""


@dataclass(frozen=True)
class Report(ABC):
    """What was found; each report adds the figures of its own as attributes.

    Attributes
    ----------
    findings : tuple of Finding
        Errors and warnings, in the order of their kinds.
    """

    findings: tuple[Finding, ...]

    error: ClassVar[type[SodliftError]] = DataError
    """What ``raise_errors`` raises."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """What the report is about, such as "data set 'SED2'"."""

    @abstractmethod
    def facts(self) -> Mapping[str, str]:
        """Return the figures at a glance, by their names; an empty one is not shown."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop the pipeline."""
        return _errors(self.findings)

    def raise_errors(self, where: object = None) -> None:
        """Raise one error that lists every finding of that severity, if there is any."""
        raise_errors(self.subject, self.findings, self.error, where)

    def to_json(self) -> str:
        """Return the report as JSON, every item of every finding included."""
        content: dict[str, Any] = asdict(self)
        del content["findings"]
        content["findings"] = [
            {"kind": f.kind, **asdict(f.about), "count": len(f.items), "items": f.items} for f in self.findings
        ]
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """Return the report as Markdown, at most ten items of a finding named."""
        lines = [f"# {self.subject[0].upper()}{self.subject[1:]}", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in self.facts().items() if value]
        lines += ["", "## Findings", ""]
        lines += [f"- **{f.about.severity}** {f}. Mend: {f.about.mend}." for f in self.findings]
        return "\n".join([*lines, *([] if self.findings else ["None."]), ""])

    def save(self, json_file: str | Path, markdown_file: str | Path) -> None:
        """Write both forms of the report, each whole or not at all."""
        for target, text in ((json_file, self.to_json()), (markdown_file, self.to_markdown())):
            with atomic_file(target) as part:
                part.write_text(text, "utf-8")
