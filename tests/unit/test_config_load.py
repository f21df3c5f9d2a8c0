"""Configurations: what each mistake is told, and that all of them are told at once."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sodlift.config.data_root import resolve_data_root
from sodlift.config.load import load_run
from sodlift.config.run import Run
from sodlift.problems import ConfigProblems, Problem
from sodlift.schema import defaults, read_schema

BASE = Path(__file__).resolve().parents[2]
RIGHT: dict[str, Any] = {
    "results": "results/test",
    "datasets": ["demo-test"],
    "detectors": ["mb_plus", "rbd"],
    "refiners": ["mirm_lite0_demo"],
    "protocols": ["pysod"],
    "tables": ["refiners"],
}


def found(config: dict[str, Any] | Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigProblems) as caught:
        load_run(config)
    return caught.value.problems


def load(**change: Any) -> Run:
    return load_run({**RIGHT, **change})


def registry(tmp_path: Path, kind: str, rows: Any) -> dict[str, Any]:
    """A right configuration with a registry file of the user's own."""
    file = tmp_path / f"{kind}.yaml"
    file.write_text(yaml.safe_dump(rows))
    return {**RIGHT, "registries": {kind: [str(file)]}}


FOLDER = {"title": "Mine", "type": "folder", "options": {"root": "mine"}}
MAPS = {"title": "Mine", "type": "maps", "options": {"folder": "maps/{dataset}/mine"}}
MIRM = {
    "title": "Mine",
    "type": "mirm",
    "options": {"preset": "default"},
    "train": {"datasets": ["demo-train"], "detectors": ["rbd"]},
}


def schema_defaults() -> dict[str, Any]:
    return defaults(read_schema(BASE / "config" / "schemas" / "config.schema.json"))


def without(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}


def test_the_right_configuration_of_these_tests_is_right() -> None:
    assert load().test_sets == ("demo-test",)


@pytest.mark.parametrize(
    ("change", "path", "what", "expected", "mend"),
    [
        ({"detector": ["rbd"]}, "detector", "unknown key 'detector'", "one of: results", "did you mean 'detectors'?"),
        ({"results": 3}, "results", "3 has the wrong type", "text", ""),
        ({"results": ""}, "results", "''", "at least 1 character", ""),
        ({"data_root": None}, "data_root", "None", "text", ""),
        ({"datasets": "demo-test"}, "datasets", "'demo-test'", "a list", "write a list: [demo-test]"),
        ({"datasets": []}, "datasets", "[]", "a list of at least 1", ""),
        ({"datasets": ["ECSD"]}, "datasets[0]", "unknown data set 'ECSD'", "ECSSD", "did you mean 'ECSSD'?"),
        ({"datasets": ["demo-test"] * 2}, "datasets", "'demo-test' is listed 2 times", "each once", ""),
        ({"detectors": ["mb_plu", "rbd"]}, "detectors[0]", "unknown detector 'mb_plu'", "mb_plus, rbd", "'mb_plus'"),
        ({"detectors": ["PFA"]}, "detectors", "none has maps of demo-test", "PFA: ECSSD", ""),
        ({"refiners": ["mirm_lite_demo"]}, "refiners[0]", "unknown refiner", "mirm_lite0_demo", "'mirm_lite0_demo'"),
        ({"refiners": ["none"]}, "refiners[0]", "'none' is no refiner", "", "always evaluated"),
        ({"extra_metrics": ["hc"]}, "extra_metrics[0]", "unknown extra metric 'hc'", "hce", "did you mean 'hce'?"),
        ({"protocols": ["pysd"]}, "protocols[0]", "unknown protocol 'pysd'", "ldps", "did you mean 'pysod'?"),
        ({"tables": ["mirm_table"]}, "tables[0]", "unknown table 'mirm_table'", "mirm_table1", "did you mean"),
        ({"tables": ["mirm_table1"]}, "tables[0]", "shows protocol 'ldps', which is not", "pysod", "add 'ldps'"),
        (
            {"figures": ["pr_curve"]},
            "figures[0]",
            "unknown figure 'pr_curve'",
            "pr_curves",
            "did you mean 'pr_curves'?",
        ),
        ({"figures": ["lps_fig6_f"]}, "figures[0]", "shows protocol 'lps', which is not", "pysod", "add 'lps'"),
        ({"seeds": []}, "seeds", "[]", "a list of at least 1", ""),
        ({"seeds": [1, 2, 1]}, "seeds", "1 is listed 2 times", "each once", ""),
        ({"seeds": [-1]}, "seeds[0]", "-1 is not allowed", "at least 0", ""),
        ({"seeds": [2**32]}, "seeds[0]", "4294967296 is not allowed", "at most 4294967295", ""),
        ({"device": "cdua"}, "device", "'cdua' is not allowed", "one of: auto, cpu, cuda", "did you mean 'cuda'?"),
        ({"threads": 0}, "threads", "0 is not allowed", "at least 1", ""),
        ({"threads": "2"}, "threads", "'2' has the wrong type", "a whole number", "write 2 without quotes"),
        ({"precision": "float16"}, "precision", "'float16'", "one of: float32, bfloat16", "did you mean 'bfloat16'?"),
        ({"on_error": "records"}, "on_error", "'records'", "one of: raise, record", "did you mean 'record'?"),
        ({"subset": {"demo-test": 4}}, "subset.demo-test", "4 has the wrong type", "a mapping", ""),
        ({"subset": {"demo-test": {"limit": 0}}}, "subset.demo-test.limit", "0 is not allowed", "at least 1", ""),
        ({"subset": {"demo-test": {"limt": 4}}}, "subset.demo-test.limt", "unknown key 'limt'", "stems", "'limit'"),
        ({"subset": {"demo-tst": {"limit": 4}}}, "subset.demo-tst", "unknown data set", "demo-test", "'demo-test'?"),
        ({"baseline_only": ["ECSSD"]}, "baseline_only[0]", "'ECSSD' is no test set of this run", "demo-test", ""),
        ({"registries": {"dataset": []}}, "registries.dataset", "unknown key", "one of: datasets", "'datasets'"),
        ({"registries": {"datasets": "a.yaml"}}, "registries.datasets", "'a.yaml'", "a list", "write a list: [a.yaml]"),
    ],
)
def test_a_mistake_is_told_with_its_path_value_and_what_is_allowed(
    change: dict[str, Any], path: str, what: str, expected: str, mend: str
) -> None:
    (problem,) = found({**RIGHT, **change})
    assert problem.path == path
    assert what in problem.what
    assert expected in problem.expected
    assert mend in problem.mend


@pytest.mark.parametrize("key", ["results", "datasets", "detectors", "protocols"])
def test_a_missing_key_is_named(key: str) -> None:
    (problem,) = found({name: value for name, value in RIGHT.items() if name != key})
    assert problem.what == f"missing key '{key}'"
    assert problem.expected


@pytest.mark.parametrize(
    ("kind", "rows", "path", "what", "expected", "mend"),
    [
        ("datasets", {"a/b": FOLDER}, "a/b", "invalid name 'a/b'", "names become folders", ""),
        ("datasets", {"mine": without(FOLDER, "title")}, "mine", "missing key 'title'", "its name in tables", ""),
        ("datasets", {"mine": {**FOLDER, "complet": True}}, "mine.complet", "unknown key", "", "'complete'"),
        ("datasets", {"mine": {**FOLDER, "expected": "many"}}, "mine.expected", "'many'", "a whole number or null", ""),
        ("datasets", {"mine": {**FOLDER, "type": "foldr"}}, "mine.type", "unknown type 'foldr'", "demo, f", "'folder'"),
        ("datasets", {"mine": {**FOLDER, "part_of": "ECSD"}}, "mine.part_of", "unknown data set 'ECSD'", "", "'ECSSD'"),
        (
            "datasets",
            {"mine": {**FOLDER, "options": {"root": "m", "mask": "x"}}},
            "mine.options.mask",
            "unknown key 'mask'",
            "one of: root, images, masks",
            "'masks'",
        ),
        ("datasets", {"mine": {**FOLDER, "options": {}}}, "mine.options", "missing key 'root'", "text", ""),
        (
            "detectors",
            {"mine": {**MAPS, "type": "map"}},
            "mine.type",
            "unknown type 'map'",
            "maps, onnx, prior",
            "'maps'",
        ),
        ("detectors", {"mine": {**MAPS, "datasets": ["SED"]}}, "mine.datasets", "unknown data set 'SED'", "", "'SED2'"),
        ("detectors", {"mine": {**MAPS, "datasets": []}}, "mine.datasets", "[]", "at least 1", ""),
        ("detectors", {"m@1": MAPS}, "m@1", "invalid name 'm@1'", "letters, digits", ""),
        (
            "detectors",
            {"mine": {"title": "x", "type": "prior", "options": {"method": "mb_plu"}}},
            "mine.options.method",
            "unknown prior 'mb_plu'",
            "mb_plus",
            "'mb_plus'",
        ),
        ("refiners", {"none": MIRM}, "none", "invalid name 'none'", "not 'none'", ""),
        ("refiners", {"mine": {**MIRM, "type": "mrim"}}, "mine.type", "unknown type 'mrim'", "mirm", "'mirm'"),
        (
            "refiners",
            {"mine": {**MIRM, "options": {"theta_gf": 1}}},
            "mine.options.theta_gf",
            "unknown key",
            "",
            "'theta_fg'",
        ),
        (
            "refiners",
            {"mine": {**MIRM, "options": {"preset": "papr"}}},
            "mine.options.preset",
            "unknown preset 'papr'",
            "paper",
            "'paper'",
        ),
        (
            "refiners",
            {"mine": without(MIRM, "train")},
            "mine.train",
            "this refiner is trained",
            "",
            "say what it is trained",
        ),
        (
            "refiners",
            {"mine": {**MIRM, "type": "densecrf", "options": {}}},
            "mine.train",
            "nothing to train",
            "",
            "remove `train`",
        ),
        (
            "refiners",
            {"mine": {**MIRM, "train": {"datasets": ["demo-trian"], "detectors": ["rbd"]}}},
            "mine.train.datasets",
            "unknown data set 'demo-trian'",
            "demo-train",
            "did you mean 'demo-train'?",
        ),
        (
            "refiners",
            {"mine": {**MIRM, "train": {"datasets": ["demo-train"], "detectors": ["rdb"]}}},
            "mine.train.detectors",
            "unknown detector 'rdb'",
            "rbd",
            "did you mean 'rbd'?",
        ),
        (
            "refiners",
            {"mine": {**MIRM, "train": {"datasets": ["demo-train"], "detectors": ["PFA"]}}},
            "mine.train",
            "detector 'PFA' has no maps of 'demo-train'",
            "ECSSD",
            "",
        ),
    ],
)
def test_a_wrong_registry_row_is_told_with_file_line_path_and_what_is_allowed(
    tmp_path: Path, kind: str, rows: Any, path: str, what: str, expected: str, mend: str
) -> None:
    (problem,) = found(registry(tmp_path, kind, rows))
    assert problem.path == path
    assert problem.file.startswith(f"{tmp_path / kind}.yaml:")
    assert what in problem.what
    assert expected in problem.expected
    assert mend in problem.mend


def test_a_row_that_is_defined_already_is_told_with_both_places(tmp_path: Path) -> None:
    (problem,) = found(registry(tmp_path, "datasets", {"ECSSD": FOLDER}))
    assert "row 'ECSSD' is already defined in" in problem.what
    assert f"{BASE / 'config' / 'datasets.yaml'}:" in problem.what
    assert problem.file == f"{tmp_path / 'datasets.yaml'}:1"


def test_a_missing_registry_file_is_one_problem(tmp_path: Path) -> None:
    (problem,) = found({**RIGHT, "registries": {"detectors": [str(tmp_path / "none.yaml")]}})
    assert problem.what == "configuration file not found"
    assert problem.where == str(tmp_path / "none.yaml")


def test_mistakes_everywhere_are_listed_at_once(tmp_path: Path) -> None:
    config = registry(tmp_path, "refiners", {"mine": {**MIRM, "options": {"steps": "x"}}, "ok": {**MIRM, "train": {}}})
    config |= {"detectors": ["mb_plu", "rbd"], "device": "gpu", "sedes": [1], "refiners": ["mine", "nobody"]}
    with pytest.raises(ConfigProblems) as caught:
        load_run(config)
    assert sorted(p.path for p in caught.value.problems) == [
        "detectors[0]",
        "device",
        "mine.options.steps",
        "ok.train",
        "refiners[1]",
        "sedes",
    ]
    assert str(caught.value).startswith("6 problems in the configuration:")


def test_mistakes_of_a_file_are_told_with_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(f"devic: cpu\nseeds:\n  - 1\n  - -2\n{yaml.safe_dump(RIGHT)}")
    assert [p.where for p in found(file)] == [f"{file}:1: devic", f"{file}:4: seeds[1]"]


def test_a_wrong_subset_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(f"subset:\n  demo-test:\n    limit: 3\n    sample: 3\n    seeds: 1\n{yaml.safe_dump(RIGHT)}")
    assert [p.where for p in found(file)] == [f"{file}:5: subset.demo-test.seeds"]
    file.write_text(file.read_text().replace("    seeds: 1\n", ""))
    assert [p.where for p in found(file)] == [f"{file}:2: subset.demo-test"]


UNMASKED = {"mine": {**FOLDER, "options": {"root": "mine", "masks": None}}}


@pytest.mark.parametrize("key", ["tables", "figures"])
def test_tables_and_figures_of_a_run_without_masks_are_refused_with_the_mend(tmp_path: Path, key: str) -> None:
    config = {**registry(tmp_path, "datasets", UNMASKED), "datasets": ["mine"], "tables": [], "figures": []}
    (problem,) = found({**config, key: {"tables": ["refiners"], "figures": ["pr_curves"]}[key]})
    assert problem.path == key
    assert "nothing can be scored: mine without masks" in problem.what
    assert f"remove `{key}`" in problem.mend
    assert load_run(config).scored_cells == ()
    assert load_run(without(config, "protocols")).protocols == ()


def test_tables_of_a_run_with_and_without_masks_are_made(tmp_path: Path) -> None:
    run = load_run({**registry(tmp_path, "datasets", UNMASKED), "datasets": ["mine", "demo-test"]})
    assert run.tables == ("refiners",)


def test_training_and_testing_on_one_data_set_is_refused() -> None:
    (problem,) = found({**RIGHT, "datasets": ["demo-train"]})
    assert problem.path == "refiners[0]"
    assert "trained on 'demo-train' and tested on 'demo-train': they are the same" in problem.what
    assert "baseline_only" in problem.mend


def test_training_and_testing_on_the_same_files_under_two_names_is_refused(tmp_path: Path) -> None:
    rows = {
        "all-demo": {"title": "x", "type": "demo"},
        "other": {"title": "x", "type": "demo", "options": {"split": "train"}},
    }
    problems = found({**registry(tmp_path, "datasets", rows), "datasets": ["all-demo", "other", "demo-test"]})
    assert [p.what.rpartition(" on ")[2] for p in problems] == [
        "'all-demo': they have the same source and split",
        "'other': they have the same source and split",
    ]


def test_training_on_the_whole_and_testing_on_a_part_is_refused(tmp_path: Path) -> None:
    rows = {"mine": {**MIRM, "train": {"datasets": ["PASCAL-S"], "detectors": ["rbd"]}}}
    config = {**registry(tmp_path, "refiners", rows), "datasets": ["PASCAL-S-108"], "refiners": ["mine"]}
    (problem,) = found(config)
    assert "'PASCAL-S-108' is a part of 'PASCAL-S'" in problem.what


def test_a_training_set_may_be_scored_without_a_refiner() -> None:
    run = load(datasets=["demo-test", "demo-train"], baseline_only=["demo-train"])
    assert {c.refiner for c in run.cells if c.dataset == "demo-train"} == {"none"}
    assert {c.refiner for c in run.cells if c.dataset == "demo-test"} == {"none", "mirm_lite0_demo"}


def test_the_environment_variable_overrides_the_data_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SODLIFT_DATA", raising=False)
    assert load().data_root == Path("data")
    assert load(data_root="elsewhere").data_root == Path("elsewhere")
    assert resolve_data_root({}) == Path(schema_defaults()["data_root"])
    monkeypatch.setenv("SODLIFT_DATA", "/from/the/environment")
    assert load(data_root="elsewhere").data_root == Path("/from/the/environment")


def test_loading_a_run_imports_neither_torch_nor_snakemake() -> None:
    code = (
        "import sys, time; start = time.process_time()\n"
        "import sodlift.config.load\n"
        "seconds = time.process_time() - start\n"
        f"sodlift.config.load.load_run({str(BASE / 'config' / 'demo.yaml')!r})\n"
        "print(seconds, sorted({'torch', 'snakemake', 'pandas'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(BASE / "workflow_scripts")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    seconds, _, imported = done.stdout.strip().partition(" ")
    assert imported == "[]"
    assert float(seconds) < 0.5  # of the processor, so that other jobs of the machine do not count
