"""How well superpixels are linked between similar images of ECSSD, with the masks as judge.

    SODLIFT_DATA=... OMP_NUM_THREADS=1 python benchmarks/alignment_links.py [even] [FIGURE.png] [FOLDER]

Each fifth image and its three most similar ones; of these images the odd ones, or the even ones on which weights were
chosen. Scenes and flows are kept in FOLDER. The figure paints each superpixel as its partner.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.alignment.linking import CANDIDATES, LinkOptions, link
from sodlift.alignment.retrieval import Pool
from sodlift.alignment.scene import Scene, scene
from sodlift.alignment.sift_flow import Matched, sift_flow
from sodlift.arrays import Image8, read_image, read_mask
from sodlift.config.data_root import resolve_data_root
from sodlift.progress import track
from sodlift.superpixels.regions import means, to_pixels

LEVELS = {"SIFT flow": LinkOptions("flow"), "mid-level": LinkOptions("mid"), "bi-level": LinkOptions()}
STEP, PARTNERS = 5, 3

Objects = npt.NDArray[np.bool_]


def pooled(paths: dict[str, Path], folder: Path) -> Pool:
    """Return the pool of all images."""
    file = folder / "pool.npz"
    if not file.exists():
        Pool.of((stem, read_image(path)) for stem, path in track(list(paths.items()), "pool")).save(file)
    return Pool.load(file)


def seen(path: Path, folder: Path) -> tuple[Scene, Objects]:
    """Return an image's scene, and which of its superpixels are mostly object."""
    file = folder / "scenes" / f"{path.stem}.npz"
    if not file.exists():
        scene(read_image(path)).save(file)
    one = Scene.load(file)
    mask = read_mask(path.parents[1] / "masks" / f"{path.stem}.png")
    return one, means(one.full, one.count, mask[..., None].astype(np.float32))[:, 0] > 0.5


def flown(first: Scene, second: Scene, file: Path) -> Matched:
    """Return the flow between two scenes."""
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        matched = sift_flow(first.describe(), second.describe())
        np.savez_compressed(file, flow=matched.flow.astype(np.int16), distance=matched.distance)
    with np.load(file) as held:
        return Matched(held["flow"].astype(np.int32), held["distance"])


def painted(first: Scene, second: Scene, partner: npt.NDArray[np.int32]) -> Image8:
    """Return the first image, its superpixels in the colours of their partners."""
    colours = means(second.labels, second.count, second.image)[partner]
    return np.stack([to_pixels(first.labels, one) for one in colours.T], axis=2).astype(np.uint8)


def links(half: int, folder: Path, figure: Path | None) -> None:
    """Print agreement and IoU of each level, how many superpixels are partners, and draw some pairs."""
    paths = {path.stem: path for path in sorted((resolve_data_root({}) / "ECSSD/images").glob("*.jpg"))}
    pool = pooled(paths, folder)
    agreed: dict[str, list[float]] = {}
    shared: dict[str, list[tuple[int, int]]] = {}
    used: dict[str, list[float]] = {name: [] for name in LEVELS}
    rows: list[Image8] = []
    times: list[float] = []
    for stem in track(list(paths)[::STEP][half::2], "pairs"):
        first, ours = seen(paths[stem], folder)
        for similar in pool.nearest(pool.descriptors[pool.stems.index(stem)], PARTNERS, [stem]):
            second, theirs = seen(paths[similar.stem], folder)
            matched = flown(first, second, folder / "flows" / f"{stem}-{similar.stem}.npz")
            found = {name: link(first, second, matched, options).partner[:, 0] for name, options in LEVELS.items()}
            start = time.process_time()
            link(first, second, matched)
            times.append(1e3 * (time.process_time() - start))
            near = link(first, second, matched, LinkOptions("flow", CANDIDATES)).partner
            carried = {name: theirs[partner] for name, partner in found.items()}
            for name, partner in found.items():
                used[name].append(len(np.unique(partner)) / first.count)
            column, row = np.floor(first.centres).astype(int).T
            carried["same place"] = theirs[second.labels[row, column]]
            right = theirs[near] == ours[:, None]
            carried["best candidate"] = np.where(right.any(axis=1), ours, ~ours)
            for name, their in carried.items():
                agreed.setdefault(name, []).append(float((their == ours).mean()))
                shared.setdefault(name, []).append((int((their & ours).sum()), int((their | ours).sum())))
            if len(rows) < 8 and len(agreed["SIFT flow"]) % 36 == 1:
                rows.append(
                    np.hstack([first.image, second.image, *(painted(first, second, one) for one in found.values())])
                )
    print("| | agreement | over SIFT flow | IoU of objects | partners in use |\n|---|---:|---:|---:|---:|")
    base = np.array(agreed["SIFT flow"]).reshape(-1, PARTNERS)
    for name, values in agreed.items():
        gains = (np.array(values).reshape(-1, PARTNERS) - base).mean(axis=1)  # pairs of one image are not independent
        half_width = 1.96 * gains.std(ddof=1) / np.sqrt(len(gains))
        hits, either = np.sum(shared[name], axis=0)
        use = f"{np.mean(used[name]):.2f}" if name in used else ""
        print(
            f"| {name} | {np.mean(values):.4f} | {gains.mean():+.4f} ± {half_width:.4f} | {hits / either:.4f} | {use} |"
        )
    print(f"\n{base.size} pairs, {statistics.median(times):.1f} ms a pair once the scenes are known")
    if figure:
        cv2.imwrite(str(figure), np.vstack(rows)[..., ::-1])


def main() -> None:
    """Run what is asked for."""
    cv2.setNumThreads(1)
    asked = sys.argv[1:]
    figure = next((Path(one) for one in asked if one.endswith(".png")), None)
    folder = next((Path(one) for one in asked if one != "even" and not one.endswith(".png")), None)
    with tempfile.TemporaryDirectory() as passing:
        links(0 if "even" in asked else 1, folder or Path(passing), figure)


if __name__ == "__main__":
    main()
