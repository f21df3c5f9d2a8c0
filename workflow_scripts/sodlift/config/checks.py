"""What a schema cannot know to be wrong with a run: names that do not exist, tests on training images."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sodlift.config.registries import RowFile
from sodlift.config.rows import DatasetRow, DetectorRow, RefinerRow
from sodlift.config.run import UNREFINED
from sodlift.problems import Problem, one_of, suggestion

Known = Mapping[str, Sequence[str]]
"""By key of the configuration (``datasets``, ``detectors``, ...), the names that exist."""


def name_problems(config: Mapping[str, Any], known: Known) -> Iterator[Problem]:
    """Yield the names in ``config`` that nothing defines."""
    for key, names in known.items():
        for i, name in enumerate(config[key]):
            if key == "refiners" and name == UNREFINED:
                mend = "remove it: the unrefined prior is always evaluated"
                yield Problem(f"{key}[{i}]", f"'{UNREFINED}' is no refiner", one_of(names), mend)
            elif name not in names:
                what = f"unknown {key.removesuffix('s').replace('dataset', 'data set').replace('_', ' ')} '{name}'"
                yield Problem(f"{key}[{i}]", what, one_of(names), suggestion(name, names))
    for name in config["limit"]:
        if name not in known["datasets"]:
            allowed = known["datasets"]
            yield Problem(f"limit.{name}", f"unknown data set '{name}'", one_of(allowed), suggestion(name, allowed))
    for i, name in enumerate(config["baseline_only"]):
        if config["datasets"] and name not in config["datasets"]:
            what = f"'{name}' is no test set of this run"
            allowed = config["datasets"]
            yield Problem(f"baseline_only[{i}]", what, one_of(allowed), suggestion(name, allowed))


def coverage_problems(config: Mapping[str, Any], detectors: RowFile[DetectorRow], known: Known) -> Iterator[Problem]:
    """Yield the one problem of a run without a cell: none of its detectors has maps of any of its test sets."""
    rows = [detectors.rows[name] for name in config["detectors"] if name in detectors.rows]
    looked_at_all = _sound(config, known, "datasets", "detectors") and len(rows) == len(config["detectors"])
    if looked_at_all and not any(row.covers(dataset) for row in rows for dataset in config["datasets"]):
        have = "; ".join(f"{row.id}: {', '.join(row.datasets or ())}" for row in rows)
        yield Problem("detectors", f"none has maps of {', '.join(config['datasets'])}", have)


def overlap_problems(
    config: Mapping[str, Any], datasets: RowFile[DatasetRow], refiners: RowFile[RefinerRow]
) -> Iterator[Problem]:
    """Yield every test set that shares images with a training set of a refiner that runs on it."""
    tested = [n for n in config["datasets"] if n in datasets.rows and n not in config["baseline_only"]]
    for i, name in enumerate(config["refiners"]):
        row = refiners.rows.get(name)
        for training_set in row.train.datasets if row and row.train else ():
            for test_set in tested:
                reason = shared(training_set, test_set, datasets.rows)
                if reason:
                    yield Problem(
                        f"refiners[{i}]",
                        f"refiner '{name}' is trained on '{training_set}' and tested on '{test_set}': {reason}",
                        "training and test sets without a common image",
                        f"take '{test_set}' out of `datasets`, list it in `baseline_only`, or train on other data",
                    )


def protocol_problems(config: Mapping[str, Any], tables: Mapping[str, Any], known: Known) -> Iterator[Problem]:
    """Yield the tables of the run that show scores of a protocol which is not evaluated."""
    for i, name in enumerate(config["tables"] if _sound(config, known, "protocols") else ()):
        protocol = tables.get(name, {}).get("protocol")
        if protocol and protocol not in config["protocols"]:
            what = f"table '{name}' shows protocol '{protocol}', which is not evaluated"
            yield Problem(f"tables[{i}]", what, one_of(config["protocols"]), f"add '{protocol}' to `protocols`")


def _sound(config: Mapping[str, Any], known: Known, *keys: str) -> bool:
    """Whether all names under ``keys`` exist, so that what follows from a wrong one is not reported besides."""
    return all(config[key] and set(config[key]) <= set(known[key]) for key in keys)


def shared(first: str, second: str, rows: Mapping[str, DatasetRow]) -> str:
    """Say why two registered data sets share images, as far as their rows tell; empty where they do not."""
    if first == second:
        return "they are the same"
    if second in _wholes(first, rows):
        return f"'{first}' is a part of '{second}'"
    if first in _wholes(second, rows):
        return f"'{second}' is a part of '{first}'"
    if first in rows and second in rows and _same_images(rows[first], rows[second]):
        return "they have the same source and split"
    return ""


def _wholes(name: str, rows: Mapping[str, DatasetRow]) -> list[str]:
    """Return the data sets that ``name`` is a part of, the nearest first."""
    found: list[str] = []
    while name in rows and (name := rows[name].part_of) and name not in found:
        found.append(name)
    return found


def _same_images(first: DatasetRow, second: DatasetRow) -> bool:
    """Whether two rows name the same place and their splits are the same, or one of them takes every split."""
    splits = {getattr(row.options, "split", None) for row in (first, second)}
    whole = [
        replace(row.options, **({"split": None} if hasattr(row.options, "split") else {})) for row in (first, second)
    ]
    return first.type == second.type and whole[0] == whole[1] and (len(splits) == 1 or None in splits)
