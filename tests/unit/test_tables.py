"""Tables from a made-up run: verdicts, missing and failed cells, ranking, and the three ways to write them."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from table_samples import CONFIG, LABELS, RUN, SPECS, VALUES, cell, only, record, records, summary_of

from sodlift.evaluation.scores import COUNTS
from sodlift.tables.compare import Printed, Tolerance, verdict
from sodlift.tables.counted import ALWAYS, COUNTED
from sodlift.tables.layout import DASH
from sodlift.tables.run_info import DatasetInfo, RefinerInfo, RunInfo
from sodlift.tables.spec import Match, TableSpec, load_tables
from sodlift.tables.summary import build_counts, build_summary
from sodlift.tables.table import Table, make_table


@pytest.fixture
def summary(tmp_path: Path) -> pd.DataFrame:
    return summary_of(tmp_path, VALUES)


# ---- verdicts


@pytest.mark.parametrize(
    ("ours", "printed", "kind"),
    [
        (0.69075, "0.6902", "match"),  # half a unit of the fourth digit, and 5e-4
        (0.69076, "0.6902", "near"),
        (0.667, "0.666", "match"),  # three digits leave more room
        (0.6671, "0.666", "near"),
        (0.7022, "0.6902", "near"),
        (0.6782, "0.6902", "near"),
        (0.7023, "0.6902", "off"),
        (0.5, "0.6902", "off"),
    ],
)
def test_verdict_by_distance_and_by_the_digits_printed(ours: float, printed: str, kind: str) -> None:
    assert verdict(ours, Printed(printed)).kind == kind


def test_reasons_make_numbers_not_comparable_however_close_they_are() -> None:
    judged = verdict(0.6902, Printed("0.6902"), ["other backbone", "other training set"])
    assert (judged.kind, judged.reason, judged.difference) == (
        "not comparable",
        "other backbone; other training set",
        0.0,
    )


def test_cell_that_the_paper_leaves_open_is_not_comparable() -> None:
    judged = verdict(0.5, None)
    assert (judged.kind, judged.reason, judged.difference) == ("not comparable", "the paper prints no value", None)


def test_tolerance_can_be_set() -> None:
    assert verdict(0.72, Printed("0.70"), tolerance=Tolerance(near=0.03)).kind == "near"


# ---- a paper's table


@pytest.fixture
def table(summary: pd.DataFrame) -> Table:
    return make_table(SPECS["mirm_table1"], summary, RUN, LABELS)


@pytest.mark.parametrize(
    ("detector", "refiner", "metric", "kind"),
    [
        ("mb_plus", "none", "adpF", "match"),
        ("mb_plus", "none", "MAE", "near"),
        ("mb_plus", "mirm", "adpF", "off"),
        ("mb_plus", "mirm", "MAE", "match"),
        ("mb_plus", "mirm_lite0", "adpF", "not comparable"),
        ("rbd", "none", "adpF", "match"),
    ],
)
def test_cells_of_the_run_get_their_verdict(table: Table, detector: str, refiner: str, metric: str, kind: str) -> None:
    found = only(table.cells, detector=detector, refiner=refiner, metric=metric, dataset_id="ECSSD")
    assert found.verdict is not None
    assert found.verdict.kind == kind


def test_reason_names_backbone_and_training_set_of_both_sides(table: Table) -> None:
    found = only(table.cells, detector="mb_plus", refiner="mirm_lite0", metric="adpF", dataset_id="ECSSD")
    assert found.verdict is not None
    assert found.verdict.reason == (
        "other backbone (efficientnet_lite0; the paper's is mobilenet_v2); "
        "other training set (ECSSD/CSNet; the paper's is DUTS-TE/PiCANet)"
    )


def test_part_of_a_data_set_has_no_printed_value(table: Table) -> None:
    found = only(table.cells, detector="mb_plus", refiner="none", metric="adpF", dataset_id="PASCAL-S-108")
    assert found.printed is None
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.reason) == ("not comparable", "108-image subset of PASCAL-S")


def test_every_printed_cell_is_there_and_says_what_is_missing(table: Table) -> None:
    cells = records(table)
    assert sum(row["printed"] != "" and row["refiner"] != "mirm_lite0" for row in cells) == 192
    assert all(row["reason"] for row in cells if row["status"] == "missing")
    reasons = {row["reason"] for row in cells if row["status"] == "missing"}
    assert "not in this run: detector UCF" in reasons
    assert "not in this run: data set HKU-IS" in reasons
    assert "not in this run: data set PASCAL-S" in reasons
    assert "not in this run: prior maps wCtrO (RBD) on PASCAL-S-108" in reasons
    assert "not in this run: refined maps MIRM (Lite0) of wCtrO (RBD) on ECSSD" in reasons


def test_cells_of_a_refiner_that_does_not_exist_yet_name_its_type(summary: pd.DataFrame) -> None:
    found = make_table(SPECS["lps_table3"], summary, RUN, LABELS).cells
    lps = only(found, detector="rbd", variant="LPS", metric="MAE", dataset_id="ECSSD")
    assert str(lps.missing) == "not in this run: refiner (type lps, embedding conv, iterations 1)"
    assert lps.printed is not None
    assert (lps.printed.text, lps.printed.source) == ("0.1084", "LPS, Table 3")


def test_refiner_with_another_backbone_does_not_play_the_vgg16_variant(summary: pd.DataFrame) -> None:
    run = replace(RUN, detectors=("picanet",))
    found = make_table(SPECS["mirm_table2"], summary, run, LABELS).cells
    vgg16 = only(found, detector="picanet", variant="MIRM (VGG16)", metric="MAE", dataset_id="ECSSD")
    assert (vgg16.refiner, str(vgg16.missing)) == ("", "not in this run: refiner (type mirm, backbone vgg16)")


def test_protocol_that_was_not_evaluated_is_what_is_missing(summary: pd.DataFrame) -> None:
    run = replace(RUN, protocols={"pysod": ""})
    table = make_table(SPECS["lps_table3"], summary, run, LABELS)
    found = only(table.cells, detector="rbd", refiner="none", metric="MAE", dataset_id="ECSSD")
    assert str(found.missing) == "not in this run: protocol lps"


def test_table_without_any_cell_of_the_run_says_so(summary: pd.DataFrame) -> None:
    table = make_table(SPECS["lps_table2"], summary, RUN, LABELS)
    assert "No cell of this table is in this run." in table.to_markdown()
    assert "No cell of this table is in this run." in table.to_latex()
    assert "Not in this run: detectors Amulet, SRM, UCF, DHS, NLDF, ELD, RFCN, DSS (160 cells)." in table.to_markdown()


def test_remark_on_a_printed_cell_becomes_a_footnote_of_it(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {("none", "ucf", "ECSSD"): (0.8435, 0.0691)})
    text = make_table(SPECS["mirm_table1"], summary, replace(RUN, detectors=("ucf",)), LABELS).to_markdown()
    assert "| UCF | baseline | paper | 0.8435 <sup>a</sup> | 0.0691 <sup>a</sup> |" in text
    assert "<sup>a</sup> differs from the baseline that LPS prints for UCF" in text


def test_two_detectors_of_one_label_are_told_apart(summary: pd.DataFrame) -> None:
    labels = {**LABELS, "rbd_maps": {"title": "RBD maps", "MIRM": "wCtrO"}}
    table = make_table(SPECS["mirm_table1"], summary, replace(RUN, detectors=("rbd", "rbd_maps")), labels)
    assert [group.title for group in table.layout.groups] == ["wCtrO (RBD)", "wCtrO (RBD maps)"]


# ---- a benchmark table


def test_threshold_has_no_better_side(tmp_path: Path) -> None:
    refiners = {"none": 120.0, "mirm": 40.0}
    summary = build_summary(
        cell(tmp_path, name, "mb_plus", "ECSSD", record("T_maxF", value)) for name, value in refiners.items()
    )
    table = make_table(replace(SPECS["refiners_ldps"], metrics={"T_maxF": ""}), summary, RUN, LABELS)
    assert "| ECSSD threshold of max F |" in table.to_markdown()
    assert "$t_{F^{\\max}}$" in table.to_latex()
    assert {entry.rank for line in table.layout.groups[0].lines for entry in line.entries} == {0}


def test_benchmark_has_a_row_for_each_refiner_and_its_gain(summary: pd.DataFrame) -> None:
    table = make_table(SPECS["refiners_ldps"], summary, RUN, LABELS)
    ours = [line.label for line in table.layout.groups[0].lines if line.source == "ours"]
    assert ours == ["baseline", "MIRM", "Δ", "MIRM (Lite0)", "Δ", "DenseCRF", "Δ"]
    gain = only(table.cells, detector="mb_plus", refiner="densecrf", metric="MAE", dataset_id="ECSSD")
    assert gain.delta == pytest.approx(0.15 - 0.1720, abs=1e-15)


def test_benchmark_sets_printed_values_beside_ours_with_the_verdict(summary: pd.DataFrame) -> None:
    table = make_table(SPECS["refiners_ldps"], summary, RUN, LABELS)
    found = only(table.cells, detector="mb_plus", refiner="none", metric="adpF", dataset_id="ECSSD")
    assert found.printed == Printed("0.6902", "MIRM, Table 1")
    assert table.verdicts == {"match": 4, "near": 1, "not comparable": 4, "off": 1}
    assert table.to_markdown().count("0.8418") == 1  # once for both refiners that play the paper's


def test_another_protocol_is_not_comparable(tmp_path: Path) -> None:
    summary = build_summary([cell(tmp_path, "none", "mb_plus", "ECSSD", record("adpF", 0.69, protocol="pysod"))])
    spec = replace(SPECS["refiners"], against=(SPECS["mirm_table1"],))
    found = only(
        make_table(spec, summary, RUN, LABELS).cells,
        detector="mb_plus",
        refiner="none",
        metric="adpF",
        dataset_id="ECSSD",
    )
    assert found.verdict is not None
    assert found.verdict.reason == "other protocol (pysod; the paper's is ldps)"


def test_detectors_without_any_number_are_left_out_but_listed(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {("none", "picanet", "ECSSD"): (0.9, 0.04)})
    run = RunInfo(("picanet", "unseen"), {}, {"ECSSD": DatasetInfo("ECSSD"), "SED2": DatasetInfo("SED2")}, {"ldps": ""})
    table = make_table(SPECS["refiners_ldps"], summary, run, LABELS)
    assert [group.title for group in table.layout.groups] == ["PiCANet"]
    assert [title for title, _ in table.layout.columns] == ["ECSSD"]
    assert "prior maps PiCANet on SED2, unseen on ECSSD, unseen on SED2 (6 cells)" in table.to_markdown()


def test_printed_variant_is_that_from_which_the_refiner_differs_least(tmp_path: Path) -> None:
    run = RunInfo(
        ("picanet",),
        {"vgg": RefinerInfo("mirm", "MIRM VGG", "vgg16", ("DUTS-TE/PiCANet",), {"weights": "torchvision"})},
        {"ECSSD": DatasetInfo("ECSSD", "ECSSD")},
        {"ldps": ""},
    )
    summary = summary_of(
        tmp_path, {("none", "picanet", "ECSSD"): (0.9, 0.04), ("vgg", "picanet", "ECSSD"): (0.9, 0.04)}
    )
    found = only(make_table(SPECS["refiners_ldps"], summary, run, LABELS).cells, refiner="vgg", metric="MAE")
    assert found.printed is not None
    assert found.printed.source == "MIRM, Table 2"


# ---- seeds, numbers of images, failures


def test_seeds_are_averaged_and_their_spread_is_shown(tmp_path: Path) -> None:
    cells = [
        cell(tmp_path, "none", "mb_plus", "ECSSD", record("MAE", 0.2), seed=1),
        cell(tmp_path, "mirm", "mb_plus", "ECSSD", record("MAE", 0.10), seed=1),
        cell(tmp_path, "mirm", "mb_plus", "ECSSD", record("MAE", 0.12), seed=2),
    ]
    table = make_table(SPECS["refiners_ldps"], build_summary(cells), replace(RUN, seeds=(1, 2)), LABELS)
    row = next(r for r in records(table) if (r["refiner"], r["metric"], r["dataset_id"]) == ("mirm", "MAE", "ECSSD"))
    assert (float(row["ours"]), row["seeds"]) == (pytest.approx(0.11), "2")
    assert float(row["spread"]) == pytest.approx(0.02 / 2**0.5)
    assert "0.1100 ± 0.0141" in table.to_markdown()
    assert "over the seeds 1, 2." in table.to_markdown()


def test_one_failed_seed_fails_the_cell(tmp_path: Path) -> None:
    cells = [cell(tmp_path, "mirm", "mb_plus", "ECSSD", record("MAE", v), seed=s) for s, v in ((1, 0.1), (2, None))]
    table = make_table(SPECS["refiners_ldps"], build_summary(cells), RUN, LABELS)
    assert only(table.cells, detector="mb_plus", refiner="mirm", metric="MAE", dataset_id="ECSSD").status == "failed"


def test_failed_cell_is_a_dash_with_a_footnote_and_is_not_ranked(summary: pd.DataFrame) -> None:
    table = make_table(SPECS["mirm_table1"], summary, RUN, LABELS)
    group = next(g for g in table.layout.groups if g.title == "wCtrO (RBD)")
    failed = next(line for line in group.lines if (line.label, line.source) == ("MIRM", "ours")).entries[0]
    assert (failed.text, failed.rank) == (DASH, 0)
    assert "failed; see evaluation/ECSSD/rbd/mirm" in dict(table.layout.footnotes)[failed.marks[0]]
    row = next(r for r in records(table) if (r["detector"], r["refiner"], r["status"]) == ("rbd", "mirm", "failed"))
    assert (row["ours"], row["verdict"], row["n_used"], row["n_expected"]) == ("", "", "0", "10")


def test_numbers_of_images_are_stamped_on_every_value_and_in_the_footer(tmp_path: Path) -> None:
    cells = [
        cell(tmp_path, "none", "mb_plus", "ECSSD", record("MAE", 0.2)),
        cell(tmp_path, "mirm", "mb_plus", "ECSSD", record("MAE", 0.1, n_used=7)),
    ]
    table = make_table(SPECS["refiners_ldps"], build_summary(cells), RUN, LABELS)
    assert {(r["n_used"], r["n_expected"]) for r in records(table) if r["status"] == "ok"} == {
        ("10", "10"),
        ("7", "10"),
    }
    text = table.to_markdown()
    assert "Images used / expected, ECSSD: 10/10; 7/10 for MIRM of MB+." in text
    assert "refined over 7 images, the prior over 10" in text
    assert "Protocol ldps: priors not stretched, refined maps stretched." in text


def test_footer_tells_what_was_used_of_a_data_set_that_is_not_complete(tmp_path: Path) -> None:
    cells = [cell(tmp_path, "none", "mb_plus", name, record("MAE", 0.2)) for name in ("ECSSD", "PASCAL-S-108")]
    text = make_table(SPECS["refiners_ldps"], build_summary(cells), RUN, LABELS).to_markdown()
    assert "Images used / expected, PASCAL-S-108: 10/10 (108-image subset of PASCAL-S)." in text
    assert "Images used / expected, ECSSD: 10/10." in text


def test_footer_tells_what_the_evaluation_counted(tmp_path: Path) -> None:
    always = {"empty_gt": 0, "constant": 1, "resized": 0, "partial_range": 4, "nan_s": 0}
    cells = [
        cell(tmp_path, "none", "mb_plus", "ECSSD", record("MAE", 0.2, counts=always | {"dropped": 3, "mask_grey": 0})),
        cell(tmp_path, "mirm", "mb_plus", "ECSSD", record("MAE", 0.1, counts=always | {"dropped": 5, "mask_grey": 0})),
    ]
    table = make_table(SPECS["refiners_ldps"], build_summary(cells), RUN, LABELS, build_counts(cells))
    assert (
        "10/10. Counted there: images dropped by the protocol: 3–5; empty ground truths: 0; constant maps: 1; "
        "resized maps: 0; maps not spanning 0..255: 4; images whose S has an empty quadrant: 0.\n"
    ) in table.to_markdown()


def test_every_count_of_the_evaluation_has_words() -> None:
    assert set(COUNTED) == {*COUNTS, "undefined"}
    assert set(ALWAYS) <= set(COUNTED)


# ---- matching


def test_match_says_every_difference_and_ignores_what_is_left_empty() -> None:
    refiner = RefinerInfo("mirm", "M", "vgg16", ("B/x", "A/y"), {"theta_fg": 0.8})
    assert Match(type="mirm", trained_on=("A/y", "B/x"), settings={"theta_fg": 0.8}).differences(refiner) == ()
    assert Match(type="lps", settings={"theta_fg": 0.9, "steps": 3}).differences(refiner) == (
        "other refiner (mirm; the paper's is lps)",
        "other theta_fg (0.8; the paper's is 0.9)",
        "other steps (none; the paper's is 3)",
    )


def test_variant_can_be_selected_by_a_setting(tmp_path: Path) -> None:
    """MIRM's Table 4 (theta_fg at test time) needs a row of YAML and no code."""
    config = tmp_path / "config"
    (config / "schemas").mkdir(parents=True)
    (config / "protocols").mkdir()
    (config / "protocols" / "ldps.yaml").touch()
    for name in ("schemas/tables.schema.json", "detectors.yaml"):
        (config / name).write_bytes((CONFIG / name).read_bytes())
    (config / "tables.yaml").write_text(
        """
        mirm_table4:
          kind: paper
          title: thresholds
          paper: MIRM
          number: "4"
          values: mirm_table4.csv
          protocol: ldps
          metrics: {adpF: F_adaptive_2mean}
          variants:
            - {title: "0.9", printed: theta_fg=0.9, select: {type: mirm, settings: {theta_fg: 0.9}}}
            - {title: "0.8", printed: theta_fg=0.8, select: {type: mirm, settings: {theta_fg: 0.8}}}
        """
    )
    spec: TableSpec = load_tables(config / "tables.yaml", CONFIG / "paper_values")["mirm_table4"]
    run = RunInfo(
        ("srm",),
        {"low": RefinerInfo("mirm", "low", settings={"theta_fg": 0.8})},
        {"ECSSD": DatasetInfo("ECSSD", "ECSSD")},
        {"ldps": ""},
    )
    summary = summary_of(tmp_path, {("none", "srm", "ECSSD"): (0.9, 0.05), ("low", "srm", "ECSSD"): (0.9155, 0.05)})
    cells = make_table(spec, summary, run, {"srm": {"title": "SRM", "MIRM": "SRM"}}).cells
    assert [(c.variant, c.refiner, c.printed.text) for c in cells if c.printed] == [
        ("0.9", "", "0.9158"),
        ("0.8", "low", "0.9154"),
    ]
