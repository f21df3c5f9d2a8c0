"""The transcribed numbers: complete, well formed, and consistent where papers repeat each other."""

import csv
from pathlib import Path

import pytest

from sodlift.errors import ConfigError
from sodlift.tables.printed import COLUMNS, PrintedValues

FOLDER = Path(__file__).parents[2] / "config" / "paper_values"
ROWS = {
    "a2s_table1": 3,
    "a2s_table2": 192,
    "a2s_table3_from_text": 6,
    "a2s_table4": 8,
    "a2s_table5": 8,
    "a2s_table6_implied": 4,
    "a2s_table7": 30,
    "a2s_table8": 10,
    "arn_table1": 64,
    "lps_repo_readme": 24,
    "lps_table1": 18,
    "lps_table2": 160,
    "lps_table3": 100,
    "mirm_table1": 192,
    "mirm_table2": 96,
    "mirm_table3": 24,
    "mirm_table4": 6,
    "mirm_table5": 6,
    "missing_tables": 6,
    "text_numbers": 32,
}
SCORES = {"F_adaptive_2mean", "F_max", "F_ave", "MAE"}


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        assert tuple(reader.fieldnames or ()) == COLUMNS
        return list(reader)


def values(name: str) -> PrintedValues:
    return PrintedValues.load(FOLDER / f"{name}.csv")


def test_every_file_is_known() -> None:
    assert {path.stem for path in FOLDER.glob("*.csv")} == set(ROWS)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_file_has_all_its_rows(name: str) -> None:
    assert len(rows(name)) == ROWS[name]


@pytest.mark.parametrize("name", sorted(ROWS))
def test_values_are_numbers_or_empty_and_scores_lie_in_the_unit_interval(name: str) -> None:
    for row in rows(name):
        if row["value"]:
            number = float(row["value"])
            assert row["metric"] not in SCORES or 0 < number < 1, row


@pytest.mark.parametrize("name", sorted(set(ROWS) - {"missing_tables", "text_numbers"}))
def test_printed_tables_load_and_hold_each_cell_once(name: str) -> None:
    assert len(values(name).cells) == ROWS[name]


@pytest.mark.parametrize(
    ("name", "cell", "text"),
    [
        ("mirm_table1", ("MB+", "baseline", "ECSSD", "F_adaptive_2mean"), "0.6902"),
        ("mirm_table1", ("MB+", "baseline", "ECSSD", "MAE"), "0.1708"),
        ("mirm_table1", ("wCtrO", "baseline", "ECSSD", "F_adaptive_2mean"), "0.6763"),
        ("mirm_table1", ("wCtrO", "baseline", "ECSSD", "MAE"), "0.1713"),
        ("mirm_table1", ("MB+", "refined_MIRM", "DUT-OMRON", "F_adaptive_2mean"), "0.666"),
        ("mirm_table1", ("PFA", "refined_MIRM", "PASCAL-S", "MAE"), "0.0601"),
        ("mirm_table2", ("Amulet", "refined_LPS", "DUT-OMRON", "MAE"), "0.0975"),
        ("mirm_table3", ("UCF", "DenseCRF", "HKU-IS", "F_adaptive_2mean"), "0.842"),
        ("lps_table2", ("Amulet", "baseline", "SOD", "F_adaptive_2mean"), "0.7546"),
        ("lps_table2", ("Amulet", "baseline", "SOD", "MAE"), "0.1407"),
        ("lps_table1", ("UCF", "promoted_FC", "ECSSD", "F_adaptive_2mean"), "0.8902"),
        ("a2s_table7", ("Ours", "without_OLR", "ECSSD", "MAE"), "0.066"),
        ("a2s_table7", ("Ours", "with_OLR", "ECSSD", "MAE"), "0.060"),
        ("arn_table1", ("Amulet", "as_reported", "HKU-IS", "F_max"), "0.9204"),
        (
            "a2s_table1",
            ("threshold_Otsu", "before_stage1_training", "MSRA-B-train+val", "inter_class_variance"),
            "0.1408",
        ),
    ],
)
def test_cell_is_as_printed(name: str, cell: tuple[str, str, str, str], text: str) -> None:
    assert values(name).text(*cell) == text


def test_a2s_table2_leaves_fourteen_cells_open() -> None:
    assert list(values("a2s_table2").cells.values()).count("") == 14


def test_mirm_table2_repeats_the_lps_numbers() -> None:
    lps = {**values("lps_table2").cells, **values("lps_table3").cells}
    shared = [
        (text, lps[method, "promoted_Conv", dataset, metric])
        for (method, variant, dataset, metric), text in values("mirm_table2").cells.items()
        if variant == "refined_LPS" and (method, "promoted_Conv", dataset, metric) in lps
    ]
    assert len(shared) == 30
    assert all(mirm == lps for mirm, lps in shared)


@pytest.mark.parametrize(
    ("name", "refined"),
    [("mirm_table1", "refined_MIRM"), ("lps_table2", "promoted_Conv"), ("lps_table3", "promoted_Conv")],
)
def test_refined_beats_baseline_in_every_printed_cell(name: str, refined: str) -> None:
    cells = values(name).cells
    for (method, variant, dataset, metric), text in cells.items():
        if variant == refined:
            before, after = float(cells[method, "baseline", dataset, metric]), float(text)
            assert after < before if metric == "MAE" else after > before


def test_a2s_table7_with_olr_equals_the_final_results_of_table2() -> None:
    final = values("a2s_table2")
    for (method, variant, dataset, metric), text in values("a2s_table7").cells.items():
        if (method, variant) == ("Ours", "with_OLR") and dataset != "-":
            assert final.text("A2S_stage2", "MoCo_v2_backbone", dataset, metric) == text


def test_readme_states_the_number_of_rows_of_every_file() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name, count in ROWS.items():
        line = next(line for line in text.splitlines() if line.startswith("| `") and f"`{name}.csv`" in line)
        files, counts = (line.split("|")[i].replace("`", "").replace(" ", "").split(",") for i in (1, 2))
        assert counts[files.index(f"{name}.csv")] == str(count)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("paper,table,method,value\n", "columns"),
        ("X,1,A,b,D,MAE,0.1\nX,1,A,b,D,MAE,0.2\n", "twice"),
        ("X,1,A,b,D,MAE,O.1\n", "O.1"),
    ],
)
def test_malformed_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(content if content.startswith("paper") else ",".join(COLUMNS) + "\n" + content)
    with pytest.raises(ConfigError, match=message):
        PrintedValues.load(path)
