"""What ``sodlift evaluate`` does, once its arguments are read."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sodlift.cli._outputs import check_outputs, write_csv, write_curves, write_json
from sodlift.cli._report import report, warnings
from sodlift.errors import ConfigError
from sodlift.evaluation.cell import Method
from sodlift.evaluation.folders import pair_folders
from sodlift.evaluation.protocols import Protocol, load_protocol
from sodlift.evaluation.run import evaluate_methods
from sodlift.metrics import metrics_with
from sodlift.problems import Problem, one_of, raise_any, suggestion

DEFAULT = "pysod"
"""The protocol where none is asked for."""


def evaluate(arguments: argparse.Namespace) -> None:
    """Score, write the files that are asked for, and print the tables.

    Raises
    ------
    SodliftError
        If anything that is given is wrong; what does not need the maps' pixels is checked before any is read.
    """
    protocols = [_changed(load_protocol(name), arguments) for name in arguments.protocol or [DEFAULT]]
    extra = tuple(dict.fromkeys(arguments.extra or ()))
    _check(protocols, extra, arguments)
    paired = pair_folders(
        arguments.gt, _by_name(arguments.pred), arguments.images, arguments.prior, arguments.allow_missing
    )
    outputs = {"--per-image": arguments.per_image, "--json": arguments.json, "--curves": arguments.curves}
    given = {Path(name).resolve() for name in arguments.protocol or () if name.endswith(".yaml")}
    check_outputs(outputs, paired.inputs() | given)
    methods = [Method(name, maps, paired.prior, arguments.role) for name, maps in paired.maps.items()]
    cells = evaluate_methods(paired.data, methods, protocols, extra, arguments.workers, progress=not arguments.quiet)
    if arguments.per_image:
        write_csv(arguments.per_image, cells, protocols, extra)
    if arguments.json:
        write_json(arguments.json, cells, protocols, paired.extra)
    if arguments.curves:
        write_curves(arguments.curves, cells, protocols)
    if not arguments.quiet:
        print("\n\n".join(report(cells, protocol, extra, paired.extra) for protocol in protocols))
    for protocol in protocols:
        for warning in warnings(cells, protocol):
            print(f"\nWARNING: {warning}", file=sys.stderr)


def _changed(protocol: Protocol, arguments: argparse.Namespace) -> Protocol:
    """Return the protocol with the choices that the arguments make; its name then says which."""
    asked: list[tuple[str, Any, Sequence[str]]] = [
        ("norm", arguments.norm, ("prior_norm", "refined_norm")),
        ("gt_rule", arguments.gt_rule, ("gt_rule",)),
        ("empty_gt", arguments.empty_gt, ("empty_gt",)),
        ("s_quadrant", "nan" if arguments.strict else None, ("s_quadrant",)),
        ("missing", "leave_out" if arguments.allow_missing else None, ("missing",)),
    ]
    made = [
        (word, value, keys)
        for word, value, keys in asked
        if value is not None and any(getattr(protocol, key) != value for key in keys)
    ]
    if not made:
        return protocol
    name = f"{protocol.name}[{','.join(f'{word}={value}' for word, value, _ in made)}]"
    return replace(protocol, name=name, **{key: value for _, value, keys in made for key in keys})


def _by_name(given: Iterable[str]) -> dict[str, str]:
    """Return folders or patterns by the methods' names; what is a folder as it stands has its own name."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, source = text.partition("=")
        if not equals or Path(text).is_dir():
            name, source = _own_name(Path(text)), text
        if not name or not source:
            raise ConfigError(f"cannot understand '--pred {text}'", expected="DIR or NAME=DIR")
        if name in found:
            raise ConfigError(
                f"two methods of the name '{name}': {found[name]} and {source}",
                expected="one folder a name",
                mend="give names of your own: --pred NAME=DIR",
            )
        found[name] = source
    return found


def _own_name(source: Path) -> str:
    return (source.parent if "*" in source.name else source).resolve().name


def _check(protocols: Sequence[Protocol], extra: Sequence[str], arguments: argparse.Namespace) -> None:
    """Raise ConfigProblems for arguments that do not go with the protocols."""
    known = [name for metric in metrics_with(extra) for name in metric.names]
    raise_any(_misfits(protocols, known, vars(arguments)))


def _misfits(protocols: Sequence[Protocol], known: Sequence[str], arguments: Mapping[str, Any]) -> Iterable[Problem]:
    if arguments["prior"] and arguments["role"] == "prior":
        yield Problem("--prior", "given for maps that are the priors themselves", mend="add --role refined")
    for protocol in protocols:
        if protocol.size == "image" and not arguments["images"]:
            what = f"protocol '{protocol.name}' scores at the size of the images, and none are given"
            yield Problem("--images", what, mend="add --images DIR")
        for metric in protocol.reports.values():
            if metric not in known:
                what = f"protocol '{protocol.name}' reports a metric '{metric}' that is not computed"
                mend = suggestion(metric, known) or "check its key `reports`, or add the metric by --extra"
                yield Problem("--protocol", what, one_of(known), mend)
