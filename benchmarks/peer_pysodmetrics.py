"""PySODMetrics' side of ``benchmarks/evaluate.py``, run by an interpreter that has it: it caps NumPy, so it needs its own.

``python peer_pysodmetrics.py LIST REPEATS`` reads a JSON list of [map, mask] files, scores every pair with the
usual five metrics, PNG reading included, and prints the CPU seconds of the fastest of the repeats, of
reading alone, and the results over the pairs.
"""

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import py_sod_metrics as peer

PARTS = {
    "mae": peer.MAE,
    "f_measure": peer.Fmeasure,
    "e_measure": peer.Emeasure,
    "s_measure": peer.Smeasure,
    "weighted_f": peer.WeightedFmeasure,
}


def read(file: str) -> np.ndarray:
    """Read a map or mask as the peer's own examples do."""
    return cv2.imread(file, cv2.IMREAD_GRAYSCALE)


def score(pairs: list[list[str]]) -> dict[str, float]:
    """Score all pairs."""
    parts = {name: make() for name, make in PARTS.items()}
    for prediction, mask in pairs:
        maps = {"pred": read(prediction), "gt": read(mask)}
        for part in parts.values():
            part.step(**maps)
    found = {name: part.get_results() for name, part in parts.items()}
    f, e = found["f_measure"]["fm"], found["e_measure"]["em"]
    return {
        "MAE": float(found["mae"]["mae"]),
        "adpF": float(f["adp"]),
        "meanF": float(f["curve"].mean()),
        "maxF": float(f["curve"].max()),
        "adpE": float(e["adp"]),
        "meanE": float(e["curve"].mean()),
        "maxE": float(e["curve"].max()),
        "S": float(found["s_measure"]["sm"]),
        "wF": float(found["weighted_f"]["wfm"]),
    }


def main() -> None:
    """Time it."""
    cv2.setNumThreads(1)
    pairs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    best = {"score": float("inf"), "read": float("inf")}
    values: dict[str, float] = {}
    for _ in range(int(sys.argv[2])):
        begin = time.process_time()
        values = score(pairs)
        middle = time.process_time()
        for files in pairs:
            for file in files:
                read(file)
        best["score"] = min(best["score"], middle - begin)
        best["read"] = min(best["read"], time.process_time() - middle)
    print(json.dumps({"seconds": best, "values": values, "numpy": np.__version__, "opencv": cv2.__version__}))


if __name__ == "__main__":
    main()
