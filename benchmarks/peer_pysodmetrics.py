"""PySODMetrics' side of ``benchmarks/evaluate.py``, run by an interpreter of its own, since it caps NumPy.

``python peer_pysodmetrics.py LIST REPEATS`` reads a JSON list of [mask, [map, ...]] files, scores every map with the
usual five metrics, PNG reading included, and prints the CPU seconds of the fastest repeat and the first method's
results.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import py_sod_metrics as peer

PARTS = (peer.MAE, peer.Fmeasure, peer.Emeasure, peer.Smeasure, peer.WeightedFmeasure)


def score(images: list[tuple[str, list[str]]]) -> dict[str, float]:
    """Score all maps, each mask read once; return what the first map of every image gives."""
    methods = [[make() for make in PARTS] for _ in images[0][1]]
    for mask, maps in images:
        truth = cv2.imread(mask, cv2.IMREAD_GRAYSCALE)
        for parts, file in zip(methods, maps, strict=True):
            saliency = cv2.imread(file, cv2.IMREAD_GRAYSCALE)
            for part in parts:
                part.step(pred=saliency, gt=truth)
    found: dict[str, Any] = {}
    for part in methods[0]:
        found |= part.get_results()
    curves = {name: found[name]["curve"] for name in ("fm", "em")}
    values = {
        **{"MAE": found["mae"], "S": found["sm"], "wF": found["wfm"]},
        **{"adpF": found["fm"]["adp"], "meanF": curves["fm"].mean(), "maxF": curves["fm"].max()},
        **{"adpE": found["em"]["adp"], "meanE": curves["em"].mean(), "maxE": curves["em"].max()},
    }
    return {name: float(value) for name, value in values.items()}


def main() -> None:
    """Time it."""
    cv2.setNumThreads(1)
    images = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    best, values = float("inf"), {}
    for _ in range(int(sys.argv[2])):
        begin = time.process_time()
        values = score(images)
        best = min(best, time.process_time() - begin)
    versions = {"numpy": np.__version__, "opencv": cv2.__version__}
    print(json.dumps({"seconds": best, "values": values, "versions": versions}))


if __name__ == "__main__":
    main()
