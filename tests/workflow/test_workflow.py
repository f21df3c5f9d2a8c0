"""The workflow from end to end on a few demo images, and what makes which part of it run again.

The repository is copied, so that files can be edited. The stages build on one another, so the tests run in order.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image
from workflow_runs import rules, snakemake

from sodlift.metrics import metrics_with

CONFIG = "config/smoke.yaml"
RESULTS = Path("results/smoke")
TARGETS = {"all", "datasets", "priors", "train", "refine", "evaluate", "tables"}
METRICS = {name for metric in metrics_with() for name in metric.names}


def _files(repository: Path) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        capture_output=True,
        check=True,
    )
    return [name for name in listed.stdout.decode().split("\0") if name]


@pytest.fixture(scope="module")
def copy(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the working tree, as a user would have it."""
    target = tmp_path_factory.mktemp("checkout")
    for name in _files(repository):
        if not name.startswith("tests/") and ((repository / name).is_file() or (repository / name).is_symlink()):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(repository / name, target / name, follow_symlinks=False)
    return target


def _snakemake(copy: Path, *arguments: str, config: str = CONFIG, snakefile: str = "Snakefile") -> Any:
    return snakemake(copy, *arguments, configfile=config, snakefile=copy / snakefile)


def _would_run(copy: Path) -> set[str]:
    return rules(_snakemake(copy, "--dry-run", "--quiet", "host")) - TARGETS


@pytest.fixture(scope="module")
def run(copy: Path) -> Path:
    """The copy after one run of everything, TensorBoard's files included."""
    done = _snakemake(copy, "--config", "tensorboard=True")
    assert done.returncode == 0, done.stdout + done.stderr
    return copy


def test_a_run_ends_with_the_summary_in_its_promised_form(run: Path) -> None:
    summary = pd.read_csv(run / RESULTS / "tables" / "summary.csv", keep_default_na=False)
    columns = "refiner,detector,dataset,seed,protocol,metric,value,n_used,n_expected,status"
    assert ",".join(summary.columns) == columns
    assert set(summary.refiner) == {"none", "densecrf_dss", "mirm_smoke", "lps_smoke"}
    assert set(summary.metric) == METRICS
    assert set(summary.status) == {"ok"}


def test_every_refined_map_is_an_8_bit_grey_png_of_its_images_size(run: Path) -> None:
    manifest = pd.read_csv(run / RESULTS / "datasets" / "demo-test" / "manifest.csv")
    for detector in ("mb_plus", "rbd"):
        for row in manifest.itertuples():
            for refiner in ("mirm_smoke", "lps_smoke"):
                with Image.open(
                    run / RESULTS / "refined" / "demo-test" / detector / refiner / f"{row.stem}.png"
                ) as file:
                    assert (file.mode, file.size) == ("L", (row.width, row.height))


def test_tables_and_figures_are_there(run: Path) -> None:
    found = {path.relative_to(run / RESULTS).as_posix() for path in (run / RESULTS).rglob("*") if path.is_file()}
    assert {f"tables/refiners.{suffix}" for suffix in ("csv", "md", "tex")} <= found
    assert {"figures/pr_curves.pdf", "figures/pr_curves.png"} <= found
    assert not [name for name in found if name.endswith(".part") or "/." in name.replace(".snakemake_timestamp", "")]


def test_trainings_write_tensorboards_files_where_asked_for(run: Path) -> None:
    written = {path.parent.name for path in (run / RESULTS / "tensorboard").glob("*/events.*")}
    assert written == {"mirm_smoke", "lps_smoke"}
    assert "train_refiner" not in _would_run(run)  # without it, nothing is trained again


def test_no_job_needs_more_than_four_gibibytes(run: Path) -> None:
    peaks = {
        str(path): float(json.loads(line)["max_rss"] or 0)
        for path in (run / RESULTS / "benchmarks").rglob("*.jsonl")
        for line in path.read_text().splitlines()
    }
    assert peaks and max(peaks.values()) < 4096


def test_a_second_run_has_nothing_to_do(run: Path) -> None:
    again = _snakemake(run)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


def test_touching_files_runs_nothing_again(run: Path) -> None:
    for path in ("workflow_scripts/evaluate.py", "workflow_scripts/sodlift/metrics/mae.py", "config/smoke.yaml"):
        (run / path).touch()
    assert _would_run(run) == set()


def test_editing_a_metric_runs_the_evaluation_again_and_what_gathers_it(run: Path) -> None:
    path = run / "workflow_scripts" / "sodlift" / "metrics" / "mae.py"
    text = path.read_text()
    path.write_text(text + "\nEDITED = True\n")
    try:
        assert _would_run(run) == {"evaluate_cell", "summary", "significance", "table", "figure"}
    finally:
        path.write_text(text)


def test_editing_one_refiner_runs_no_other_again(run: Path) -> None:
    path = run / "workflow_scripts" / "sodlift" / "refiners" / "densecrf.py"
    text = path.read_text()
    path.write_text(text + "\nEDITED = True\n")
    try:
        made = _would_run(run)
    finally:
        path.write_text(text)
    assert "refine_maps" in made
    assert "train_refiner" not in made


def test_editing_a_comment_runs_nothing_again(run: Path) -> None:
    path = run / "workflow_scripts" / "sodlift" / "priors" / "rbd.py"
    text = path.read_text()
    path.write_text("# a comment\n" + text)
    try:
        assert _would_run(run) == set()
    finally:
        path.write_text(text)


def test_one_table_is_a_target_of_its_own(run: Path) -> None:
    table = RESULTS / "tables" / "refiners.csv"
    (run / table).unlink()
    done = _snakemake(run, str(table))
    assert done.returncode == 0, done.stderr
    assert (run / table).is_file()


def _variant(run: Path, name: str, old: str, new: str) -> str:
    """Write the run's configuration with one change; return its path in the copy."""
    text = (run / CONFIG).read_text()
    assert old in text
    (run / "config" / name).write_text(text.replace(old, new))
    return f"config/{name}"


def test_a_misspelt_name_is_one_clear_error_and_starts_no_job(run: Path) -> None:
    done = _snakemake(run, config=_variant(run, "misspelt.yaml", "[mb_plus, rbd]", "[mb_pluss, rbd]"))
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "mb_pluss" in output
    assert "did you mean 'mb_plus'" in output
    assert "Traceback" not in output


def test_a_missing_data_set_fails_its_job_by_name_and_leaves_nothing_half_written(run: Path) -> None:
    done = _snakemake(run, "datasets", config=_variant(run, "absent.yaml", "[demo-test]", "[SED2]"))
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "folder of the data set not found" in output
    assert not list((run / RESULTS / "datasets").glob("SED2/*"))


def test_the_workflow_runs_from_another_folder(run: Path, tmp_path: Path) -> None:
    done = _snakemake(run, "--directory", str(tmp_path), "--dry-run", "--quiet", "host")
    assert done.returncode == 0, done.stderr
    assert "rule dataset:" in done.stdout + done.stderr


def test_the_catalogues_snakefile_runs_the_same_jobs(run: Path, tmp_path: Path) -> None:
    results = tmp_path / "elsewhere"
    arguments = ("--dry-run", "--quiet", "host", "--directory", str(results))
    counts = []
    for snakefile in ("Snakefile", "workflow/Snakefile"):
        counts.append(rules(_snakemake(run, *arguments, snakefile=snakefile)))
    assert counts[0] - TARGETS == counts[1] - TARGETS - {"everything"} != set()
