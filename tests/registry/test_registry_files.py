"""The shipped configurations and registry files: all of them load, and the documentation names every key."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from sodlift.config.load import load_run
from sodlift.config.rows import Row
from sodlift.config.run import Run
from sodlift.document import read_document
from sodlift.options import build
from sodlift.schema import defaults

BASE = Path(__file__).resolve().parents[2]
CONFIG = BASE / "config"
RUNS = tuple(sorted(path.stem for path in CONFIG.glob("*.yaml") if "results" in yaml.safe_load(path.read_text())))
"""Every shipped configuration; the other files are registries."""
REGISTRIES = ("datasets", "detectors", "refiners")


def run(name: str) -> Run:
    return load_run(CONFIG / f"{name}.yaml")


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONFIG / "schemas" / f"{name}.schema.json").read_text())
    return found


def fields(name: str) -> list[str]:
    """The keys of a configuration, or those of a registry file's rows."""
    whole = schema(name)
    return list(whole["properties"] if name == "config" else whole["additionalProperties"]["properties"])


@pytest.mark.parametrize("name", RUNS)
def test_every_shipped_configuration_loads(name: str) -> None:
    assert run(name).cells


@pytest.mark.parametrize("name", RUNS)
def test_every_refiner_and_every_detector_of_a_shipped_configuration_has_a_cell(name: str) -> None:
    loaded = run(name)
    assert {cell.detector for cell in loaded.cells} == set(loaded.detectors)
    assert {cell.refiner for cell in loaded.refined_cells} == set(loaded.refiner_rows)


def test_shipped_configurations_write_to_folders_of_their_own() -> None:
    assert len({str(run(name).results) for name in RUNS}) == len(RUNS) >= 8


@pytest.mark.parametrize("name", ["demo", "smoke"])
def test_the_demo_needs_no_file_outside_the_repository(name: str) -> None:
    loaded = run(name)
    assert {loaded.dataset(d).type for d in loaded.datasets} == {"demo"}
    detectors = [loaded.detector(maps.detector) for maps in loaded.prior_maps]
    assert all(row.type == "prior" or row.train for row in detectors)
    for row in (*detectors, *loaded.refiner_rows.values()):
        assert not row.parameters.get("weights_file")


@pytest.mark.parametrize("kind", REGISTRIES)
def test_the_parameters_of_every_row_make_its_options_again(kind: str) -> None:
    rows: dict[str, Row] = getattr(run("config"), f"{kind.removesuffix('s')}_rows")
    for row in (*rows.values(), *run("demo").refiner_rows.values(), *run("at_hand").refiner_rows.values()):
        assert build(row.kind.options, json.loads(json.dumps(row.parameters)), row.id) == row.options


@pytest.mark.parametrize("name", ["config", *REGISTRIES])
def test_a_schema_is_a_schema_and_closed_everywhere(name: str) -> None:
    whole = schema(name)
    Draft202012Validator.check_schema(whole)

    def objects(part: Any) -> list[dict[str, Any]]:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        below = [found for child in inner for found in objects(child)]
        return [part, *below] if isinstance(part, dict) and "properties" in part else below

    assert objects(whole)
    assert all(part.get("additionalProperties") is False for part in objects(whole) if part is not whole)
    assert "additionalProperties" in whole


@pytest.mark.parametrize("name", ["config", *REGISTRIES])
def test_the_readme_explains_every_key_with_its_default(name: str) -> None:
    text = (CONFIG / "README.md").read_text()
    rows = {m[1]: m[0] for m in re.finditer(r"^\| `([a-z_]+)` \|.*$", text, re.MULTILINE)}
    assert set(fields(name)) <= set(rows)
    if name == "config":
        for key, value in defaults(schema("config")).items():
            written = json.dumps(value).strip('"')
            assert f"| `{written}` |" in rows[key], key


@pytest.mark.parametrize("name", REGISTRIES)
def test_no_two_rows_differ_in_case_only(name: str) -> None:
    ids = list(read_document(CONFIG / f"{name}.yaml").data)
    assert len({i.lower() for i in ids}) == len(ids)


def test_a_part_of_a_data_set_is_marked_as_such_with_a_note() -> None:
    for row in run("config").dataset_rows.values():
        assert row.complete or (row.part_of and row.note), row.id


def test_every_detector_of_the_papers_tables_has_a_row() -> None:
    rows = run("config").detector_rows.values()
    for paper, table in (("MIRM", "mirm_table1"), ("LPS", "lps_table2"), ("LPS", "lps_table3")):
        lines = (CONFIG / "paper_values" / f"{table}.csv").read_text().splitlines()[1:]
        printed = {line.split(",")[2] for line in lines}
        assert printed <= {row.paper_names.get(paper) for row in rows}


def test_the_run_at_hand_names_no_printed_set_as_complete_that_is_not() -> None:
    loaded = run("at_hand")
    assert [d for d in loaded.test_sets if loaded.dataset(d).complete] == ["SED2"]


def test_the_check_of_priors_covers_the_complete_set_without_a_refiner() -> None:
    loaded = run("ecssd_priors")
    assert loaded.test_sets == ("ECSSD",)
    assert loaded.dataset("ECSSD").complete
    assert not loaded.refined_cells


PAPER_SETS = ["ECSSD", "DUT-OMRON", "HKU-IS", "PASCAL-S", "SOD", "DUTS-TR", "DUTS-TE", "MSRA-B", "MSRA10K"]
PAPER_MAPS = [
    "Amulet",
    "UCF",
    "ELD",
    "NLDF",
    "SRM",
    "PiCANet",
    "RAS",
    "R3Net",
    "PFA",
    "DHS",
    "RFCN",
    "DSS",
    "MDF",
    "RADF",
    "BRN",
    "PAGRN",
    "KSR",
]


@pytest.mark.parametrize("name", PAPER_SETS)
def test_a_data_set_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    row = run("config").dataset_rows[name]
    assert row.expected and row.licence and row.citation
    assert row.release.page.startswith(("http://", "https://"))
    by_hand = not any(file.urls for file in row.release.files)
    assert row.release.note or not by_hand  # what comes by hand says how
    assert set(row.release.folders) in ({"images", "masks"}, set())


@pytest.mark.parametrize("name", PAPER_MAPS)
def test_published_maps_say_whose_they_are_and_which_paper_used_them(name: str) -> None:
    row = run("config").detector_rows[name]
    assert row.citation and row.datasets
    assert row.release.page.startswith(("http://", "https://"))
    assert row.paper_names
    assert set(row.paper_names) <= {"MIRM", "LPS", "ARN", "A2S", "MIJR"}


def test_the_lists_of_msra_b_divide_it() -> None:
    lists = {file.stem: file.read_text().split() for file in (CONFIG / "splits" / "MSRA-B").glob("*.txt")}
    assert {name: len(stems) for name, stems in lists.items()} == {"train": 2500, "val": 500, "test": 2000}
    assert len(set().union(*lists.values())) == 5000
