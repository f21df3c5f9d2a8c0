"""Adapter of rule obtain: one data set, or one detector's maps of one, put in place below the root of the data."""

from pathlib import Path
from typing import Any

from adapter import run_job
from sodlift.catalogue._base import Registered
from sodlift.catalogue.names import all_items, resolve
from sodlift.catalogue.status import status
from sodlift.config.data_root import resolve_data_root
from sodlift.config.registries import registered_rows
from sodlift.fetch.store import Store, write_json


def main(snakemake: Any) -> None:
    """Get what is not in place; write its state as JSON, last, so that it marks what is there whole."""
    rows = registered_rows(snakemake.config.get("registries", {}))
    registered = Registered(*rows, resolve_data_root(snakemake.config))
    kind = snakemake.wildcards.address.partition("/")[0]
    (item,) = resolve([snakemake.wildcards.address], all_items(registered, [kind]))
    store = Store.default()
    if item.found(store) is None:
        item.get(store)
    write_json(Path(snakemake.output[0]), status(item, store).__dict__)


run_job(main, globals())
