"""Tables from a made-up run: ranking, and the three ways to write them."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from table_samples import LABELS, RUN, SPECS, VALUES, records, summary_of

from sodlift.tables.render import latex_escape
from sodlift.tables.table import Table, make_table, write_table


@pytest.fixture
def summary(tmp_path: Path) -> pd.DataFrame:
    return summary_of(tmp_path, VALUES)


@pytest.fixture
def table(summary: pd.DataFrame) -> Table:
    return make_table(SPECS["mirm_table1"], summary, RUN, LABELS)


# ---- ranking


def test_values_that_look_equal_share_the_first_rank(tmp_path: Path) -> None:
    summary = summary_of(
        tmp_path,
        {
            ("none", "mb_plus", "ECSSD"): (0.70001, 0.2),
            ("mirm", "mb_plus", "ECSSD"): (0.70004, 0.1),
            ("densecrf", "mb_plus", "ECSSD"): (0.6, 0.3),
        },
    )
    spec = replace(SPECS["refiners_ldps"], against=())
    group = make_table(spec, summary, RUN, LABELS).layout.groups[0]
    ranks = {line.label: [e.rank for e in line.entries] for line in group.lines if line.label != "Δ"}
    assert ranks == {"baseline": [1, 2], "MIRM": [1, 1], "MIRM (Lite0)": [0, 0], "DenseCRF": [3, 3]}


@pytest.mark.parametrize(("rank", "best"), [("detector", ["0.8200", "0.7000"]), ("column", ["0.8200"])])
def test_best_is_sought_within_a_detector_or_within_a_column(tmp_path: Path, rank: str, best: list[str]) -> None:
    summary = summary_of(tmp_path, {**VALUES, ("densecrf", "rbd", "ECSSD"): (0.7, 0.15)})
    layout = make_table(replace(SPECS["refiners_ldps"], against=(), rank=rank), summary, RUN, LABELS).layout
    assert [e.text for g in layout.groups for line in g.lines for e in line.entries[:1] if e.rank == 1] == best


def test_lone_value_is_not_called_the_best(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {("none", "mb_plus", "ECSSD"): (0.7, 0.2)})
    assert "**" not in make_table(replace(SPECS["refiners_ldps"], against=()), summary, RUN, LABELS).to_markdown()


# ---- files


def test_csv_keeps_full_precision_and_markdown_shows_four_decimals(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {("none", "mb_plus", "ECSSD"): (0.1 + 0.2, 2 / 3)})
    table = make_table(SPECS["mirm_table1"], summary, RUN, LABELS)
    row = next(r for r in records(table) if r["status"] == "ok")
    assert float(row["ours"]) == 0.1 + 0.2
    assert row["printed"] == "0.6902"
    assert "| 0.3000 (-0.3902 ≠) |" in table.to_markdown()


def test_same_input_gives_the_same_bytes(summary: pd.DataFrame, tmp_path: Path) -> None:
    shuffled = summary.sample(frac=1, random_state=1)
    first = write_table(make_table(SPECS["mirm_table1"], summary, RUN, LABELS), tmp_path / "a")
    second = write_table(make_table(SPECS["mirm_table1"], shuffled, RUN, LABELS), tmp_path / "b")
    assert [p.name for p in first] == ["mirm_table1.csv", "mirm_table1.md", "mirm_table1.tex"]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == sorted(p.name for p in first)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.protocol])
def test_every_row_of_a_written_table_has_as_many_places_as_its_head(name: str, summary: pd.DataFrame) -> None:
    table = make_table(SPECS[name], summary, RUN, LABELS)
    body = [line for line in table.to_markdown().splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in body}) <= 1
    tex = table.to_latex()
    rows = [line for line in tex.splitlines() if line.endswith(r" \\")]
    widths = {
        sum(int(n) for n in re.findall(r"\\multicolumn\{(\d+)\}", row))
        + len([c for c in re.split(r"(?<!\\)&", row) if r"\multicolumn" not in c])
        for row in rows
    }
    declared = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", tex)
    assert widths == {len(columns) for columns in declared}
    assert len(re.findall(r"(?<!\\)\{", tex)) == len(re.findall(r"(?<!\\)\}", tex))
    assert tex.isascii()


@pytest.mark.parametrize("name", ["mijr_table2", "mijr_table3"])
def test_a_table_without_the_values_that_the_paper_prints_says_so(name: str, summary: pd.DataFrame) -> None:
    made = make_table(SPECS[name], summary, RUN, LABELS)
    for text in (made.to_markdown(), made.to_latex()):
        assert "The values that the paper prints are not in the published text available." in text


def test_latex_sets_names_as_they_are(tmp_path: Path) -> None:
    assert latex_escape(r"50%_a&b#{$}~^\<") == (
        r"50\%\_a\&b\#\{\$\}\textasciitilde{}\textasciicircum{}\textbackslash{}\textless{}"
    )
    labels = {"mb_plus": {"title": "M_B & 100%"}}
    summary = summary_of(tmp_path, {("none", "mb_plus", "ECSSD"): (0.5, 0.5)})
    table = make_table(SPECS["refiners_ldps"], summary, RUN, labels)
    assert r"\multirow{4}{*}{M\_B \& 100\%}" in table.to_latex()
    assert r"| M\_B & 100% |" in table.to_markdown()


def test_latex_marks_best_values_and_verdicts(table: Table) -> None:
    tex = table.to_latex()
    assert r"\textbf{0.8200}\textsuperscript{" in tex
    assert r"0.1720 {\scriptsize($+0.0012$ $\approx$)}" in tex
    assert r"$F_\beta^{\mathrm{adp}}\uparrow$ & $\mathrm{MAE}\downarrow$" in tex
    assert r"\usepackage{booktabs,multirow,graphicx}" in tex


def test_difference_that_rounds_to_zero_has_no_minus(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {("none", "mb_plus", "ECSSD"): (0.69019, 0.17)})
    assert "0.6902 (+0.0000 =)" in make_table(SPECS["mirm_table1"], summary, RUN, LABELS).to_markdown()
