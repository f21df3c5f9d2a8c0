"""The actions of ``sodlift data``."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path

from sodlift.catalogue._base import Item, Registered
from sodlift.catalogue.names import all_items, needs, resolve
from sodlift.catalogue.status import Status, status
from sodlift.config.data_root import DATA_ROOT, DATA_VARIABLE
from sodlift.config.load import load_run
from sodlift.config.registries import registered_rows
from sodlift.errors import ConfigError, DataError, SodliftError
from sodlift.fetch.store import Store


def data(arguments: argparse.Namespace) -> None:
    """Run the action that ``arguments`` name."""
    if arguments.action in ("get", "verify") and not (arguments.names or arguments.configfile):
        expected = "names, or --configfile with a run that needs them"
        raise ConfigError(f"nothing to {arguments.action}", expected=expected)
    registered, store, needed = _setting(arguments)
    names = arguments.names or needed
    # torch is imported for the weights, which takes seconds
    kinds = None if any(name.partition("/")[0] not in ("datasets", "maps") for name in names or ["all"]) else names
    items = all_items(registered, kinds and sorted({name.partition("/")[0] for name in kinds}))
    chosen = resolve(names, items) if names or arguments.configfile else items
    _DO[arguments.action](arguments, chosen, store)


def _setting(arguments: argparse.Namespace) -> tuple[Registered, Store, list[str]]:
    """Return what is registered, the store, and what the run needs: by the options, the run and the environment."""
    store, needed = Store.default(), []
    if arguments.configfile:
        run = load_run(arguments.configfile)
        datasets, detectors, root = run.dataset_rows, run.detector_rows, run.data_root
        store = replace(store, root=run.resources, offline=store.offline or run.offline)
        needed = needs(run)
    else:
        datasets, detectors = registered_rows({})
        root = Path(os.environ.get(DATA_VARIABLE) or DATA_ROOT)
    store = replace(
        store,
        root=arguments.resources or store.root,
        offline=arguments.offline or store.offline,
        progress=not arguments.quiet,
    )
    return Registered(datasets, detectors, arguments.data_root or root), store, needed


def _status(arguments: argparse.Namespace, items: Sequence[Item], store: Store) -> None:
    found = [status(item, store) for item in items]
    if arguments.json:
        print(json.dumps([asdict(row) for row in found], indent=2))
        return
    lines: list[tuple[str, ...]] = [("", "state", "files", "checked against", "comes")]
    for _, group in groupby(found, key=lambda row: row.address.split("/")[:2]):
        several = list(group)
        lines += map(_line, several) if arguments.names or len(several) == 1 else [_summary(several)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    for row in found:
        if row.problem:
            print(f"\n{row.address} is broken: {row.problem}")


def _line(row: Status) -> tuple[str, ...]:
    expected = "" if row.expected is None else f"of {row.expected}"
    files = f"{row.count if row.count is not None else '-'} {expected}".strip()
    return row.address, row.state, files, row.checked, row.comes


def _summary(rows: Sequence[Status]) -> tuple[str, ...]:
    """Return one line for the maps of a detector: on how many data sets they are in place."""
    here = [row for row in rows if row.state == "in place"]
    bad = [row for row in rows if row.state in ("incomplete", "broken")]
    state = bad[0].state if bad else "in place" if len(here) == len(rows) else "partly" if here else "missing"
    checked = ", ".join(dict.fromkeys(row.checked for row in rows))
    comes = ", ".join(dict.fromkeys(row.comes for row in rows))
    return "/".join(rows[0].address.split("/")[:2]), state, f"{len(here)} of {len(rows)}", checked, comes


def _each(items: Sequence[Item], act: Callable[[Item], None]) -> None:
    """Act on every item; raise, at the end, one error that lists what went wrong."""
    failed = []
    for item in items:
        try:
            act(item)
        except SodliftError as error:
            failed.append((item.address, error))
            print(f"{item.address}: {error}", file=sys.stderr)
    if failed:
        raise DataError(f"{len(failed)} of {len(items)} failed: {', '.join(address for address, _ in failed)}")


def _get(arguments: argparse.Namespace, items: Sequence[Item], store: Store) -> None:
    def get(item: Item) -> None:
        if item.found(store) is None:
            item.get(store)
            print(f"{item.address}: fetched, {item.found(store)} files in {item.place(store)}")
        else:
            print(f"{item.address}: in place")

    _each(items, get)


def _verify(arguments: argparse.Namespace, items: Sequence[Item], store: Store) -> None:
    def verify(item: Item) -> None:
        if item.found(store) is None:
            print(f"{item.address}: not in place")
            return
        print(item.address, *(f"  {line}" for line in item.verify(store)), sep="\n")

    _each(items, verify)


def _where(arguments: argparse.Namespace, items: Sequence[Item], store: Store) -> None:
    def where(item: Item) -> None:
        if item.found(store) is None:
            raise DataError(f"{item.address} is not here", where=item.place(store), mend=_how(item, store))
        print(item.place(store) if len(items) == 1 else f"{item.address}\t{item.place(store)}")

    _each(items, where)


def _how(item: Item, store: Store) -> str:
    """Say how a missing item comes, file by file."""
    page = f" from {item.release.page}" if item.release.page else ""
    by_hand = [f"{file.name}{page} at {store.manual(file)}" for file in item.release.files]
    fetched = f"run `sodlift data get {item.address}`"
    if all(file.urls for file in item.release.files) and by_hand:
        return f"{fetched}, or put by hand {', '.join(by_hand)}"
    return f"put {', '.join(by_hand)}, then {fetched}" if by_hand else f"put its files there by hand{page}"


_DO = {"status": _status, "get": _get, "verify": _verify, "where": _where}
