"""What a schema cannot know to be wrong with a run: names that do not exist, tests on training images."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sodlift.config.lineage import learnt, links
from sodlift.config.registries import RowFile
from sodlift.config.rows import DatasetRow, DetectorRow, FigureRow, RefinerRow
from sodlift.config.run import UNREFINED
from sodlift.datasets.sources import has_masks
from sodlift.errors import listed
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
    for name in config["subset"]:
        if name not in known["datasets"]:
            allowed = known["datasets"]
            yield Problem(f"subset.{name}", f"unknown data set '{name}'", one_of(allowed), suggestion(name, allowed))
    for trained, tests in config["known_leaks"].items():
        for path, name in [(trained, trained), *((f"{trained}.{test}", test) for test in tests)]:
            if name not in known["datasets"]:
                allowed = known["datasets"]
                what, mend = f"unknown data set '{name}'", suggestion(name, allowed)
                yield Problem(f"known_leaks.{path}", what, one_of(allowed), mend)
    for i, name in enumerate(config["baseline_only"]):
        if config["datasets"] and name not in config["datasets"]:
            what = f"'{name}' is no test set of this run"
            allowed = config["datasets"]
            yield Problem(f"baseline_only[{i}]", what, one_of(allowed), suggestion(name, allowed))


def twice_problems(
    config: Mapping[str, Any], detectors: RowFile[DetectorRow], refiners: RowFile[RefinerRow]
) -> Iterator[Problem]:
    """Yield the refiners that have the name of a detector that the run needs: what is trained is known by its name."""
    rows: list[DetectorRow | RefinerRow] = [detectors.rows[n] for n in config["detectors"] if n in detectors.rows]
    rows += [refiners.rows[n] for n in config["refiners"] if n in refiners.rows]
    used = {*config["detectors"], *(name for row in rows for link in links(row, detectors.rows) for name in link.way)}
    for i, name in enumerate(config["refiners"]):
        if name in used:
            mend = "give one of the two rows another name"
            yield Problem(f"refiners[{i}]", f"'{name}' is a detector of this run too", mend=mend)


def coverage_problems(config: Mapping[str, Any], detectors: RowFile[DetectorRow], known: Known) -> Iterator[Problem]:
    """Yield the one problem of a run without a cell: none of its detectors has maps of any of its test sets."""
    rows = [detectors.rows[name] for name in config["detectors"] if name in detectors.rows]
    looked_at_all = _sound(config, known, "datasets", "detectors") and len(rows) == len(config["detectors"])
    if looked_at_all and not any(row.covers(dataset) for row in rows for dataset in config["datasets"]):
        have = "; ".join(f"{row.id}: {', '.join(row.datasets or ())}" for row in rows)
        yield Problem("detectors", f"none has maps of {', '.join(config['datasets'])}", have)


def scoring_problems(
    config: Mapping[str, Any], datasets: RowFile[DatasetRow], detectors: RowFile[DetectorRow], given: Collection[str]
) -> Iterator[Problem]:
    """Yield what does not go with the masks of a run: none of its data sets has any, and tables or figures are asked
    for; or some have, and no protocol is among the keys that are ``given``."""
    rows = [detectors.rows[name] for name in config["detectors"] if name in detectors.rows]
    sets = [datasets.rows.get(name) for name in config["datasets"] if any(row.covers(name) for row in rows)]
    if any(row is None or has_masks(row) for row in sets):
        if "protocols" not in given:
            yield Problem("", "missing key 'protocols'", "the evaluation protocols")
    elif sets:
        for key in (key for key in ("tables", "figures") if config[key]):
            what = f"nothing can be scored: {listed(row.id for row in sets if row)} without masks"
            mend = f"remove `{key}`: the refined maps are made without; or add a data set with masks"
            yield Problem(key, what, "a test set with masks", mend)


def overlap_problems(
    config: Mapping[str, Any],
    datasets: RowFile[DatasetRow],
    detectors: RowFile[DetectorRow],
    refiners: RowFile[RefinerRow],
) -> Iterator[Problem]:
    """Yield every test set of a detector or refiner that is a training set of it, or overlaps with one.

    Not so where `known_leaks` names the two: how many images it accepts is held against the images themselves.
    """
    for use in _trained_and_tested(config, datasets, detectors, refiners):
        reason = shared(use.training_set, use.test_set, datasets.rows)
        if reason and not config["known_leaks"].get(use.training_set, {}).get(use.test_set):
            expected = "training and test sets without a common image"
            images = datasets.rows[use.test_set].expected or "<images>"
            mend = (
                f"{use.mend}, train on other data, or say openly that it is scored on images of its training: "
                f"`known_leaks: {{{use.training_set}: {{{use.test_set}: {images}}}}}`"
            )
            yield Problem(use.place, f"{use.words}: {reason}", expected, mend)


def leak_problems(
    config: Mapping[str, Any],
    datasets: RowFile[DatasetRow],
    detectors: RowFile[DetectorRow],
    refiners: RowFile[RefinerRow],
) -> Iterator[Problem]:
    """Yield every test set that is known to hold more images of a training set than the configuration accepts.

    Where the run uses a part of either, it is measured instead, once the images are there.
    """
    for use in _trained_and_tested(config, datasets, detectors, refiners):
        sets = (use.training_set, use.test_set)
        rows = [datasets.rows[name] for name in sets if name in datasets.rows]
        count = max((row.shares.get(name, 0) for row in rows for name in sets), default=0)
        accepted = config["known_leaks"].get(use.training_set, {}).get(use.test_set, 0)
        if count > accepted and not set(sets) & set(config["subset"]):
            yield Problem(
                use.place,
                f"{use.words}: they share {count} near-identical images",
                f"at most {accepted} (`known_leaks`)",
                f"{use.mend}, leave these images out with `subset`, train on other data, or accept them with "
                f"`known_leaks: {{{use.training_set}: {{{use.test_set}: {count}}}}}`",
            )


class _Use(NamedTuple):
    """A training set and a test set of one detector or refiner: where the configuration asks for it, and in words."""

    place: str
    words: str
    training_set: str
    test_set: str
    mend: str


def _trained_and_tested(
    config: Mapping[str, Any],
    datasets: RowFile[DatasetRow],
    detectors: RowFile[DetectorRow],
    refiners: RowFile[RefinerRow],
) -> Iterator[_Use]:
    """Yield every data set that a detector or refiner has learnt from with every test set that it runs on."""
    tested = [name for name in config["datasets"] if name in datasets.rows]
    for i, name in enumerate(config["detectors"]):
        detector = detectors.rows.get(name)
        for training_set, how in learnt(detector, detectors.rows).items() if detector else ():
            for test_set in (n for n in tested if detectors.rows[name].covers(n)):
                words = f"detector '{name}' is {how} and tested on '{test_set}'"
                mend = f"take '{test_set}' out of `datasets`"
                yield _Use(f"detectors[{i}]", words, training_set, test_set, mend)
    for i, name in enumerate(config["refiners"]):
        refiner = refiners.rows.get(name)
        refiner = refiners.rows.get(refiner.model_of) if refiner and refiner.model_of else refiner
        for training_set, how in learnt(refiner, detectors.rows).items() if refiner else ():
            for test_set in (n for n in tested if n not in config["baseline_only"]):
                words = f"refiner '{name}' is {how} and tested on '{test_set}'"
                mend = f"take '{test_set}' out of `datasets`, list it in `baseline_only`"
                yield _Use(f"refiners[{i}]", words, training_set, test_set, mend)


def protocol_problems(
    config: Mapping[str, Any], tables: Mapping[str, Any], figures: RowFile[FigureRow], known: Known
) -> Iterator[Problem]:
    """Yield the tables and figures of the run that show scores of a protocol which is not evaluated."""
    shown = {
        "table": {name: tables.get(name, {}).get("protocol") for name in config["tables"]},
        "figure": {name: getattr(row.options, "protocol", "") for name, row in figures.rows.items()},
    }
    for what, protocols in shown.items():
        for i, name in enumerate(config[f"{what}s"] if _sound(config, known, "protocols") else ()):
            protocol = protocols.get(name)
            if protocol and protocol not in config["protocols"]:
                words, mend = f"{what} '{name}' shows protocol '{protocol}', which is not evaluated", "`protocols`"
                yield Problem(f"{what}s[{i}]", words, one_of(config["protocols"]), f"add '{protocol}' to {mend}")


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
