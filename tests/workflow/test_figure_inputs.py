"""What a figure waits for, and when the workflow tells that a run has nothing for it."""

from pathlib import Path
from typing import Any

from workflow_runs import configured, rules

RUN: dict[str, Any] = {
    "results": "results",
    "datasets": ["demo-test"],
    "detectors": ["mb_plus"],
    "refiners": ["mijr_smoke"],
    "device": "cpu",
    "protocols": ["pysod"],
    "figures": ["mijr_partners", "detector_bars"],
}


def test_a_page_of_partners_waits_for_the_alignment_and_for_no_training(tmp_path: Path) -> None:
    page = rules(configured(tmp_path, RUN, "results/figures/mijr_partners.pdf", "--dry-run"))
    assert {"pool", "align", "figure"} <= page
    assert not {"train_refiner", "refine_maps", "prior", "evaluate_cell"} & page


def test_a_figure_that_the_run_has_nothing_for_is_told_before_anything_is_made(tmp_path: Path) -> None:
    done = configured(tmp_path, {**RUN, "refiners": []}, "results/datasets/demo-test/manifest.csv")
    assert done.returncode != 0
    assert "figure 'mijr_partners': the run has no pool to draw partners from" in done.stdout + done.stderr
    assert not (tmp_path / "results" / "datasets").exists()
