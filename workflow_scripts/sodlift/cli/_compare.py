"""What ``sodlift compare`` does: reads per-image scores, pairs them, and prints what can be said of the gain."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sodlift.atomic import atomic_file
from sodlift.errors import ConfigError, DataError, listed
from sodlift.registry import unknown_name
from sodlift.statistics.paired import Comparison, compare
from sodlift.statistics.per_image import read_per_image
from sodlift.statistics.significance import holm
from sodlift.tables.measures import MEASURES

HEADS = ("metric", "prior", "refined", "gain", "interval", "win/tie/loss", "p", "p (Holm)", "n")
COLUMNS = (
    *("prior_file", "refined_file", "metric", "prior", "refined", "gain", "ci_low", "ci_high"),
    *("wins", "ties", "losses", "p", "p_holm", "n", "n_unpaired", "n_undefined"),
)

_DIRECTIONS = {name: measure.higher for name, measure in MEASURES.items() if measure.higher is not None}


@dataclass(frozen=True)
class _Side:
    """Per-image scores as one argument names them."""

    name: str
    frame: pd.DataFrame

    @property
    def stems(self) -> set[str]:
        """Names of the images."""
        return set(self.frame["stem"])

    @property
    def columns(self) -> list[str]:
        """Names of the scores."""
        return [str(name) for name in self.frame if name != "stem"]


@dataclass(frozen=True)
class _Row:
    """One comparison of one refined file, with its p corrected for the number of refined files."""

    comparison: Comparison
    p_holm: float | None


def run(arguments: argparse.Namespace) -> None:
    """Compare the files, print the outcome, and write it where that is asked for."""
    names = [arguments.prior, *arguments.refined]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ConfigError(f"given twice: {listed(twice)}", expected="one prior, and every refined file once")
    prior, *refined = map(_side, names)
    for side in refined:
        _require_common(prior, side)
    metrics = _metrics(arguments.metric, [n for n in prior.columns if all(n in s.columns for s in refined)], names)
    options = arguments.level, arguments.resamples, arguments.seed
    found = [compare(prior.frame, side.frame, metrics, *options) for side in refined]
    rows = _corrected(found)
    given = dict.fromkeys(name for side in (prior, *refined) for name in side.columns)
    left_out = [] if arguments.metric else [name for name in given if name not in metrics]
    for side, mine in zip(refined, rows, strict=True):
        print("\n".join(_block(prior, side, mine, arguments.level)), end="\n\n")
    print("\n".join(_legend(arguments, metrics, len(refined), left_out)))
    records = [_record(prior, side, row) for side, mine in zip(refined, rows, strict=True) for row in mine]
    _write(records, arguments)


def _side(text: str) -> _Side:
    """Read ``FILE`` or ``FILE:NAME``; a name is needed where the file has several tables."""
    path, _, name = text.rpartition(":")
    if Path(text).is_file() or not path:
        path, name = text, ""
    frames = read_per_image(path)
    if not frames:
        raise DataError("per-image scores without any image", where=path)
    if name and name not in frames:
        raise unknown_name("method or protocol", name, frames, path)
    if not name and len(frames) > 1:
        raise ConfigError(
            f"scores of several methods or protocols: {listed(frames)}",
            where=path,
            expected="one",
            mend=f"name one, such as {path}:{next(iter(frames))}",
        )
    return _Side(text, frames[name] if name else next(iter(frames.values())))


def _require_common(prior: _Side, refined: _Side) -> None:
    if not prior.stems & refined.stems:
        raise DataError(
            "the files have no image in common",
            where=", ".join(f"{side.name} ({listed(sorted(side.stems), 3)})" for side in (prior, refined)),
            expected="scores of the same data set, images under the same names",
        )


def _metrics(asked: Sequence[str] | None, shared: Sequence[str], files: Sequence[str]) -> dict[str, bool]:
    """Return the columns to compare, and of each whether more is better."""
    known = {name: _DIRECTIONS[name] for name in shared if name in _DIRECTIONS}
    for name in asked or ():
        if name not in known:
            raise unknown_name("metric", name, known, ", ".join(files))
    if not known:
        raise DataError("the files have no metric in common", where=", ".join(files), expected=listed(_DIRECTIONS, 99))
    return {name: known[name] for name in asked or known}


def _corrected(found: Sequence[Sequence[Comparison]]) -> list[list[_Row]]:
    """Correct the p values of each metric for the number of refined files, as a table does for its cells."""
    corrected: dict[tuple[int, str], float] = {}
    for metric in dict.fromkeys(c.metric for mine in found for c in mine):
        p_values = {i: c.p for i, mine in enumerate(found) for c in mine if c.metric == metric and c.p is not None}
        corrected |= {(i, metric): float(p) for i, p in zip(p_values, holm(list(p_values.values())), strict=True)}
    return [[_Row(c, corrected.get((i, c.metric))) for c in mine] for i, mine in enumerate(found)]


def _block(prior: _Side, refined: _Side, rows: Sequence[_Row], level: float) -> list[str]:
    """Return the lines of one refined file: what is compared, over which images, and the table."""
    both = len(prior.stems & refined.stems)
    lines = [f"prior    {prior.name}", f"refined  {refined.name}", f"images   {both} in both files"]
    for one, other in ((prior, refined), (refined, prior)):
        only = sorted(one.stems - other.stems)
        lines += [f"         {len(only)} only in {one.name}: {listed(only)}"] if only else []
    undefined = {row.comparison.metric: row.comparison.n_undefined for row in rows if row.comparison.n_undefined}
    lines += [f"         {n} left out of {metric}, which is undefined there" for metric, n in undefined.items()]
    heads = [f"{100 * level:g} % interval" if head == "interval" else head for head in HEADS]
    return [*lines, "", *_aligned([heads, *map(_texts, rows)])]


def _texts(row: _Row) -> list[str]:
    c = row.comparison
    means = [_shown(c.prior, ".4f"), _shown(c.refined, ".4f"), _shown(c.gain, "+.4f")]
    interval = "n/a" if c.low is None else f"[{_shown(c.low, '+.4f')}, {_shown(c.high, '+.4f')}]"
    return [c.metric, *means, interval, "/".join(map(str, c.outcome)), *map(_p, (c.p, row.p_holm)), str(c.n)]


def _shown(number: float | None, form: str) -> str:
    return "n/a" if number is None else format(round(number, 4) + 0.0, form)  # what rounds to zero is +0


def _p(p: float | None) -> str:
    return "< 0.0001" if p is not None and p < 1e-4 else _shown(p, ".4f")


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with the first column to the left and all others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(text.rjust(w) for text, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]


def _legend(options: argparse.Namespace, metrics: Mapping[str, bool], files: int, left_out: Sequence[str]) -> list[str]:
    lower = [name for name, higher in metrics.items() if not higher]
    own = [name for name in metrics if MEASURES[name].per_image != name]
    lines = [
        f"gain: refined minus prior. win: the image became better{f' (lower {listed(lower)})' if lower else ''}.",
        f"interval: of the mean gain, paired bootstrap over images, percentiles of {options.resamples} resamples, seed "
        f"{options.seed}.",
        f"p: two-sided Wilcoxon signed-rank test over images; Holm: for the number of refined files, {files}.",
    ]
    lines += [f"{listed(own)}: means of the images' own; a data set's is read off its mean curve."] if own else []
    lines += [f"not compared: {listed(left_out)}."] if left_out else []
    return lines


def _record(prior: _Side, refined: _Side, row: _Row) -> dict[str, object]:
    c = row.comparison
    values = (
        *(prior.name, refined.name, c.metric, c.prior, c.refined, c.gain, c.low, c.high),
        *(*c.outcome, c.p, row.p_holm, c.n, c.n_unpaired, c.n_undefined),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _write(records: Sequence[Mapping[str, object]], options: argparse.Namespace) -> None:
    settings = {"level": options.level, "resamples": options.resamples, "seed": options.seed}
    frame = pd.DataFrame(records, columns=list(COLUMNS))
    texts: list[tuple[Path | None, str]] = [
        (options.json, json.dumps(settings | {"comparisons": records}, indent=1, allow_nan=False) + "\n"),
        (options.csv, frame.to_csv(index=False, lineterminator="\n")),
    ]
    for path, text in texts:
        if path is not None:
            with atomic_file(path) as part:
                part.write_bytes(text.encode())
