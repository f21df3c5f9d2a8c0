"""``sodlift evaluate``: what it writes, prints and refuses."""

import csv
import json
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from file_samples import grey_png

from sodlift.cli._outputs import COLUMNS
from sodlift.cli._report import USUAL
from sodlift.cli.main import main
from sodlift.evaluation.cell import Method
from sodlift.evaluation.folders import pair_folders
from sodlift.evaluation.protocols import load_protocol
from sodlift.evaluation.run import evaluate_methods
from sodlift.evaluation.scores import COUNTS
from sodlift.metrics import metrics_with
from sodlift.tables.counted import COUNTED

SHAPE = (20, 26)
HEADER = "name,MAE,adpF,meanF,maxF,adpE,meanE,maxE,S,wF,AUC,IoU,Dice,BER"


def disc(radius: float = 6) -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (y - 9) ** 2 + (x - 12) ** 2 < radius**2


def soft(seed: int) -> np.ndarray:
    return (disc() * 120 + np.random.default_rng(seed).integers(0, 130, SHAPE)).astype(np.uint8)


def write(file: Path, values: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(grey_png(values.astype(np.uint8) * 255 if values.dtype == bool else values))


@pytest.fixture
def root(tmp_path) -> Path:
    """Ground truths a, b, c; two methods; the second one's names end in _DSS."""
    for seed, stem in enumerate("abc"):
        write(tmp_path / "gt" / f"{stem}.png", disc(5 + seed))
        write(tmp_path / "one" / f"{stem}.png", soft(seed))
        write(tmp_path / "two" / f"{stem}_DSS.png", soft(seed + 10))
    return tmp_path


def run(root: Path, *arguments: object, one: bool = True) -> int:
    """Run the command in this process; the maps are those of the first method unless others are given."""
    maps = ["--pred", str(root / "one")] if one else []
    return main(["evaluate", "--gt", str(root / "gt"), *maps, *map(str, arguments)])


def refused(capsys, *says: str) -> None:
    """What the last run said on stderr is one message of ours."""
    said = capsys.readouterr().err
    assert said.startswith("sodlift evaluate: ") and "Traceback" not in said
    for words in says:
        assert words in said


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def expected(root: Path, protocol: str = "pysod"):
    """The same scores, through the library."""
    paired = pair_folders(root / "gt", {"one": root / "one"})
    return evaluate_methods(paired.data, [Method("one", paired.maps["one"])], [load_protocol(protocol)])["one"]


# files written ---------------------------------------------------------------------------------------------------


def test_the_per_image_table_has_the_promised_columns_and_reads_back_equal(root):
    write(root / "gt" / "b.png", np.zeros(SHAPE, bool))
    assert run(root, "--per-image", root / "out" / "scores.csv", "--quiet") == 0
    text = (root / "out" / "scores.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == HEADER and "\r" not in text
    frame = expected(root).per_image.set_index("stem")
    rows = rows_of(root / "out" / "scores.csv")
    assert [row["name"] for row in rows] == ["a", "b", "c"]
    for row in rows:
        for metric in COLUMNS:
            value = frame.loc[row["name"], metric]
            assert row[metric] == ("" if math.isnan(value) else repr(float(value)))
    assert rows[1]["AUC"] == ""


def test_the_json_of_one_method_is_flat_with_every_number(root):
    write(root / "gt" / "b.png", np.zeros(SHAPE, bool))
    assert run(root, "--json", root / "scores.json", "--quiet") == 0
    record = json.loads((root / "scores.json").read_text(encoding="utf-8"))
    cell = expected(root)
    assert {s.metric: record[s.metric] for s in cell.scores} == {s.metric: s.value for s in cell.scores}
    assert {*HEADER.split(",")[1:], "maxF_PR", "maxF_image"} <= set(record)
    assert (record["n_used"], record["n_expected"]) == (3, 3)
    assert (record["protocol"], record["protocol_hash"]) == ("pysod", load_protocol("pysod").hash)
    assert set(record["counts"]) == {*COUNTS, "extra"} and record["counts"]["empty_gt"] == 1
    assert record["undefined"] == {"AUC": 1, "AUC_image": 1}


def test_a_number_that_does_not_exist_is_null(root):
    for stem in "abc":
        write(root / "gt" / f"{stem}.png", np.ones(SHAPE, bool))
    assert run(root, "--json", root / "scores.json", "--quiet") == 0
    assert json.loads((root / "scores.json").read_text(encoding="utf-8"))["AUC"] is None


def test_several_methods_are_told_apart(root):
    two = f"DSS={root / 'two'}/*_DSS.png"
    files = ("--json", root / "s.json", "--per-image", root / "s.csv", "--curves", root / "s.npz")
    assert run(root, "--pred", f"mine={root / 'one'}", two, *files, "--quiet", one=False) == 0
    record = json.loads((root / "s.json").read_text(encoding="utf-8"))
    assert list(record) == ["mine", "DSS"]
    assert record["mine"]["MAE"] == expected(root).value("MAE", "pysod") != record["DSS"]["MAE"]
    assert (root / "s.csv").read_text().splitlines()[0] == f"method,{HEADER}"
    rows = rows_of(root / "s.csv")
    assert [(row["method"], row["name"]) for row in rows] == [(m, s) for m in ("mine", "DSS") for s in "abc"]
    assert np.mean([float(row["MAE"]) for row in rows[3:]]) == pytest.approx(record["DSS"]["MAE"], abs=1e-15)
    with np.load(root / "s.npz") as curves:
        assert curves["DSS/pysod/F"].max() == record["DSS"]["maxF"]


@pytest.mark.parametrize("methods", [1, 2])
def test_several_protocols_are_told_apart_before_methods(root, methods):
    maps = ["--pred", f"mine={root / 'one'}", f"DSS={root / 'two'}/*_DSS.png"][: 1 + methods]
    files = ("--json", root / "s.json", "--per-image", root / "s.csv")
    assert run(root, *maps, "--protocol", "pysod", "lps", *files, "--quiet", one=False) == 0
    record = json.loads((root / "s.json").read_text(encoding="utf-8"))
    assert list(record) == ["pysod", "lps"]
    assert (record["lps"] if methods == 1 else record["lps"]["mine"])["protocol"] == "lps"
    keys = "protocol,method" if methods == 2 else "protocol"
    assert (root / "s.csv").read_text().splitlines()[0] == f"{keys},{HEADER}"
    assert [row["protocol"] for row in rows_of(root / "s.csv")] == ["pysod"] * 3 * methods + ["lps"] * 3 * methods


def test_curves_come_with_their_thresholds(root):
    assert run(root, "--curves", root / "s.npz", "--protocol", "pysod", "lps", "--quiet") == 0
    with np.load(root / "s.npz") as curves:
        assert curves["pysod/thresholds"].tolist() == list(range(256))
        assert curves["lps/F"].shape == curves["lps/thresholds"].shape == (21,)


def test_extra_metrics_are_further_columns(root):
    options = ("--extra", "boundary_iou", "--json", root / "s.json", "--per-image", root / "s.csv")
    assert run(root, *options) == 0
    assert (root / "s.csv").read_text().splitlines()[0] == f"{HEADER},BIoU"
    assert 0 < json.loads((root / "s.json").read_text(encoding="utf-8"))["BIoU"] < 1


def test_the_number_of_processes_is_what_is_asked_for_or_one_a_cpu(root, monkeypatch):
    asked: list[int] = []

    def score(data, methods, protocols, extra, workers, progress):
        asked.append(workers)
        return evaluate_methods(data, methods, protocols, extra)

    monkeypatch.setattr("sodlift.cli._evaluate.evaluate_methods", score)
    assert run(root, "--workers", 3, "--quiet") == run(root, "--quiet") == 0
    assert asked == [3, len(os.sched_getaffinity(0))]


def test_an_output_that_is_there_is_replaced_and_inputs_stay_as_they_are(root):
    before = {file: file.read_bytes() for kind in ("gt", "one") for file in (root / kind).iterdir()}
    (root / "s.json").write_text("old")
    assert run(root, "--json", root / "s.json", "--quiet") == 0
    assert (root / "s.json").read_text().startswith("{")
    assert {file: file.read_bytes() for kind in ("gt", "one") for file in (root / kind).iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--json", "{root}/one"], "--json is no regular file"),
        (["--json", "/dev/null"], "--json is no regular file"),
        (["--json", "{root}/one/a.png"], "--json would replace an input"),
        (["--per-image", "{root}/one/../gt/a.png"], "--per-image would replace an input"),
        (["--curves", "{root}/mine.yaml", "--protocol", "{root}/mine.yaml"], "--curves would replace an input"),
        (["--json", "{root}/one/a.png/s.json"], "--json cannot be written"),
        (["--json", "{root}/s", "--per-image", "{root}/one/../s"], "--per-image and --json name the same file"),
    ],
)
def test_an_output_that_must_not_be_written_is_refused_before_anything_is_scored(
    root, capsys, monkeypatch, arguments, says
):
    text = "{name: mine, title: Mine, source: me, reports: {MAE: MAE}}"
    (root / "mine.yaml").write_text(text)
    monkeypatch.setattr("sodlift.cli._evaluate.evaluate_methods", None)  # not called
    assert run(root, *(argument.format(root=root) for argument in arguments)) == 2
    refused(capsys, says)
    assert (root / "mine.yaml").read_text() == text


# protocols -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "name", "changes"),
    [
        (["--norm", "none"], "pysod[norm=none]", {"prior_norm": "none", "refined_norm": "none"}),
        (["--gt-rule", "nonzero"], "pysod[gt_rule=nonzero]", {"gt_rule": "nonzero"}),
        (["--empty-gt", "skip"], "pysod[empty_gt=skip]", {"empty_gt": "skip"}),
        (["--strict"], "pysod[s_quadrant=nan]", {"s_quadrant": "nan"}),
        (["--allow-missing"], "pysod[missing=leave_out]", {"missing": "leave_out"}),
        (
            ["--gt-rule", "nonzero", "--norm", "max"],
            "pysod[norm=max,gt_rule=nonzero]",
            {"gt_rule": "nonzero", "prior_norm": "max", "refined_norm": "max"},
        ),
        (["--gt-rule", "gt128", "--norm", "minmax"], "pysod", {}),
    ],
)
def test_a_changed_protocol_says_so_in_name_and_hash(root, capsys, options, name, changes):
    assert run(root, *options, "--json", root / "s.json") == 0
    record = json.loads((root / "s.json").read_text(encoding="utf-8"))
    changed = replace(load_protocol("pysod"), **changes)
    assert (record["protocol"], record["protocol_hash"]) == (name, changed.hash)
    assert (changed.hash != load_protocol("pysod").hash) == bool(changes)
    assert f"protocol {name} ({changed.hash})" in capsys.readouterr().out


def test_a_change_changes_the_numbers_as_it_says(root):
    for stem in "abc":
        write(root / "gt" / f"{stem}.png", disc().astype(np.uint8))
    assert run(root, "--gt-rule", "nonzero", "--json", root / "s.json", "--quiet") == 0
    for stem in "abc":
        write(root / "gt" / f"{stem}.png", disc())
    assert json.loads((root / "s.json").read_text())["adpF"] == expected(root).value("adpF", "pysod")


def test_a_protocol_may_be_a_file_of_your_own(root):
    (root / "mine.yaml").write_text("{name: mine, title: Mine, source: me, reports: {error: MAE}, gt_rule: nonzero}")
    assert run(root, "--protocol", root / "mine.yaml", "--json", root / "s.json") == 0
    assert json.loads((root / "s.json").read_text())["protocol"] == "mine"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--protocol", "pysodd"], ["unknown protocol 'pysodd'", "did you mean 'pysod'?"]),
        (["--protocol", "pysod", "pysod"], ["protocols given: pysod, pysod", "each once"]),
        (["--gt-rule", "nonzro"], ["gt_rule", "'nonzro' is not allowed", "did you mean 'nonzero'?"]),
        (["--extra", "hcee"], ["unknown metric 'hcee'", "did you mean 'hce'?"]),
        (["--protocol", "ldps"], ["scores at the size of the images", "add --images DIR"]),
        (["--prior", "{root}/one"], ["--prior", "add --role refined"]),
        (
            ["--protocol", "ldps", "--images", "{root}/gt", "--role", "refined"],
            ["drops images by their prior map", "give the set of prior maps"],
        ),
        (["--protocol", "{root}/odd.yaml"], ["reports a metric 'Fmax' that is not computed", "mend:"]),
        (["--pred", "{root}/one/"], ["two methods of the name 'one'", "--pred NAME=DIR"]),
        (["--pred", "=dir"], ["cannot understand '--pred =dir'"]),
    ],
)
def test_what_does_not_go_together_is_refused_with_a_mend(root, capsys, options, says):
    (root / "odd.yaml").write_text("{name: odd, title: Odd, source: me, reports: {Fmax: Fmax}}")
    assert run(root, *(option.format(root=root) for option in options)) == 2
    refused(capsys, *says)


def test_prior_maps_and_images_serve_the_protocols_that_need_them(root):
    write(root / "priors" / "a.png", soft(0) // 2)  # of too low contrast for ldps
    for stem in "bc":
        write(root / "priors" / f"{stem}.png", disc())
    common = ("--protocol", "ldps", "--images", root / "gt", "--json", root / "s.json", "--quiet")
    assert run(root, *common, "--role", "refined", "--prior", root / "priors") == 0
    record = json.loads((root / "s.json").read_text())
    assert (record["n_used"], record["n_expected"], record["counts"]["dropped"]) == (2, 3, 1)


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_number_of_processes_is_at_least_one(root, capsys, number):
    with pytest.raises(SystemExit):
        run(root, "--workers", number)
    assert "--workers" in capsys.readouterr().err


# printed ---------------------------------------------------------------------------------------------------------


def test_the_table_begins_with_what_the_source_reports_and_ends_with_how_it_came_about(root, capsys):
    write(root / "one" / "b.png", np.full(SHAPE, 7, np.uint8))
    write(root / "gt" / "c.png", np.zeros(SHAPE, bool))
    pred = ("--pred", f"mine={root / 'one'}", f"DSS={root / 'two'}/*_DSS.png")
    assert run(root, *pred, "--json", root / "s.json", one=False) == 0
    lines = capsys.readouterr().out.splitlines()
    record = json.loads((root / "s.json").read_text())
    reports = load_protocol("pysod").reports
    assert lines[0].split() == list(reports)
    assert lines[1].split() == ["mine", *(f"{record['mine'][metric]:.4f}" for metric in reports.values())]
    assert lines[2].startswith("DSS ") and len(lines[1]) == len(lines[2]) == len(lines[0])
    assert lines[4].split() == [name for name in USUAL if name not in reports.values()]
    assert lines[8] == f"protocol pysod ({load_protocol('pysod').hash}): PySODMetrics 1.6.2"
    assert lines[9] == (
        "mine: 3 of 3 images scored; empty ground truths: 1; constant maps: 1; maps not spanning 0..255: 3; "
        "images without AUC: 1; images without AUC_image: 1"
    )


def test_methods_of_the_same_counts_share_a_line(root, capsys):
    for stem in "abc":
        write(root / "same" / f"{stem}.png", soft(0))
        write(root / "odd" / f"{stem}.png", np.zeros(SHAPE, bool))
    assert run(root, "--pred", root / "same", root / "odd") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("one, same: 3 of 3 images scored")
    assert lines[-1].startswith("odd: 3 of 3 images scored; constant maps: 3; maps of zeros: 3")


def test_quiet_prints_nothing(root, capfd):
    assert run(root, "--quiet") == 0
    assert capfd.readouterr() == ("", "")


def test_progress_goes_to_stderr(root, capfd):
    assert run(root) == 0
    printed = capfd.readouterr()
    assert "evaluate gt" in printed.err and "evaluate gt" not in printed.out


def test_every_count_and_usual_metric_has_a_meaning():
    assert set(COUNTS) <= set(COUNTED)
    known = {name for metric in metrics_with() for name in metric.names}
    assert {*USUAL, *COLUMNS} <= known


@pytest.mark.parametrize(
    ("white", "rule", "says"),
    [
        (1, "gt128", "every ground truth is empty under the rule 'gt128'"),
        (128, "gt128", "every ground truth is empty under the rule 'gt128'"),
        (200, "gt128", "no ground truth has white"),
        (1, "nonzero", ""),
        (200, "half_max", ""),
        (255, "gt128", ""),
    ],
)
def test_ground_truths_that_the_rule_misreads_are_warned_of_loudly(root, capsys, white, rule, says):
    for stem in "abc":
        write(root / "gt" / f"{stem}.png", (disc() * white).astype(np.uint8))
    assert run(root, "--gt-rule", rule, "--quiet") == 0
    said = capsys.readouterr().err
    assert ("WARNING" in said) == bool(says)
    assert says in said and ("--gt-rule nonzero" in said) == bool(says)


def test_one_dim_ground_truth_among_others_is_counted_and_no_warning(root, capsys):
    write(root / "gt" / "a.png", disc().astype(np.uint8))
    assert run(root) == 0
    printed = capsys.readouterr()
    assert "masks without white: 1" in printed.out and "WARNING" not in printed.err
