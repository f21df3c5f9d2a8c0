"""From per-image Parquet to the daggers of a table: pairing, families, footnotes, columns, and what has no pairs."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from table_samples import LABELS, RUN, SPECS, cell, per_image_cell, record, records

from sodlift.arrays import Grey
from sodlift.config.load import load_run
from sodlift.errors import DataError
from sodlift.evaluation.protocols import load_protocol
from sodlift.metrics import all_metrics
from sodlift.metrics._base import Means
from sodlift.metrics._pair import GroundTruth, prepare
from sodlift.statistics.paired import compare
from sodlift.tables.measures import MEASURES
from sodlift.tables.of_run import run_info
from sodlift.tables.significance import COLUMNS, build_significance, read_significance
from sodlift.tables.spec import TableSpec
from sodlift.tables.summary import Scored, build_summary, write_frame
from sodlift.tables.table import Table, make_table

SPEC = replace(SPECS["refiners_ldps"], against=(), metrics={"adpF": "", "maxF": "", "MAE": ""})
DRAW = np.random.default_rng(0)
PRIOR = {"adpF": DRAW.uniform(0.4, 0.8, 60), "maxF": DRAW.uniform(0.5, 0.9, 60), "MAE": DRAW.uniform(0.1, 0.3, 60)}
SHIFTS = {"mirm": 0.05, "mirm_lite0": -0.03, "densecrf": 0.0}


def moved(shift: float, seed: int = 1) -> dict[str, np.ndarray]:
    """Scores that a refiner changes by ``shift`` on average, for the better where it is positive."""
    noise = np.random.default_rng(seed).normal(0, 0.02, 60)
    return {name: values + (noise + shift) * (-1 if name == "MAE" else 1) for name, values in PRIOR.items()}


def run_of(root: Path) -> list[Scored]:
    """A run of three refiners, one better, one worse and one about as good as the prior."""
    refined = {name: moved(shift, seed) for seed, (name, shift) in enumerate(SHIFTS.items(), start=1)}
    cells = []
    for refiner, values in {"none": PRIOR, **refined}.items():
        means = [
            record(name, float(np.mean(of_images)), n_used=60, n_expected=60) for name, of_images in values.items()
        ]
        cells.append(cell(root, refiner, "mb_plus", "ECSSD", *means))
        per_image_cell(root, refiner, values)
    return cells


def table_of(cells: list[Scored], spec: TableSpec = SPEC) -> Table:
    return make_table(spec, build_summary(cells), RUN, LABELS, None, build_significance(cells))


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return table_of(run_of(tmp_path))


# ---- measures


def test_every_metric_has_a_measure() -> None:
    names = {name for metric in all_metrics() for name in (*metric.names, *metric.image_names)}
    assert names <= set(MEASURES)


@pytest.mark.parametrize("name", ["MAE", "BER", "BER_pooled", "HCE"])
def test_errors_are_better_where_they_are_less(name: str) -> None:
    assert MEASURES[name].higher is False


def test_measures_with_a_per_image_column_are_its_means_and_no_others_are() -> None:
    draw = np.random.default_rng(4)
    truth = GroundTruth(np.pad(np.ones((12, 16), bool), 9))
    pairs = [
        prepare(Grey((truth.mask * 90 + draw.integers(0, 160, truth.mask.shape)).astype(np.uint8), 255.0), truth)
        for _ in range(6)
    ]
    for metric in all_metrics():
        means, rows = Means(), []
        for pair in pairs:
            score = metric.score(pair)
            assert score is not None
            means.add(score)
            rows.append(score.values)
        columns = pd.DataFrame(rows).mean()
        for name, value in metric.compute(means).items():
            source = MEASURES[name].per_image
            if source:
                assert columns[source] == pytest.approx(value, abs=1e-12), name
            elif name in columns:
                assert abs(columns[name] - value) > 1e-6, name


# ---- the long table


def test_rows_are_the_comparisons_of_each_refined_cell(tmp_path: Path) -> None:
    frame = build_significance(run_of(tmp_path))
    assert tuple(frame.columns) == COLUMNS
    assert list(frame["refiner"].unique()) == sorted(SHIFTS)
    assert list(frame["metric"].unique()) == ["MAE", "adpF", "maxF_image"]  # the columns' means; maxF has no pairs
    row = frame[(frame["refiner"] == "mirm") & (frame["metric"] == "MAE")].iloc[0]
    images = pd.DataFrame({"stem": [f"image{i}" for i in range(60)]})
    (found,) = compare(images.assign(**PRIOR), images.assign(**moved(0.05)), {"MAE": False})
    assert (row["gain"], row["low"], row["p"]) == pytest.approx((found.gain, found.low, found.p), rel=1e-12)
    assert (row["wins"], row["ties"], row["losses"]) == found.outcome
    assert (row["n"], row["n_unpaired"], row["n_undefined"], row["seeds"]) == (60, 0, 0, 1)


def test_gain_over_images_is_the_difference_of_the_data_sets_numbers(tmp_path: Path) -> None:
    cells = run_of(tmp_path)
    gains = build_significance(cells).set_index(["refiner", "metric"])["gain"]
    for found in table_of(cells).cells:
        if found.delta is not None and found.metric != "maxF":
            assert gains[found.refiner, found.metric] == pytest.approx(found.delta, abs=1e-12)


def test_frame_survives_its_file_bit_for_bit(tmp_path: Path) -> None:
    frame = build_significance(run_of(tmp_path))
    frame.loc[0, ["low", "high"]] = np.nan
    write_frame(frame, tmp_path / "significance.csv")
    assert read_significance(tmp_path / "significance.csv").equals(frame)


def test_order_of_cells_changes_nothing(tmp_path: Path) -> None:
    cells = run_of(tmp_path)
    assert build_significance(cells[::-1]).equals(build_significance(cells))


def test_seeds_are_averaged_over_images_and_counted(tmp_path: Path) -> None:
    cells = [per_image_cell(tmp_path, "none", PRIOR)]
    seeds = [moved(0.05, seed) for seed in (1, 2)]
    cells += [per_image_cell(tmp_path, "mirm", values, seed) for seed, values in enumerate(seeds)]
    row = build_significance(cells).set_index("metric").loc["adpF"]
    mean = (seeds[0]["adpF"] + seeds[1]["adpF"]) / 2
    assert (row["n"], row["seeds"]) == (60, 2)
    assert row["gain"] == pytest.approx((mean - PRIOR["adpF"]).mean())


def test_protocols_are_compared_apart_and_unpaired_images_counted(tmp_path: Path) -> None:
    prior = {"MAE": [0.1, 0.2, 0.3, 0.4]}
    cells = [
        per_image_cell(tmp_path, "none", prior),
        per_image_cell(tmp_path, "mirm", {"MAE": [0.1, 0.1, 0.1]}, stems=["image1", "image2", "image9"]),
    ]
    assert build_significance(cells)[["n", "n_unpaired", "wins"]].values.tolist() == [[2, 3, 2]]
    other = [cells[0], per_image_cell(tmp_path, "densecrf", prior, protocol="pysod")]
    (row,) = build_significance(other).to_dict("records")
    assert (row["protocol"], row["n"], row["n_unpaired"]) == ("ldps", 0, 4)
    assert np.isnan(row["p"])


def test_cell_without_per_image_scores_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"per_image\.parquet"):
        build_significance([Scored("none", "rbd", "ECSSD", 0, tmp_path)])


# ---- tables


def test_footer_names_the_protocol_with_its_hash() -> None:
    config = {"results": "results", "datasets": ["SED2"], "detectors": ["rbd"], "refiners": [], "protocols": ["pysod"]}
    protocol = load_protocol("pysod")
    info = run_info(load_run(config))
    assert info.protocols == {"pysod": f"PySODMetrics 1.6.2 (hash {protocol.hash})"}


def gains_of(table: Table, label: str) -> list[tuple[str, ...]]:
    lines = table.layout.groups[0].lines
    at = next(i for i, line in enumerate(lines) if line.label == label)
    return [entry.marks for entry in lines[at + 1].entries]


def test_gains_and_losses_that_are_significant_have_a_dagger(table: Table) -> None:
    assert gains_of(table, "MIRM") == [("†",), (), ("†",)]
    assert gains_of(table, "MIRM (Lite0)") == [("†",), (), ("†",)]
    assert gains_of(table, "DenseCRF") == [(), (), ()]


def test_footnote_names_test_correction_family_and_images(table: Table) -> None:
    text = table.to_markdown()
    assert (
        "- <sup>†</sup> differs from the prior, p < 0.05 (two-sided Wilcoxon signed-rank test over images, "
        "Holm-corrected for 3 comparisons of each measure); paired images: ECSSD 60"
    ) in text.replace("\\<", "<")
    assert "Significance n/a for max F: not a mean over images." in text
    assert "ci\\_low and ci\\_high bound the 95 % bootstrap interval of the gain over images." in text


def test_markdown_and_latex_set_the_dagger_behind_the_gain(table: Table) -> None:
    assert re.search(
        r"\| Δ \| \+0\.0\d{3} <sup>†</sup> \| \+0\.0\d{3} \| -0\.0\d{3} <sup>†</sup> \|", table.to_markdown()
    )
    tex = table.to_latex()
    rows = [line for line in tex.splitlines() if r"$\Delta$" in line]
    assert [row.count(r"\textsuperscript{\dag{}}") for row in rows] == [2, 2, 0]
    assert re.search(r"\$\+0\.0\d{3}\$\\textsuperscript\{\\dag\{\}\} &", rows[0])
    assert r"\textsuperscript{\dag{}}~differs from the prior, p \textless{} 0.05" in tex.split(r"\footnotesize")[1]
    assert tex.isascii()


def test_csv_has_interval_test_and_counts_at_full_precision(tmp_path: Path) -> None:
    cells = run_of(tmp_path)
    frame = build_significance(cells).set_index(["refiner", "metric"])
    rows = {(row["refiner"], row["metric"]): row for row in records(table_of(cells)) if row["status"] == "ok"}
    for refiner, metric in ((r, m) for r in SHIFTS for m in ("adpF", "MAE")):
        row, source = rows[refiner, metric], frame.loc[(refiner, metric)]
        assert (float(row["ci_low"]), float(row["ci_high"])) == (source["low"], source["high"])
        assert (float(row["p"]), int(row["wins"])) == (source["p"], source["wins"])
    p_values = sorted(float(rows[r, "MAE"]["p"]) for r in SHIFTS)
    corrected = sorted(float(rows[r, "MAE"]["p_holm"]) for r in SHIFTS)
    assert corrected[0] == pytest.approx(3 * p_values[0], rel=1e-12)
    for missing in (rows["mirm", "maxF"], rows["none", "MAE"]):
        assert {missing[c] for c in ("ci_low", "ci_high", "p", "p_holm", "wins", "ties", "losses")} == {""}


def test_family_is_that_of_the_table(tmp_path: Path) -> None:
    cells = run_of(tmp_path)
    fewer = replace(RUN, refiners={"mirm": RUN.refiners["mirm"]})
    table = make_table(SPEC, build_summary(cells), fewer, LABELS, None, build_significance(cells))
    (row,) = (r for r in records(table) if (r["refiner"], r["metric"], r["status"]) == ("mirm", "MAE", "ok"))
    assert row["p_holm"] == row["p"]
    assert "Holm-corrected for 1 comparisons" not in table.to_markdown()
    assert "Holm-corrected for 1 comparison of each measure" in table.to_markdown()


def test_failed_cell_has_no_test_and_families_may_differ(tmp_path: Path) -> None:
    cells = run_of(tmp_path)
    means = [record(name, None if name == "MAE" else 0.7, n_expected=60) for name in PRIOR]
    cells[1] = cell(tmp_path / "failed", "mirm", "mb_plus", "ECSSD", *means)
    per_image_cell(tmp_path / "failed", "mirm", moved(0.05))
    table = table_of(cells)
    (row,) = (r for r in records(table) if (r["refiner"], r["metric"], r["status"]) == ("mirm", "MAE", "failed"))
    assert (row["p"], row["ci_low"]) == ("", "")
    assert "the comparisons of each measure: 3 of adaptive F, 2 of MAE" in table.to_markdown()


def test_seeds_and_images_are_two_axes_each_with_its_label(tmp_path: Path) -> None:
    cells = []
    for seed, shift in enumerate((0.05, 0.03)):
        for name, values in (("none", PRIOR), ("mirm", moved(shift, seed))):
            if (name, seed) != ("none", 1):
                score = record("MAE", float(values["MAE"].mean()), n_used=60, n_expected=60)
                cells.append(cell(tmp_path, name, "mb_plus", "ECSSD", score, seed=seed))
                per_image_cell(tmp_path, name, values, seed)
    run, found = replace(RUN, seeds=(0, 1)), build_significance(cells)
    table = make_table(SPEC, build_summary(cells), run, LABELS, None, found)
    (row,) = (r for r in records(table) if (r["refiner"], r["metric"], r["status"]) == ("mirm", "MAE", "ok"))
    means = [float(moved(shift, seed)["MAE"].mean()) for seed, shift in enumerate((0.05, 0.03))]
    assert float(row["spread"]) == pytest.approx(abs(means[0] - means[1]) / 2**0.5)
    assert float(row["ci_low"]) < float(row["delta"]) < float(row["ci_high"])
    gain = found.set_index("metric").loc["MAE", "gain"]
    assert gain == pytest.approx(float(row["delta"]), abs=1e-12)
    assert set(found["seeds"]) == {2}
    text = table.to_markdown()
    assert "Mean ± sample standard deviation of the data sets' numbers over the seeds 0, 1." in text
    assert "of the gain over images, after the mean over seeds of each image." in text


def test_table_that_does_not_ask_for_it_has_none(tmp_path: Path) -> None:
    table = table_of(run_of(tmp_path), replace(SPEC, significance=False))
    assert "†" not in table.to_markdown()
    assert "Significance" not in table.to_markdown()
    assert not any(row["p"] for row in csv.DictReader(table.to_csv().splitlines()))
