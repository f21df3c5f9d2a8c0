"""The parts of alignment, each alone: their time, and how well they do on warps that are known and on real images.

    SODLIFT_DATA=... OMP_NUM_THREADS=1 python benchmarks/alignment.py [speed] [warps] [proposals] [scenes FIGURE.png]

Without arguments all but the figure. Times are medians of processor time, one thread.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.alignment.dense_sift import dense_sift
from sodlift.alignment.gist import gist
from sodlift.alignment.proposals import choose, edge_boxes
from sodlift.alignment.retrieval import Pool, hog
from sodlift.alignment.sift_flow import SiftFlowOptions, sift_flow
from sodlift.arrays import Image8, Mask, read_image, read_mask
from sodlift.config.data_root import resolve_data_root
from sodlift.progress import track

SIZE = (150, 200)
POOL = 10_000
WEIGHTS = {"default": SiftFlowOptions(), "published": SiftFlowOptions.published()}

Field = npt.NDArray[np.float64]


def images(dataset: str, step: int = 1) -> dict[str, Path]:
    """Return a data set's images by stem."""
    return {path.stem: path for path in sorted((resolve_data_root({}) / dataset / "images").glob("*.jpg"))[::step]}


def resized(image: Image8, size: tuple[int, int]) -> Image8:
    """Return an image at ``size`` (H, W)."""
    return np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA))


def milliseconds(what: Callable[[], object], repeats: int = 9) -> float:
    """Return the median processor time, after a first call that compiles."""
    what()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        what()
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times)


def speed() -> None:
    """Print the time of each part."""
    photos = [read_image(path) for path in list(images("PASCAL-S-108").values())[:2]]
    wide, small = ([resized(photo, size) for photo in photos] for size in ((300, 400), SIZE))
    first, second = (dense_sift(image) for image in small)
    pool = Pool(tuple(map(str, range(POOL))), np.random.default_rng(0).random((POOL, 2276), np.float32))
    boxes = edge_boxes(wide[0])
    parts: dict[str, Callable[[], object]] = {
        "dense SIFT, 400x300": lambda: dense_sift(wide[0]),
        "GIST, 128x128": lambda: gist(wide[0], 128),
        "GIST, 256x256": lambda: gist(wide[0]),
        "HOG": lambda: hog(wide[0]),
        f"5 nearest of {POOL}": lambda: pool.nearest(pool.descriptors[0], 5),
        "SIFT flow, 200x150": lambda: sift_flow(first, second),
        "EdgeBoxes, 400x300": lambda: edge_boxes(wide[0]),
        "100 of 1000 boxes": lambda: choose(boxes, (300, 400)),
    }
    print("| part | ms |\n|---|---:|")
    for name, part in parts.items():
        print(f"| {name} | {milliseconds(part):.1f} |", flush=True)


def fields() -> dict[str, tuple[Field, Field]]:
    """Return displacements (u, v) by name."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
    inside = (x - 100) ** 2 + (y - 75) ** 2 < 40**2
    return {
        "translation": (0 * x + 7, 0 * y - 4),
        "half pixels": (0 * x + 3.4, 0 * y + 5.6),
        "affine": (0.06 * (x - 100) + 0.03 * (y - 75), -0.04 * (x - 100) + 0.05 * (y - 75)),
        "piecewise": (np.where(inside, 9.0, -5.0), np.where(inside, -6.0, 3.0)),
        "waves": (6 * np.sin(y / 25), 5 * np.cos(x / 30)),
    }


def texture(size: tuple[int, int]) -> Image8:
    """Return smooth noise of several scales."""
    noise = np.random.default_rng(0).normal(0, 1, (*size, 3)).astype(np.float32)
    mixed = np.sum([cv2.GaussianBlur(noise, (0, 0), s) * s for s in (1.0, 3.0, 9.0)], axis=0)
    return np.asarray(255 * (mixed - mixed.min()) / np.ptp(mixed), dtype=np.uint8)


def warps(margin: int = 30) -> None:
    """Print the median end-point error over known warps, of a texture and of ten photographs."""
    size = (SIZE[0] + 2 * margin, SIZE[1] + 2 * margin)
    photos = [resized(read_image(path), size) for path in images("PASCAL-S-108", 11).values()]
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    print("| warp | " + " | ".join(f"texture, {w} | photographs, {w}" for w in WEIGHTS) + " |\n|---|" + "---:|" * 4)
    for name, (u, v) in fields().items():
        within = (x + u >= 0) & (x + u <= SIZE[1] - 1) & (y + v >= 0) & (y + v <= SIZE[0] - 1)
        cells = []
        for options in WEIGHTS.values():
            for group in ([texture(size)], photos):
                errors = []
                for wide in group:
                    at_x, at_y = ((a + b + margin).astype(np.float32) for a, b in ((x, u), (y, v)))
                    first = np.asarray(cv2.remap(wide, at_x, at_y, cv2.INTER_LINEAR), dtype=np.uint8)
                    second = np.ascontiguousarray(wide[margin:-margin, margin:-margin])
                    flow = sift_flow(dense_sift(first), dense_sift(second), options).flow
                    errors.append(np.median(np.hypot(flow[..., 0] - u, flow[..., 1] - v)[within]))
                cells.append(f"{max(errors):.2f}")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def objects(mask: Mask) -> Iterator[tuple[int, ...]]:
    """Yield the boxes of a mask's connected objects of at least a hundredth of the image."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    yield from (tuple(row[:4]) for row in stats[1:count] if row[4] >= 0.01 * mask.size)


def overlaps(box: tuple[int, ...], boxes: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Return the IoU of a box with others (n, 4)."""
    corner = np.minimum(np.add(box[:2], box[2:]), boxes[:, :2] + boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.prod(np.clip(corner, 0, None), axis=1)
    return np.asarray(shared / (np.prod(box[2:]) + np.prod(boxes[:, 2:], axis=1) - shared))


def proposals() -> None:
    """Print the recall of EdgeBoxes' proposals, and of those that are chosen, on PASCAL-S-108's objects."""
    found: dict[str, list[float]] = {"1000 boxes": [], "100 best": [], "100 chosen": []}
    times = []
    for stem, path in track(list(images("PASCAL-S-108").items()), "proposals"):
        image, mask = read_image(path), read_mask(resolve_data_root({}) / f"PASCAL-S-108/masks/{stem}.png", "gt127")
        start = time.process_time()
        boxes = edge_boxes(image)
        times.append(1e3 * (time.process_time() - start))
        sets = (boxes.boxes, boxes.boxes[:100], choose(boxes, mask.shape).boxes)
        for box in objects(mask):
            for best, some in zip(found.values(), sets, strict=True):
                best.append(float(overlaps(box, some).max(initial=0)))
    print(f"{len(found['1000 boxes'])} objects; {statistics.median(times):.0f} ms an image\n")
    print("| | recall at IoU .5 | at .7 |\n|---|---:|---:|")
    for name, best in found.items():
        print(f"| {name} | {np.mean(np.array(best) >= 0.5):.3f} | {np.mean(np.array(best) >= 0.7):.3f} |")


def scenes(figure: Path | None = None, step: int = 10, partners: int = 5) -> None:
    """Print how well masks of ECSSD are carried over between similar scenes, as mean IoU; draw the first pairs."""
    paths = images("ECSSD")
    pool = Pool.of((stem, read_image(path)) for stem, path in track(list(paths.items()), "pool"))
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    scores: list[dict[str, float]] = []
    rows: list[Image8] = []
    for stem in track(list(paths)[::step], "pairs"):
        image, mask = _at_size(paths[stem])
        query = pool.descriptors[pool.stems.index(stem)]
        for similar in pool.nearest(query, partners, [stem]):
            other, its_mask = _at_size(paths[similar.stem])
            flows = {name: sift_flow(dense_sift(image), dense_sift(other), o).flow for name, o in WEIGHTS.items()}
            grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (image, other)]
            flows["DIS"] = np.rint(dis.calc(*grey, None)).astype(np.int32)
            flows["identity"] = np.zeros_like(flows["DIS"])
            carried = {}
            for name, flow in flows.items():
                at = (np.clip(y + flow[..., 1], 0, SIZE[0] - 1), np.clip(x + flow[..., 0], 0, SIZE[1] - 1))
                carried[name] = its_mask[at]
            scores.append({name: _iou(mask, its) for name, its in carried.items()})
            if len(rows) < 8 and len(scores) % 40 == 1:
                flow = flows["default"]
                warped = other[np.clip(y + flow[..., 1], 0, SIZE[0] - 1), np.clip(x + flow[..., 0], 0, SIZE[1] - 1)]
                masks = [np.repeat(np.uint8(255) * m[..., None], 3, 2) for m in (mask, its_mask, carried["default"])]
                rows.append(np.hstack([image, other, warped, *masks]))
    print(f"{len(scores)} pairs\n\n| | mean IoU | over identity |\n|---|---:|---:|")
    for name in scores[0]:
        gains = np.array([score[name] - score["identity"] for score in scores])
        half = 1.96 * gains.std() / np.sqrt(len(gains))
        print(f"| {name} | {np.mean([s[name] for s in scores]):.4f} | {gains.mean():+.4f} ± {half:.4f} |")
    if figure:
        cv2.imwrite(str(figure), np.vstack(rows)[..., ::-1])


def _at_size(path: Path) -> tuple[Image8, Mask]:
    mask = read_mask(path.parents[1] / "masks" / f"{path.stem}.png").astype(np.uint8)
    return resized(read_image(path), SIZE), np.asarray(
        cv2.resize(mask, SIZE[::-1], interpolation=cv2.INTER_NEAREST) > 0
    )


def _iou(a: Mask, b: Mask) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def main() -> None:
    """Run what is asked for."""
    cv2.setNumThreads(1)
    asked = sys.argv[1:] or ["speed", "warps", "proposals", "scenes"]
    for name in asked:
        if name == "scenes":
            scenes(next((Path(argument) for argument in asked if argument.endswith(".png")), None))
        elif not name.endswith(".png"):
            {"speed": speed, "warps": warps, "proposals": proposals}[name]()


if __name__ == "__main__":
    main()
