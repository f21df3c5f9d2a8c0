"""``sodlift compare``: what it prints and writes, and what it refuses."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sodlift.cli.main import main
from sodlift.statistics.paired import compare

DRAW = np.random.default_rng(2)
PRIOR = pd.DataFrame(
    {
        "name": [f"i{k:02}" for k in range(40)],
        "MAE": DRAW.uniform(0.1, 0.3, 40),
        "adpF": DRAW.uniform(0.4, 0.8, 40),
        "maxF": DRAW.uniform(0.5, 0.9, 40),
        "AUC": DRAW.uniform(0.8, 1.0, 40),
    }
)
REFINED = PRIOR.assign(MAE=PRIOR["MAE"] - 0.05, adpF=PRIOR["adpF"] + DRAW.normal(0, 0.01, 40))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    PRIOR.to_csv("prior.csv", index=False)
    REFINED.to_csv("refined.csv", index=False)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """Run the command and return what it printed: on stdout where it ended well, else on stderr."""
    assert main(["compare", *arguments]) == status
    out, err = capsys.readouterr()
    assert not (out if status else err)
    return err if status else out


def rows_of(text: str) -> dict[str, list[str]]:
    lines = (re.split(r" {2,}", line) for line in text.splitlines() if re.match(r"(MAE|adpF|maxF|AUC) +\d", line))
    return {row[0]: row[1:] for row in lines}


def test_table_shows_means_gain_interval_outcome_and_test(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "prior.csv", "refined.csv")
    heads = "metric  prior  refined  gain  95 % interval  win/tie/loss  p  p (Holm)  n"
    assert heads in re.sub(r" {2,}", "  ", text)
    frames = [frame.rename(columns={"name": "stem"}) for frame in (PRIOR, REFINED)]
    _, adaptive = compare(*frames, {"MAE": False, "adpF": True})
    assert adaptive.low is not None and adaptive.high is not None and adaptive.p is not None
    rows = rows_of(text)
    assert list(rows) == ["MAE", "adpF", "maxF", "AUC"]
    assert rows["adpF"] == [
        *(f"{adaptive.prior:.4f}", f"{adaptive.refined:.4f}", f"{adaptive.gain:+.4f}"),
        f"[{adaptive.low:+.4f}, {adaptive.high:+.4f}]",
        "/".join(map(str, adaptive.outcome)),
        *(f"{adaptive.p:.4f}",) * 2,
        "40",
    ]
    assert rows["MAE"][2:5] == ["-0.0500", "[-0.0500, -0.0500]", "40/0/0"]
    assert rows["AUC"][2:] == ["+0.0000", "[+0.0000, +0.0000]", "0/40/0", "1.0000", "1.0000", "40"]
    assert "maxF, AUC: means of the images' own" in text


def test_lines_of_the_table_are_aligned(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "prior.csv", "refined.csv").split("\n\n")[1].splitlines()
    assert len({len(line) for line in lines}) == 1


def test_holm_counts_the_refined_files(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, gain in (("b", 0.02), ("c", 0.001)):
        PRIOR.assign(adpF=PRIOR["adpF"] + DRAW.normal(gain, 0.05, 40)).to_csv(f"{name}.csv", index=False)
    said(capsys, "prior.csv", "refined.csv", "b.csv", "c.csv", "--metric", "adpF", "--json", "out.json")
    found = json.loads(Path("out.json").read_text())["comparisons"]
    p_values = sorted(c["p"] for c in found)
    corrected = sorted(c["p_holm"] for c in found)
    assert corrected == pytest.approx(
        [3 * p_values[0], max(3 * p_values[0], 2 * p_values[1]), max(3 * p_values[0], 2 * p_values[1], p_values[2])]
    )


def test_written_files_hold_the_same_numbers_at_full_precision(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--level", "0.9", "--resamples", "500", "--seed", "3", "--json", "out.json", "--csv", "out.csv"]
    text = said(capsys, "prior.csv", "refined.csv", *options)
    assert "90 % interval" in text
    assert "500 resamples, seed 3" in text
    document = json.loads(Path("out.json").read_text())
    assert {key: document[key] for key in ("level", "resamples", "seed")} == {"level": 0.9, "resamples": 500, "seed": 3}
    table = pd.read_csv("out.csv")
    assert table.to_dict("records") == document["comparisons"]
    frames = [frame.rename(columns={"name": "stem"}) for frame in (PRIOR, REFINED)]
    (expected,) = compare(*frames, {"adpF": True}, 0.9, 500, 3)
    row = table[table["metric"] == "adpF"].iloc[0]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((expected.low, expected.high), abs=1e-15)
    assert (row["p"], row["wins"], row["n"]) == (expected.p, expected.outcome.wins, 40)


def test_images_of_one_file_only_are_named_and_undefined_ones_counted(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    REFINED[3:].assign(AUC=[np.nan, *REFINED["AUC"][4:]]).to_csv("part.csv", index=False)
    text = said(capsys, "prior.csv", "part.csv")
    assert "37 in both files" in text
    assert "3 only in prior.csv: i00, i01, i02" in text
    assert "1 left out of AUC, which is undefined there" in text
    assert rows_of(text)["AUC"][-1] == "36"
    assert "only in part.csv" not in text


def test_order_of_the_rows_changes_nothing(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = said(capsys, "prior.csv", "refined.csv")
    REFINED.sample(frac=1, random_state=1).to_csv("refined.csv", index=False)
    assert said(capsys, "prior.csv", "refined.csv") == first


def test_metrics_are_those_asked_for_in_that_order(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(rows_of(said(capsys, "prior.csv", "refined.csv", "--metric", "AUC", "--metric", "MAE"))) == [
        "AUC",
        "MAE",
    ]


def test_columns_that_are_not_compared_are_named(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    REFINED.drop(columns="AUC").assign(area=1).to_csv("refined.csv", index=False)
    assert "not compared: AUC, area." in said(capsys, "prior.csv", "refined.csv")


def test_method_of_a_csv_and_protocol_of_a_parquet_are_chosen_by_name(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = pd.concat([PRIOR.assign(method="prior"), REFINED.assign(method="mirm")])
    both[["method", *PRIOR.columns]].to_csv("both.csv", index=False)
    cell = pd.concat([REFINED.assign(protocol=name) for name in ("pysod", "lps")]).rename(columns={"name": "stem"})
    cell.to_parquet("per_image.parquet", index=False)
    plain = rows_of(said(capsys, "prior.csv", "refined.csv"))
    assert rows_of(said(capsys, "both.csv:prior", "both.csv:mirm")) == plain
    assert rows_of(said(capsys, "prior.csv", "per_image.parquet:lps")) == plain


def test_colon_in_a_file_name_is_part_of_it(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    REFINED.to_csv("a:b.csv", index=False)
    assert "40 in both files" in said(capsys, "prior.csv", "a:b.csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prior.csv", "none.csv"], "not found"),
        (["prior.csv", "other.csv"], "no image in common"),
        (["prior.csv", "text.csv"], "'bad' is the MAE of image 'i00'"),
        (["prior.csv", "twice.csv"], "images that are there twice: i00"),
        (["prior.csv", "empty.csv"], "no image in common"),
        (["prior.csv", "foreign.csv"], "no metric in common"),
        (["prior.csv", "refined.csv", "refined.csv"], "given twice: refined.csv"),
        (["prior.csv", "both.csv"], "such as both.csv:a"),
        (["prior.csv", "both.csv:c"], "unknown method or protocol 'c'"),
        (["prior.csv", "nobody.csv"], "per-image scores without any image"),
        (["prior.csv", "refined.csv", "--metric", "adbF"], "did you mean 'adpF'?"),
        (["prior.csv", "refined.csv", "--level", "95"], "level 95"),
        (["prior.csv", "refined.csv", "--resamples", "0"], "0 resamples"),
    ],
)
def test_what_cannot_be_compared_is_one_message(
    files: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    Path("other.csv").write_text("name,MAE\nx,0.1\n")
    Path("text.csv").write_text("name,MAE\ni00,bad\n")
    Path("twice.csv").write_text("name,MAE\ni00,0.1\ni00,0.1\n")
    Path("empty.csv").write_text("name,MAE\n")
    Path("foreign.csv").write_text("name,speed\ni00,0.1\n")
    Path("both.csv").write_text("method,name,MAE\na,i00,0.1\nb,i00,0.1\n")
    Path("nobody.csv").write_text("method,name,MAE\n")
    assert message in said(capsys, *arguments, status=2)


def test_nothing_is_written_where_the_command_fails(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "prior.csv", "refined.csv", "--resamples", "0", "--json", "out.json", status=2)
    assert sorted(path.name for path in files.iterdir()) == ["prior.csv", "refined.csv"]
