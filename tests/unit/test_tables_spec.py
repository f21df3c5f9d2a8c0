"""The rows of tables.yaml: the shipped ones are right, and every mistake in a row is named."""

import json
from pathlib import Path
from shutil import copytree

import pytest
from jsonschema import Draft202012Validator

from sodlift.problems import ConfigProblems
from sodlift.tables.spec import load_tables

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A copy of the configuration folder to spoil."""
    return copytree(CONFIG, tmp_path / "config")


def spoiled(config: Path, old: str, new: str) -> str:
    """Replace a text in tables.yaml, once, and return the message of its refusal."""
    text = (config / "tables.yaml").read_text()
    assert old in text
    (config / "tables.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigProblems) as caught:
        load_tables(config / "tables.yaml", config / "paper_values")
    (only,) = caught.value.problems
    assert "tables.yaml:" in only.file
    return f"{only.path}: {only.what}; {only.mend}"


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json.loads((CONFIG / "schemas" / "tables.schema.json").read_text()))


def test_shipped_tables_load_with_their_printed_values() -> None:
    specs = load_tables(CONFIG / "tables.yaml", CONFIG / "paper_values")
    assert {name: len(spec.values.cells) for name, spec in specs.items()} == {
        "refiners": 0,
        "refiners_gt127": 0,
        "refiners_ldps_all": 0,
        "refiners_ldps": 0,
        "refiners_lps": 0,
        "training": 0,
        "mirm_table1": 192,
        "mirm_table2": 96,
        "mirm_table3": 24,
        "mirm_table4": 6,
        "mirm_table5": 6,
        "lps_table1": 18,
        "lps_table2": 160,
        "lps_table3": 100,
        "a2s_table2": 192,
        "a2s_table3": 6,
        "a2s_table4": 8,
        "a2s_table5": 8,
        "a2s_table6": 4,
        "a2s_table7": 30,
        "a2s_table7_sizes": 30,
        "a2s_table8": 10,
        "a2s_table8_hours": 10,
        "arn_table1": 64,
        "mijr_table2": 0,
        "mijr_table3": 0,
    }
    assert specs["mirm_table1"].source == "MIRM, Table 1"
    assert [spec.id for spec in specs["refiners_ldps"].against] == ["mirm_table1", "mirm_table2", "mirm_table3"]


def test_benchmark_tables_test_the_refiners_and_paper_tables_do_not() -> None:
    specs = load_tables(CONFIG / "tables.yaml", CONFIG / "paper_values")
    assert all(spec.significance == (spec.kind == "benchmark") for spec in specs.values())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: benchmark", "kind: bench", "did you mean 'benchmark'?"),
        ("paper: MIRM\n", "paper: MIRM\n  ranks: column\n", "did you mean 'rank'?"),
        ("  values: mirm_table1.csv\n", "", "mirm_table1: missing key 'values'"),
        ("metrics: [adpF, maxF, meanF, MAE]", "metrics: {adpF: F}", "refiners.metrics"),
        ("trained_on: [DUTS-TE/PiCANet]", "trained_on: [DUTS-TE]", "mirm_table1.variants[1].comparable.trained_on[0]"),
        ("select: {type: densecrf}", "select: {backbone: vgg16}", "mirm_table3.variants[1].select: missing key 'type'"),
        ("protocol: pysod", "protocol: pysud", "did you mean 'pysod'?"),
        ("metrics: [adpF, maxF, meanF, MAE]", "metrics: [adbF]", "did you mean 'adpF'?"),
        ("{adpF: F_adaptive_2mean, MAE: MAE}", "{adpF: F_adaptive}", "did you mean 'F_adaptive_2mean'?"),
        ("against: [mirm_table1,", "against: [mirm_table9,", "unknown paper table 'mirm_table9'"),
        ("values: mirm_table1.csv", "values: mirm_table.csv", "unknown file of printed values 'mirm_table.csv'"),
        ("printed: refined_LPS", "printed: refined_LSP", "did you mean 'refined_LPS'?"),
        ("significance: true", "significance: maybe", "refiners.significance"),
        ("significance: true", "notes: [{text: new, method: UCF}]", "refiners.notes[0].method"),
        ("paper: MIRM\n", "paper: MIRM\n  significance: true\n", "mirm_table1.significance"),
        ("method: UCF", "method: UFC", "mirm_table1.notes[1].method: unknown printed method 'UFC'"),
        ("{A2S_stage2: a2s_keep02}", "{A2S_stage2: a2s_keep20}", "a2s_table6.variants[1].detectors: unknown detector"),
        ("{A2S_stage2: a2s_keep02}", "{A2S_stage2: a2s_kept02}", "did you mean 'a2s_keep02'?"),
        ("{A0: a2s_labels_a0}", "{A9: a2s_labels_a0}", "unknown printed method 'A9'"),
        (", detectors: {A0: a2s_labels_a0}", "", "a2s_table4.variants[0]: missing key 'select'"),
        ("detectors: {A0: a2s_labels_a0}", "detectors: [a2s_labels_a0]", "a2s_table4.variants[0].detectors"),
        ("metrics: {hours: train_time_hours}", "metrics: {hour: train_time_hours}", "did you mean 'hours'?"),
        ("[steps, batch,", "[step, batch,", "did you mean 'steps'?"),
        ("  metrics: [steps,", "  protocol: pysod\n  metrics: [steps,", "training.protocol"),
        ("  metrics: [steps,", "  number: III\n  metrics: [steps,", "training.number"),
    ],
)
def test_mistake_in_a_row_is_named_with_its_place(config: Path, old: str, new: str, message: str) -> None:
    assert message in spoiled(config, old, new)


def test_broken_file_of_printed_values_is_named(config: Path) -> None:
    (config / "paper_values" / "lps_table3.csv").write_text("a,b\n")
    with pytest.raises(ConfigProblems, match=r"lps_table3\.csv: columns"):
        load_tables(config / "tables.yaml", config / "paper_values")


def test_all_mistakes_are_listed_at_once(config: Path) -> None:
    text = (config / "tables.yaml").read_text()
    (config / "tables.yaml").write_text(text.replace("MAE]", "MEA]"))
    with pytest.raises(ConfigProblems) as caught:
        load_tables(config / "tables.yaml", config / "paper_values")
    assert len(caught.value.problems) == text.count("MAE]") > 1
