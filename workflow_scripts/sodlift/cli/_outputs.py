"""Files that commands write: checks before, and what ``sodlift evaluate`` writes, of which no number is rounded.

With several methods each file says whose a number is, and with several protocols, before that, under which.
"""

import csv
import json
import math
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sodlift.atomic import atomic_file
from sodlift.errors import ConfigError, listed
from sodlift.evaluation.protocols import Protocol
from sodlift.evaluation.scores import COUNTS, CellScores, Score
from sodlift.metrics import METRICS

COLUMNS = ("MAE", "adpF", "meanF", "maxF", "adpE", "meanE", "maxE", "S", "wF", "AUC", "IoU", "Dice", "BER")
"""Metrics of the per-image table; those of ``--extra`` follow."""


def check_outputs(outputs: Mapping[str, Path | None], inputs: Collection[Path]) -> None:
    """Raise ConfigError for a file that cannot or must not be written: better before the scoring than after it.

    Parameters
    ----------
    outputs : mapping of str to Path or None
        Files to write by option, None where not asked for.
    inputs : collection of Path
        Files that are read, resolved.
    """
    taken: dict[Path, str] = {}
    for option, file in outputs.items():
        if file is None:
            continue
        real = file.resolve()
        if real in taken:
            raise ConfigError(f"{taken[real]} and {option} name the same file", where=file, mend="give them two names")
        taken[real] = option
        if real in inputs:
            raise ConfigError(f"{option} would replace an input", where=file, mend="write elsewhere")
        if file.exists() and not file.is_file():
            raise ConfigError(f"{option} is no regular file", where=file, expected="the name of a file to write")
        above = next(folder for folder in real.parents if folder.exists())
        if not above.is_dir() or not os.access(above, os.W_OK):
            raise ConfigError(
                f"{option} cannot be written", where=file, expected=f"{above} to be a folder that you may write to"
            )


def check_maps(maps: Sequence[Path], inputs: Collection[Path], *, overwrite: bool) -> None:
    """Raise ConfigError for maps that cannot be written, would replace an input or, unless asked for, another file.

    Parameters
    ----------
    maps : sequence of Path
        Files to write.
    inputs : collection of Path
        Files that are read, resolved.
    overwrite : bool
        Whether files that are there may be replaced.
    """
    check_outputs({f"the map {file}": file for file in maps}, set(inputs))
    there = [file for file in maps if file.exists()]
    if there and not overwrite:
        raise ConfigError(
            f"{len(there)} of {len(maps)} maps are there already: {listed(file.name for file in there)}",
            where=there[0].parent,
            mend="add --overwrite, or choose another folder",
        )


def write_csv(
    file: Path, cells: Mapping[str, CellScores], protocols: Sequence[Protocol], extra: Collection[str]
) -> None:
    """Write one row an image: ``name`` and the metrics, empty where undefined, as they read back equal."""
    columns = [*COLUMNS, *(name for metric in extra for name in METRICS.get(metric).image_names)]
    keys = _keys(cells, protocols)
    with atomic_file(file) as part, part.open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle, lineterminator="\n")
        rows.writerow([*keys, "name", *columns])
        for protocol in protocols:
            for method, cell in cells.items():
                frame = cell.per_image[cell.per_image["protocol"] == protocol.name]
                labels = [{"protocol": protocol.name, "method": method}[key] for key in keys]
                for name, *values in frame[["stem", *columns]].itertuples(index=False):
                    rows.writerow([*labels, name, *("" if math.isnan(value) else repr(value) for value in values)])


def write_json(
    file: Path,
    cells: Mapping[str, CellScores],
    protocols: Sequence[Protocol],
    extra: Mapping[str, Collection[str]],
) -> None:
    """Write the numbers over all images; ``extra`` are the maps of each method that have no ground truth."""
    records: Any = {
        protocol.name: {name: _record(cell, protocol, len(extra[name])) for name, cell in cells.items()}
        for protocol in protocols
    }
    if len(cells) == 1:
        records = {name: next(iter(of_method.values())) for name, of_method in records.items()}
    if len(protocols) == 1:
        records = next(iter(records.values()))
    with atomic_file(file) as part:
        part.write_text(json.dumps(records, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")


def write_curves(file: Path, cells: Mapping[str, CellScores], protocols: Sequence[Protocol]) -> None:
    """Write ``<protocol>/<curve>``, with several methods ``<method>/<protocol>/<curve>``; thresholds lie beside."""
    curves = {f"{protocol.name}/thresholds": protocol.thresholds.values for protocol in protocols}
    for method, cell in cells.items():
        before = f"{method}/" if len(cells) > 1 else ""
        curves |= {f"{before}{name}": curve for name, curve in cell.curves.items()}
    with atomic_file(file) as part, part.open("wb") as handle:
        np.savez_compressed(handle, allow_pickle=False, **curves)


def scores_under(cell: CellScores, protocol: Protocol) -> list[Score]:
    """Return the numbers under one protocol."""
    return [score for score in cell.scores if score.protocol == protocol.name]


def images_used(scores: Sequence[Score]) -> int:
    """Return over how many images the metrics that are always defined were taken."""
    return max(score.n_used for score in scores)


def _keys(cells: Mapping[str, CellScores], protocols: Sequence[Protocol]) -> list[str]:
    several: Iterator[tuple[str, int]] = iter((("protocol", len(protocols)), ("method", len(cells))))
    return [key for key, number in several if number > 1]


def _record(cell: CellScores, protocol: Protocol, extra: int) -> dict[str, Any]:
    scores = scores_under(cell, protocol)
    return {score.metric: score.value for score in scores} | {
        "n_used": images_used(scores),
        "n_expected": scores[0].n_expected,
        "protocol": protocol.name,
        "protocol_hash": protocol.hash,
        "counts": {name: scores[0].counts[name] for name in COUNTS} | {"extra": extra},
        "undefined": {score.metric: score.counts["undefined"] for score in scores if score.counts["undefined"]},
    }
