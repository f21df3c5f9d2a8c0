"""What every kind of table keeps to, whoever wrote it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sodlift.config.load import load_run
from sodlift.document import read_document
from sodlift.tables.kinds import KINDS
from sodlift.tables.measures import Measure

CONFIG = Path(__file__).resolve().parents[2] / "config"
RUN = {"results": "out", "datasets": ["ECSSD"], "detectors": ["rbd", "arn_default"], "protocols": ["pysod"]}


@pytest.mark.parametrize("name", KINDS.names())
def test_measures_have_their_names_and_inputs_lie_below_the_results(name: str) -> None:
    kind = KINDS.get(name)
    assert kind.measures
    assert all(isinstance(m, Measure) and m.name == key and m.text and m.latex for key, m in kind.measures.items())
    files = [file for found in kind.inputs(load_run(RUN), {"kind": name}).values() for file in found]
    assert files and all(file.parts[0] == "out" for file in files)


def test_the_schema_allows_the_registered_kinds_and_each_has_a_row() -> None:
    schema = json.loads((CONFIG / "schemas" / "tables.schema.json").read_text())
    assert schema["$defs"]["table"]["properties"]["kind"]["enum"] == KINDS.names()
    rows = read_document(CONFIG / "tables.yaml").data
    assert {row["kind"] for row in rows.values()} == set(KINDS.names())


def test_a_run_knows_the_kind_of_each_of_its_tables() -> None:
    run = load_run({**RUN, "tables": ["training", "refiners"]})
    assert {name: row["kind"] for name, row in run.table_rows.items()} == {
        "training": "training",
        "refiners": "benchmark",
    }
    assert run.tables == ("training", "refiners")


def test_asking_a_kind_what_it_is_made_of_loads_nothing_slow() -> None:
    code = """
import sys
from sodlift.tables.kinds import KINDS
[KINDS.get(name).measures for name in KINDS.names()]
print({"torch", "pandas", "scipy"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
