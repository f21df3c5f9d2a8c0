"""Evaluation against PySODMetrics in one run: ``make peers && python benchmarks/evaluate.py``.

The same pairs for both, PNG reading included, CPU time of one process and thread, best of several repeats: for one map
a mask, and for several methods that share each mask. Also the floor: ``cv2.imread`` of the same files and nothing else.
Pairs are seeded synthetic ones of 300 x 400 (free of any data licence), or those of ``--gt`` and ``--pred``. Ours
computes every default metric, the peer the usual five (MAE, F, E, S, weighted F); their values must agree to 1e-9.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from sodlift.evaluation.cell import Method
from sodlift.evaluation.protocols import load_protocol
from sodlift.evaluation.run import evaluate_methods

HERE = Path(__file__).resolve().parent
SHAPE = (300, 400)
Images = list[tuple[Path, list[Path]]]
"""Of each image the mask and the maps of every method."""


@dataclass(frozen=True)
class _Entry:
    stem: str
    mask: Path
    height: int = SHAPE[0]
    width: int = SHAPE[1]


@dataclass(frozen=True)
class _Data:
    entries: tuple[_Entry, ...]
    dataset: str = "benchmark"


@dataclass(frozen=True)
class _Maps:
    files: dict[str, Path]
    folder: Path = Path()

    def usable(self, stems: Iterable[str]) -> list[str]:
        return list(stems)

    def path(self, stem: str) -> Path:
        return self.files[stem]


def synthetic(folder: Path, count: int, methods: int, seed: int = 0) -> Images:
    """Write pairs of blobs and soft, blotchy, slightly noisy maps of them."""
    rng = np.random.default_rng(seed)
    images = []
    for i in range(count):
        shape = _blobs(rng)
        mask = folder / f"{i:03d}.png"
        Image.fromarray((shape > 0).astype(np.uint8) * 255).save(mask)
        files = [folder / f"{i:03d}_{m:02d}.png" for m in range(methods)]
        for file in files:
            Image.fromarray(_saliency(shape, rng)).save(file)
        images.append((mask, files))
    return images


def _blobs(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    shape = np.full(SHAPE, -1.0)
    for _ in range(rng.integers(1, 4)):
        centre, radii = rng.uniform(0.25, 0.75, 2) * SHAPE, rng.uniform(25, 90, 2)
        waves, phase = rng.integers(3, 9), rng.uniform(0, 6)
        dy, dx = (y - centre[0]) / radii[0], (x - centre[1]) / radii[1]
        shape = np.maximum(shape, 1 - np.hypot(dy, dx) / (1 + 0.25 * np.sin(waves * np.arctan2(dy, dx) + phase)))
    return shape


def _saliency(shape: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    soft = 1 / (1 + np.exp(-rng.uniform(4, 12) * (shape + rng.normal(0, 0.1))))
    blotches = cv2.GaussianBlur(rng.normal(0, 1, SHAPE), (0, 0), rng.uniform(3, 12))
    noise = 0.25 * blotches / np.abs(blotches).max() + rng.normal(0, 0.001, SHAPE)
    return np.asarray(np.rint(255 * np.clip(soft + noise, 0, 1)), dtype=np.uint8)


def at_hand(gt: Path, preds: list[Path], count: int) -> Images:
    """Return the first pairs of folders that hold one PNG a stem."""
    masks = sorted(gt.glob("*.png"))[:count]
    return [(mask, [pred / mask.name for pred in preds]) for mask in masks]


def ours(images: Images) -> dict[str, float | None]:
    """Score all maps by the library; return what the first method gives."""
    data = _Data(tuple(_Entry(mask.stem, mask) for mask, _ in images))
    methods = [Method(f"{m}", _Maps({mask.stem: files[m] for mask, files in images})) for m in range(len(images[0][1]))]
    scores = evaluate_methods(data, methods, [load_protocol("pysod")])["0"].scores
    return {score.metric: score.value for score in scores}


def floor(images: Images) -> None:
    """Read every file, each mask once."""
    for mask, files in images:
        for file in (mask, *files):
            cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)


def cpu_seconds(what: Callable[[], object], repeats: int) -> float:
    """Return the CPU time of the fastest repeat."""
    best = float("inf")
    for _ in range(repeats):
        begin = time.process_time()
        what()
        best = min(best, time.process_time() - begin)
    return best


def compare(images: Images, peer: Path, repeats: int, peer_repeats: int) -> dict[str, float]:
    """Time both sides and the floor in turn, and print a row."""
    methods = len(images[0][1])
    ours(images[:8])  # compiled kernels come from the disk
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as listing:
        json.dump([[str(mask), [str(file) for file in files]] for mask, files in images], listing)
        listing.flush()
        command = [str(peer), "-W", "ignore", str(HERE / "peer_pysodmetrics.py"), listing.name, str(peer_repeats)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    values = ours(images)
    worst = max(abs((values[name] or 0.0) - value) for name, value in found["values"].items())
    assert worst <= 1e-9, f"values differ by {worst}"
    maps = len(images) * methods
    row = {
        "methods": methods,
        "peer_ms": 1e3 * found["seconds"] / maps,
        "ours_ms": 1e3 * cpu_seconds(lambda: ours(images), repeats) / maps,
        "floor_ms": 1e3 * cpu_seconds(lambda: floor(images), repeats) / maps,
        "worst_difference": worst,
    }
    row |= {"times_faster": row["peer_ms"] / row["ours_ms"], "of_floor": row["ours_ms"] / row["floor_ms"]}
    print(
        f"| {methods:7d} | {row['peer_ms']:15.2f} | {row['ours_ms']:7.2f} | {row['floor_ms']:10.2f} "
        f"| {row['times_faster']:6.1f} | {row['of_floor']:16.2f} | {worst:16.1e} |",
        flush=True,
    )
    return row


def main() -> None:
    """Print a table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(description="Evaluation against PySODMetrics, CPU milliseconds a map.")
    parser.add_argument("--peer", type=Path, default=HERE.parent / ".venv-peers/bin/python", help="its interpreter")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--methods", type=int, nargs="+", default=[1, 12])
    parser.add_argument("--gt", type=Path, help="folder of masks, instead of synthetic ones")
    parser.add_argument("--pred", type=Path, nargs="+", default=[], help="folders of maps")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if not arguments.peer.is_file():
        parser.error(f"no interpreter at {arguments.peer}: run `make peers`, or give --peer")
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.gt:
            images = at_hand(arguments.gt, arguments.pred, arguments.pairs)
        else:
            images = synthetic(Path(folder), arguments.pairs, max(arguments.methods))
        size = np.mean([file.stat().st_size for _, files in images for file in files]) / 1024
        print(f"{len(images)} masks, maps of {size:.0f} KiB on average\n")
        print("| methods | PySODMetrics ms | ours ms | cv2.imread | faster | ours / cv2.imread | worst difference |")
        print("|--------:|----------------:|--------:|-----------:|-------:|-----------------:|-----------------:|")
        counts = sorted({min(n, len(images[0][1])) for n in arguments.methods})
        rows = []
        for count in counts:
            part = [(mask, files[:count]) for mask, files in images]
            rows.append(compare(part, arguments.peer, arguments.repeats, 3 if count == 1 else 1))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
