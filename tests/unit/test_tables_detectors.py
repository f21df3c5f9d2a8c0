"""Variants that name the detectors that play them: options of a detector as rows of a printed table."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from table_samples import SPECS, cell, only, record, records

from sodlift.tables.run_info import DatasetInfo, RefinerInfo, RunInfo
from sodlift.tables.summary import build_summary
from sodlift.tables.table import Table, make_table

LABELS = {
    "a2s_labels": {"title": "A2S, stage 1", "A2S": "A2S_stage1"},
    "a2s": {"title": "A2S", "A2S": "A2S_stage2"},
    "MINet": {"title": "MINet", "A2S": "MINet"},
    "rbd": {"title": "RBD", "A2S": "RBD", "ARN": "RBD"},
    "arn_paper": {"title": "ARN (as published)", "ARN": "ARN"},
    "arn_default": {"title": "ARN"},
}
SETS = ("ECSSD", "MSRA-B-train", "MSRA-B-test")


def table(root: Path, name: str, values: Mapping[str, tuple[float, float]], *sets: str) -> Table:
    """The table ``name`` of a run with these detectors: F and MAE by id, the same on every one of the data sets."""
    spec = SPECS[name]
    f, mae = spec.metrics
    run = RunInfo(
        detectors=tuple(values),
        refiners={"mirm": RefinerInfo("mirm", "MIRM")},
        datasets={one: DatasetInfo(one, one) for one in sets},
        protocols={spec.protocol: ""},
    )
    made = [
        cell(
            root,
            "none",
            detector,
            one,
            *(record(m, v, protocol=spec.protocol) for m, v in zip((f, mae), both, strict=True)),
        )
        for detector, both in values.items()
        for one in sets
    ]
    labels = {name: LABELS.get(name, {"title": name.replace("_", " ")}) for name in values}
    return make_table(spec, build_summary(made), run, labels)


def lines(made: Table) -> list[tuple[str, str, str, str]]:
    """Group, label, source and first number of every line."""
    return [(g.title, one.label, one.source, one.entries[0].text) for g in made.layout.groups for one in g.lines]


def test_detectors_are_the_lines_of_the_method_that_they_play_in_the_order_of_print(tmp_path: Path) -> None:
    values = {"a2s_labels": (0.866, 0.05), "a2s_labels_alpha03": (0.8, 0.1), "a2s_labels_alpha00": (0.8455, 0.078)}
    made = table(tmp_path, "a2s_table5", values, "MSRA-B-train")
    assert lines(made) == [
        ("A2S_stage1", "alpha 0", "paper", "0.845"),
        ("A2S_stage1", "a2s labels alpha00", "ours", "0.846"),
        ("A2S_stage1", "alpha 0.1", "paper", "0.866"),
        ("A2S_stage1", "A2S, stage 1", "ours", "0.866"),
        ("A2S_stage1", "alpha 0.3", "paper", "0.859"),
        ("A2S_stage1", "a2s labels alpha03", "ours", "0.800"),
    ]
    kinds = {c.detector: c.verdict.kind for c in made.cells if c.verdict and c.metric == "adpF"}
    assert kinds == {"a2s_labels": "match", "a2s_labels_alpha03": "off", "a2s_labels_alpha00": "match"}
    assert "Not in this run: detector a2s_labels_alpha02 (2 cells)." in made.layout.footer


def test_one_detector_plays_another_method_in_each_table(tmp_path: Path) -> None:
    made = table(tmp_path / "IV", "a2s_table4", {"a2s_labels": (0.866, 0.05)}, "MSRA-B-train")
    assert lines(made) == [("A3", "all", "paper", "0.866"), ("A3", "A2S, stage 1", "ours", "0.866")]
    made = table(tmp_path / "VIII", "a2s_table8", {"a2s": (0.88, 0.06)}, "ECSSD")
    assert lines(made) == [("OLR", "second stage", "paper", "0.880"), ("OLR", "A2S", "ours", "0.880")]


def test_named_detectors_keep_out_those_whose_paper_name_is_printed(tmp_path: Path) -> None:
    """Table VII's MINet learnt from A2S's labels; the published maps of MINet did not."""
    made = table(tmp_path, "a2s_table7", {"MINet": (0.9, 0.03), "a2s_plain": (0.865, 0.066)}, "ECSSD", "MSRA-B-test")
    assert {c.detector for c in made.cells} == {"", "a2s_plain"}
    assert only(made.cells, method="MINet", variant="with OLR", dataset="ECSSD", metric="MAE").printed
    footer = " ".join(made.layout.footer)
    assert "detectors MINet, a2s_dagger_plain, a2s_dagger, a2s" in footer


def test_variants_with_and_without_detectors_share_a_table(tmp_path: Path) -> None:
    values = {"rbd": (0.63, 0.17), "a2s": (0.88, 0.06), "a2s_supervised": (0.9, 0.05)}
    made = table(tmp_path, "a2s_table2", values, "ECSSD")
    assert [line[:3] for line in lines(made)] == [
        ("RBD", "unsupervised", "paper"),
        ("RBD", "baseline", "ours"),
        ("A2S_stage2", "MoCo v2 encoder", "paper"),
        ("A2S_stage2", "A2S", "ours"),
        ("A2S_stage2", "supervised encoder", "paper"),
        ("A2S_stage2", "a2s supervised", "ours"),
    ]
    best = [one.entries[0] for group in made.layout.groups for one in group.lines if one.source == "ours"]
    assert [entry.rank for entry in best] == [3, 2, 1]


def test_variants_that_are_not_printed_stand_beside_those_that_are(tmp_path: Path) -> None:
    made = table(tmp_path, "a2s_table6", {"a2s_keep00": (0.87, 0.06), "a2s": (0.88, 0.06)}, "ECSSD")
    assert lines(made) == [
        ("A2S_stage2", "a2s keep00", "ours", "0.870"),
        ("A2S_stage2", "lambda 0.4", "paper", "0.880"),
        ("A2S_stage2", "A2S", "ours", "0.880"),
    ]


def test_a_benchmark_beside_a_paper_takes_its_detectors_by_name(tmp_path: Path) -> None:
    spec = replace(SPECS["refiners_ldps"], protocol="a2s", against=(SPECS["a2s_table7"],), significance=False)
    run = RunInfo(("MINet", "a2s_dagger"), {}, {"ECSSD": DatasetInfo("ECSSD", "ECSSD")}, {"a2s": ""})
    frame = build_summary(
        cell(tmp_path, "none", name, "ECSSD", record("adpF", 0.87, protocol="a2s")) for name in run.detectors
    )
    cells = make_table(spec, frame, run, LABELS).cells
    assert only(cells, detector="a2s_dagger", metric="adpF").printed.text == "0.872"
    assert only(cells, detector="MINet", metric="adpF").printed is None


def test_every_row_of_the_csv_names_method_detector_and_what_lacks(tmp_path: Path) -> None:
    rows = records(table(tmp_path, "a2s_table8", {"a2s": (0.88, 0.06)}, "ECSSD"))
    ours = next(r for r in rows if r["detector"] == "a2s" and r["metric"] == "adpF" and r["dataset_id"])
    assert (ours["method"], ours["variant"], ours["printed"], ours["verdict"]) == ("OLR", "A2S", "0.880", "match")
    lacking = [r["reason"] for r in rows if r["method"] == "HMA"]
    assert set(lacking) == {"not in this run: detector a2s_hma"}


def test_arn_is_ranked_over_the_column_with_a_note_on_its_cells(tmp_path: Path) -> None:
    values = {"rbd": (0.6778, 0.1769), "arn_paper": (0.93, 0.05), "arn_default": (0.94, 0.04)}
    made = table(tmp_path, "arn_table1", values, "ECSSD")
    assert [group.title for group in made.layout.groups] == ["RBD", "ARN (ARN (as published))"]
    assert {one.entries[0].rank for group in made.layout.groups for one in group.lines} == {1, 2}
    assert only(made.cells, detector="rbd", metric="MAE", dataset_id="ECSSD").verdict.kind == "match"
    assert any("re-implemented" in text for text in made.layout.footer)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.paper in {"A2S", "ARN"}])
def test_what_a_table_names_is_registered_and_printed(name: str) -> None:
    spec = SPECS[name]
    assert {method for v in spec.variants for method in v.detectors} <= set(spec.values.methods)
    printed = {v.printed for v in spec.variants if v.printed}
    if spec.kind == "paper":
        assert printed == set(spec.values.variants)
