"""Runs whose cells have made-up scores, to draw figures of."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from sodlift.config.load import load_run
from sodlift.config.run import Cell, Run

LPS = {
    "title": "LPS",
    "type": "lps",
    "options": {"preset": "default", "backbone": "efficientnet_lite0", "grid": 4},
    "train": {"datasets": ["demo-train"]},
}


def lps_at(iterations: int, **options: Any) -> dict[str, Any]:
    """A row that uses the model of "lps" with another number of iterations."""
    changed = {**LPS["options"], "iterations": iterations, **options}  # type: ignore[dict-item]
    return {"title": f"LPS {iterations}", "type": "lps", "options": changed, "model_of": "lps"}


def labels_row(title: str, **options: Any) -> dict[str, Any]:
    """A detector of A2S's first stage, trained on the demo."""
    changed = {"backbone": "efficientnet_lite0", "size": 64, **options}
    return {"title": title, "type": "a2s_labels", "options": changed, "train": {"datasets": ["demo-train"]}}


def run_of(folder: Path, rows: dict[str, dict[str, Any]], **config: Any) -> Run:
    """A run of two data sets with rows of its own, by kind ("refiners"), all of which it uses unless told otherwise."""
    for kind, of_kind in rows.items():
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump(of_kind))
    whole = {
        "results": str(folder / "results"),
        "registries": {kind: [str(folder / f"{kind}.yaml")] for kind in rows},
        "datasets": ["SED2", "PASCAL-S-108"],
        "detectors": ["rbd", "mb_plus"],
        "protocols": ["pysod"],
        **{kind: list(of_kind) for kind, of_kind in rows.items()},
        **config,
    }
    return load_run(whole)


def score_cells(run: Run, value: Callable[[Cell], float | None], metrics: tuple[str, ...] = ("adpF", "MAE")) -> None:
    """Write scores of every cell, alike for all metrics."""
    for cell in run.scored_cells:
        records = [{"protocol": name, "metric": m, "value": value(cell)} for name in run.protocols for m in metrics]
        folder = run.evaluation_folder(cell)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scores.json").write_text(json.dumps(records))
