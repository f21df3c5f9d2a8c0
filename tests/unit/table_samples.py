"""A small made-up run for the tests of tables: cells with scores, labels, and what the run consists of."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd

from sodlift.tables.cells import Cell
from sodlift.tables.run_info import DatasetInfo, RefinerInfo, RunInfo
from sodlift.tables.spec import load_tables
from sodlift.tables.summary import Scored, build_summary
from sodlift.tables.table import Table

LABELS = {
    "mb_plus": {"title": "MB+", "MIRM": "MB+"},
    "rbd": {"title": "RBD", "MIRM": "wCtrO", "LPS": "wCO"},
    "picanet": {"title": "PiCANet", "MIRM": "PiCANet"},
    "ucf": {"title": "UCF", "MIRM": "UCF", "LPS": "UCF"},
}

RUN = RunInfo(
    detectors=("mb_plus", "rbd"),
    refiners={
        "mirm": RefinerInfo("mirm", "MIRM", "mobilenet_v2", ("DUTS-TE/PiCANet",)),
        "mirm_lite0": RefinerInfo("mirm", "MIRM (Lite0)", "efficientnet_lite0", ("ECSSD/CSNet",)),
        "densecrf": RefinerInfo("densecrf", "DenseCRF"),
    },
    datasets={
        "ECSSD": DatasetInfo("ECSSD", "ECSSD"),
        "PASCAL-S-108": DatasetInfo("PASCAL-S-108", "PASCAL-S", complete=False, note="108-image subset of PASCAL-S"),
    },
    protocols={"ldps": "priors not stretched, refined maps stretched", "pysod": "", "lps": ""},
    seeds=(0,),
)


def record(metric: str, value: float | None, **other: Any) -> dict[str, Any]:
    """One record of ``scores.json``; a value of None is a failure."""
    made = {
        "protocol": "ldps",
        "protocol_hash": "h1",
        "metric": metric,
        "value": value,
        "n_used": 0 if value is None else 10,
        "n_expected": 10,
        "status": "failed" if value is None else "ok",
        "counts": {},
    }
    return made | other


def cell(root: Path, refiner: str, detector: str, dataset: str, *records: dict[str, Any], seed: int = 0) -> Scored:
    """Write the ``scores.json`` of one cell under ``root`` and return the cell."""
    folder = root / dataset / detector / refiner / str(seed)
    folder.mkdir(parents=True)
    (folder / "scores.json").write_text(json.dumps(list(records)))
    return Scored(refiner, detector, dataset, seed, folder)


def summary_of(root: Path, values: dict[tuple[str, str, str], tuple[float | None, float | None]]) -> pd.DataFrame:
    """Return the summary of (refiner, detector, data set) -> (adaptive F, MAE) under the protocol ldps."""
    return build_summary(cell(root, *name, record("adpF", f), record("MAE", mae)) for name, (f, mae) in values.items())


def per_image_cell(root: Path, refiner: str, values: dict[str, list[float]], seed: int = 0, **other: Any) -> Scored:
    """Write ``per_image.parquet`` of one cell of mb_plus on ECSSD, images in the order of the values, and return it."""
    made = {"detector": "mb_plus", "dataset": "ECSSD", "protocol": "ldps"} | other
    count = len(next(iter(values.values())))
    stems = made.get("stems", [f"image{i}" for i in range(count)])
    folder = root / made["dataset"] / made["detector"] / refiner / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame({"protocol": [made["protocol"]] * count, "stem": stems, **values})
    frame.to_parquet(folder / "per_image.parquet", index=False)
    return Scored(refiner, made["detector"], made["dataset"], seed, folder)


CONFIG = Path(__file__).parents[2] / "config"
SPECS = load_tables(CONFIG / "tables.yaml", CONFIG / "paper_values")

VALUES: dict[tuple[str, str, str], tuple[float | None, float | None]] = {
    ("none", "mb_plus", "ECSSD"): (0.6905, 0.1720),
    ("mirm", "mb_plus", "ECSSD"): (0.8, 0.0841),
    ("mirm_lite0", "mb_plus", "ECSSD"): (0.82, 0.09),
    ("densecrf", "mb_plus", "ECSSD"): (0.7, 0.15),
    ("none", "rbd", "ECSSD"): (0.6763, 0.1713),
    ("mirm", "rbd", "ECSSD"): (None, None),
    ("none", "mb_plus", "PASCAL-S-108"): (0.6, 0.2),
}


def only(cells: tuple[Cell, ...], **wanted: str) -> Cell:
    found = [c for c in cells if all(getattr(c, name) == value for name, value in wanted.items())]
    assert len(found) == 1, found
    return found[0]


def records(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.to_csv())))
