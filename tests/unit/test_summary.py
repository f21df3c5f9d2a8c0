"""From the scores of cells to the long table."""

import math
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_samples import cell, record

from sodlift.errors import DataError, UnknownNameError
from sodlift.tables.summary import (
    COLUMNS,
    COUNT_COLUMNS,
    Scored,
    build_counts,
    build_summary,
    read_counts,
    read_summary,
    write_frame,
)


def test_summary_has_the_columns_of_the_contract_in_long_form(tmp_path: Path) -> None:
    summary = build_summary([cell(tmp_path, "none", "rbd", "ECSSD", record("adpF", 0.5), record("MAE", 0.1))])
    assert tuple(summary.columns) == COLUMNS
    assert summary.to_dict("records")[1] == {
        "refiner": "none",
        "detector": "rbd",
        "dataset": "ECSSD",
        "seed": 0,
        "protocol": "ldps",
        "metric": "adpF",
        "value": 0.5,
        "n_used": 10,
        "n_expected": 10,
        "status": "ok",
    }


def test_order_of_rows_does_not_depend_on_the_order_of_cells(tmp_path: Path) -> None:
    cells = [
        cell(tmp_path, refiner, detector, dataset, record("MAE", 0.1), record("adpF", 0.2))
        for refiner in ("crf", "none", "mirm")
        for detector in ("rbd", "mb_plus")
        for dataset in ("SED2", "ECSSD")
    ]
    first = build_summary(cells)
    Random(3).shuffle(cells)
    assert build_summary(cells).equals(first)
    assert list(first["refiner"][:6]) == ["none", "none", "crf", "crf", "mirm", "mirm"]
    assert list(first["metric"][:2]) == ["MAE", "adpF"]


def test_failed_score_keeps_its_row_without_a_value(tmp_path: Path) -> None:
    summary = build_summary([cell(tmp_path, "mirm", "rbd", "ECSSD", record("MAE", None))])
    assert math.isnan(summary["value"][0])
    assert summary["status"][0] == "failed"
    write_frame(summary, tmp_path / "summary.csv")
    assert (tmp_path / "summary.csv").read_text().splitlines()[1] == "mirm,rbd,ECSSD,0,ldps,MAE,,0,10,failed"
    assert read_summary(tmp_path / "summary.csv").equals(summary)


@settings(max_examples=20, deadline=None)
@given(value=st.floats(0, 1))
def test_every_float_survives_the_file_bit_for_bit(value: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("summary")
    summary = build_summary([cell(folder, "none", "rbd", "ECSSD", record("MAE", value))])
    write_frame(summary, folder / "summary.csv")
    assert read_summary(folder / "summary.csv")["value"][0].hex() == value.hex()


def test_names_that_pandas_takes_for_missing_values_survive_the_file(tmp_path: Path) -> None:
    summary = build_summary([cell(tmp_path, "none", "NA", "null", record("MAE", 0.1))])
    write_frame(summary, tmp_path / "summary.csv")
    assert read_summary(tmp_path / "summary.csv").equals(summary)


def test_same_cells_give_the_same_bytes(tmp_path: Path) -> None:
    cells = [cell(tmp_path, "none", "rbd", "ECSSD", record("MAE", 0.1 + 0.2))]
    for name in ("a", "b"):
        write_frame(build_summary(cells), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert b"0.30000000000000004" in (tmp_path / "a").read_bytes()


def test_a_cell_given_twice_is_an_error_that_names_both_folders(tmp_path: Path) -> None:
    one = cell(tmp_path / "one", "none", "rbd", "ECSSD", record("MAE", 0.1))
    two = cell(tmp_path / "two", "none", "rbd", "ECSSD", record("MAE", 0.1))
    with pytest.raises(DataError, match="twice") as caught:
        build_summary([one, two])
    assert str(one.folder) in str(caught.value)
    assert str(two.folder) in str(caught.value)


def test_refiners_of_one_prior_must_expect_the_same_images(tmp_path: Path) -> None:
    cells = [
        cell(tmp_path, "none", "rbd", "ECSSD", record("MAE", 0.1)),
        cell(tmp_path, "mirm", "rbd", "ECSSD", record("MAE", 0.1, n_expected=11)),
    ]
    with pytest.raises(DataError, match="numbers of expected images for rbd, ECSSD, ldps: 10, 11"):
        build_summary(cells)


def test_one_protocol_name_must_have_one_definition(tmp_path: Path) -> None:
    cells = [
        cell(tmp_path, "none", "rbd", "ECSSD", record("MAE", 0.1)),
        cell(tmp_path, "mirm", "rbd", "ECSSD", record("MAE", 0.1, protocol_hash="h2")),
    ]
    with pytest.raises(DataError, match="definitions of one protocol for ldps"):
        build_summary(cells)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"status": "fine"}, "status 'fine'"),
        ({"value": None, "status": "ok"}, "its status is ok"),
        ({"value": float("nan")}, "its status is ok"),
        ({"n_used": 11}, "used 11 of 10 images"),
    ],
)
def test_malformed_score_is_refused(tmp_path: Path, bad: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        build_summary([cell(tmp_path, "none", "rbd", "ECSSD", record("MAE", 0.1) | bad)])


def test_unknown_metric_is_refused_with_the_near_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'adpF'"):
        build_summary([cell(tmp_path, "none", "rbd", "ECSSD", record("adaF", 0.1))])


def test_score_without_a_key_is_refused(tmp_path: Path) -> None:
    short = record("MAE", 0.1)
    del short["n_used"], short["counts"]
    with pytest.raises(DataError, match="without n_used, counts"):
        build_summary([cell(tmp_path, "none", "rbd", "ECSSD", short)])


@pytest.mark.parametrize("content", [None, "{", "{}", "[]"])
def test_missing_or_broken_scores_name_the_file(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "scores.json").write_text(content)
    with pytest.raises(DataError, match=r"scores\.json"):
        build_summary([Scored("none", "rbd", "ECSSD", 0, tmp_path)])


def test_counts_are_gathered_once_a_cell_with_their_largest_value(tmp_path: Path) -> None:
    cells = [
        cell(
            tmp_path,
            "none",
            "rbd",
            "ECSSD",
            record("MAE", 0.1, counts={"empty_gt": 2}),
            record("AUC", 0.1, counts={"empty_gt": 2, "undefined": 3}),
        )
    ]
    counts = build_counts(cells)
    assert counts[["count", "value"]].values.tolist() == [["empty_gt", 2], ["undefined", 3]]
    write_frame(counts, tmp_path / "counts.csv")
    assert read_counts(tmp_path / "counts.csv").values.tolist() == counts.values.tolist()


def test_unknown_count_is_refused_with_the_near_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'empty_gt'"):
        build_counts([cell(tmp_path, "none", "rbd", "ECSSD", record("MAE", 0.1, counts={"empty_gd": 2}))])


def test_no_counts_give_an_empty_frame(tmp_path: Path) -> None:
    counts = build_counts([cell(tmp_path, "none", "rbd", "ECSSD", record("MAE", 0.1))])
    assert (tuple(counts.columns), len(counts)) == (COUNT_COLUMNS, 0)


def test_summary_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "summary.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="columns a,b"):
        read_summary(tmp_path / "summary.csv")
    with pytest.raises(DataError, match="not found"):
        read_summary(tmp_path / "other.csv")
