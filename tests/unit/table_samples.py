"""A small made-up run for the tests of tables: cells with scores, labels, and what the run consists of."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from sodlift.tables.run_info import DatasetInfo, RefinerInfo, RunInfo
from sodlift.tables.summary import Scored, build_summary

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
