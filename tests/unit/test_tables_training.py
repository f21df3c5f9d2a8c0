"""What trainings cost, from the models and reports of a made-up run: beside print, summed over a chain, and in full."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from table_samples import SPECS

from sodlift.config.load import load_run
from sodlift.config.run import Run
from sodlift.errors import DataError, WeightsError
from sodlift.tables.costs import COSTS, trained_models
from sodlift.tables.kinds import KINDS
from sodlift.tables.table import write_table
from sodlift.tables.training import CostTable

REPORT = {
    "recipe": {"steps": 1200, "batch": 8},
    "images_per_s": 4.0,
    "step_seconds": 2.0,
    "peak_rss_bytes": 1_500_000_000,
    "device": "cpu, x86_64",
    "processes": 1,
    "threads": 2,
}


def run_of(root: Path, *detectors: str, **change: Any) -> Run:
    """A run below ``root``."""
    plain = {"results": str(root / "results"), "datasets": ["ECSSD"], "detectors": list(detectors)}
    return load_run({**plain, "protocols": ["pysod"], **change})


def train(run: Run, **reports: dict[str, Any]) -> None:
    """Write what the trainings of a run leave; ``reports`` differ from ``REPORT``."""
    state = {
        "weight": torch.zeros(1000, 500),
        "bn.running_mean": torch.zeros(7),
        "bn.num_batches_tracked": torch.zeros(1),
    }
    for name, model in trained_models(run).items():
        model.folder.mkdir(parents=True)
        torch.save({"state": state}, model.file)
        model.report.write_text(json.dumps(REPORT | reports.get(name, {})))


def table(run: Run, name: str) -> CostTable:
    made = KINDS.get("training").make(SPECS[name], run)
    assert isinstance(made, CostTable)
    return made


def lines(made: CostTable) -> list[tuple[str, ...]]:
    return [
        (group.title, line.label, line.source, *(entry.text for entry in line.entries))
        for group in made.layout.groups
        for line in group.lines
    ]


def test_every_model_of_a_run_has_a_line(tmp_path: Path) -> None:
    run = run_of(tmp_path, "a2s", "rbd", "arn_default", refiners=["densecrf_dss"])
    train(run, a2s={"step_seconds": 1.5, "peak_gpu_bytes": 9_000_000_000, "device": "H200"})
    made = table(run, "training")
    sets = "MSRA-B (train), MSRA-B (validation)"
    assert lines(made) == [
        ("A2S", f"{sets}: maps of A2S, stage 1", "ours", "1200", "8", "4.0", "0.500", "1.167", "9.00", "0.50"),
        ("ARN", "DUTS-TR: masks", "ours", "1200", "8", "4.0", "0.667", "0.667", "1.50", "0.50"),
        ("A2S, stage 1", f"{sets}: images alone", "ours", "1200", "8", "4.0", "0.667", "0.667", "1.50", "0.50"),
    ]
    footer = made.layout.footer
    assert "Trained on H200, 2 threads: A2S." in footer
    assert "Trained on cpu, x86_64, 2 threads: ARN, A2S, stage 1." in footer
    assert not any("Not trained" in text for text in footer)


def test_refiners_count_with_every_seed_and_with_the_detectors_behind_them(tmp_path: Path) -> None:
    rows = {"title": "Mine", "type": "mirm", "options": {"preset": "default"}}
    learnt = {"mine": {**rows, "train": {"datasets": ["SED2"], "detectors": ["a2s"]}}}
    (tmp_path / "refiners.yaml").write_text(yaml.safe_dump(learnt))
    registries = {"refiners": [str(tmp_path / "refiners.yaml")]}
    run = run_of(tmp_path, "rbd", refiners=["mine"], seeds=[1, 2], registries=registries)
    train(run)
    made = table(run, "training")
    hours = {line[0]: line[6:8] for line in lines(made)}
    assert hours == {
        "A2S": ("0.667", "1.333"),
        "A2S, stage 1": ("0.667", "0.667"),
        "Mine": ("0.667", "2.000"),
        "Mine (seed 2)": ("0.667", "2.000"),
    }


def test_printed_times_stand_beside_ours_of_one_stage_and_of_both(tmp_path: Path) -> None:
    run = run_of(tmp_path, "a2s", "a2s_labels")
    train(run, a2s={"step_seconds": 1.0})
    assert lines(table(run, "a2s_table3")) == [
        ("SBF", "training", "paper", "3", "–"),
        ("MNL", "training", "paper", "4", "–"),
        ("USPS", "training", "paper", "30", "–"),
        ("A2S", "training", "paper", "1", "–"),
        ("A2S", "A2S", "ours", "1.000", "20.0"),
        ("A2S_stage1", "training", "paper", "–", "40"),
        ("A2S_stage1", "A2S, stage 1", "ours", "0.667", "40.0"),
        ("A2S_stage2", "training", "paper", "–", "20"),
        ("A2S_stage2", "A2S", "ours", "1.000", "20.0"),
    ]


def test_variants_of_one_method_stand_together(tmp_path: Path) -> None:
    run = run_of(tmp_path, "a2s", "a2s_plain")
    train(run)
    made = table(run, "a2s_table7_sizes")
    ours = [line for line in lines(made) if line[0] == "Ours"]
    assert ours == [
        ("Ours", "without OLR", "paper", "28.40"),
        ("Ours", "A2S without OLR", "ours", "0.50"),
        ("Ours", "with OLR", "paper", "28.40"),
        ("Ours", "A2S", "ours", "0.50"),
    ]
    assert "Not trained in this run: a2s_dagger_plain, a2s_dagger." in made.layout.footer


def test_the_csv_holds_full_precision_and_what_is_missing(tmp_path: Path) -> None:
    run = run_of(tmp_path, "a2s")
    train(run, a2s={"step_seconds": 1.0 / 3})
    rows = list(csv.DictReader(io.StringIO(table(run, "a2s_table8_hours").to_csv())))
    found = {row["method"]: row for row in rows}
    assert float(found["OLR"]["ours"]) == 1200 / 3 / 3600
    assert (found["OLR"]["printed"], found["OLR"]["printed_in"]) == ("0.36", "A2S, Table VIII")
    assert (found["OLR"]["device"], found["OLR"]["status"]) == ("cpu, x86_64, 2 threads", "ok")
    assert (found["HMA"]["ours"], found["HMA"]["printed"], found["HMA"]["status"]) == ("", "5.33", "missing")


def test_a_run_that_trains_no_network_has_an_empty_table(tmp_path: Path) -> None:
    run = run_of(tmp_path, "rbd", "drfi")
    assert KINDS.get("training").inputs(run, {}) == {"models": [], "reports": []}
    text = table(run, "training").to_markdown()
    assert "No cell of this table is in this run." in text
    assert "No network, and so without a report: DRFI." in text


def test_a_printed_table_waits_for_the_models_that_it_shows_and_those_behind(tmp_path: Path) -> None:
    run = run_of(tmp_path, "a2s", "a2s_hma", "arn_default", tables=["a2s_table8_hours", "a2s_table3", "training"])
    files = {name: KINDS.get("training").inputs(run, row)["models"] for name, row in run.table_rows.items()}
    assert {name: sorted(file.parent.name for file in found) for name, found in files.items()} == {
        "a2s_table8_hours": ["a2s", "a2s_hma", "a2s_labels"],
        "a2s_table3": ["a2s", "a2s_labels"],
        "training": ["a2s", "a2s_hma", "a2s_labels", "arn_default"],
    }


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.kind == "training"])
def test_the_same_models_give_the_same_bytes_with_as_many_places_in_every_row(tmp_path: Path, name: str) -> None:
    run = run_of(tmp_path, "a2s", "arn_default")
    train(run)
    first = [path.read_bytes() for path in write_table(table(run, name), tmp_path / "a")]
    assert first == [path.read_bytes() for path in write_table(table(run, name), tmp_path / "b")]
    text, tex = first[1].decode(), first[2].decode()
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")}) == 1
    assert tex.isascii() and tex.count("{") - tex.count(r"\{") == tex.count("}") - tex.count(r"\}")
    head = text.splitlines()[2]
    assert head.startswith("| method | model | source |" if SPECS[name].paper else "| model | trained on |")


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (lambda model: model.report.unlink(), DataError, "report of a training not found"),
        (lambda model: model.report.write_text("{"), DataError, "broken report"),
        (lambda model: model.report.write_text('{"recipe": {}}'), DataError, "without step_seconds, images_per_s"),
        (lambda model: model.file.unlink(), WeightsError, "model.pt"),
    ],
)
def test_a_file_that_is_missing_or_broken_is_named(tmp_path: Path, spoil: Any, error: Any, said: str) -> None:
    run = run_of(tmp_path, "a2s")
    train(run)
    model = trained_models(run)["a2s"]
    spoil(model)
    with pytest.raises(error) as caught:
        table(run, "training")
    assert said in str(caught.value) and str(model.folder) in str(caught.value)


def test_titles_of_models_behind_others_make_tables_anew(tmp_path: Path) -> None:
    facts = []
    for title in ("One", "Two"):
        row = {"title": title, "type": "a2s_labels", "train": {"datasets": ["SED2"]}}
        last = {"title": "Last", "type": "a2s", "train": {"datasets": ["SED2"], "detectors": ["labels"]}}
        (tmp_path / "rows.yaml").write_text(yaml.safe_dump({"labels": row, "last": last}))
        facts.append(run_of(tmp_path, "last", registries={"detectors": [str(tmp_path / "rows.yaml")]}).facts)
    assert facts[0] != facts[1]


def test_costs_are_named_after_their_measures() -> None:
    assert all(name == cost.measure.name for name, cost in COSTS.items())
