"""What MIJR costs an image, part by part: ``python benchmarks/mijr.py M.pt POOL IMAGES PRIORS [--threads 2]``.

``M.pt`` is a trained model, ``POOL`` its pool, ``IMAGES`` and ``PRIORS`` folders with files of the same stems. Images
are spread evenly over the folder and each is aligned as it comes, as for a user without a workflow. Told are the
medians over images of wall time and of processor time, in ms; the parts of a flow's partners run on all threads.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch

from sodlift.alignment.linking import link
from sodlift.alignment.retrieval import describe
from sodlift.alignment.scene import scene
from sodlift.alignment.sift_flow import sift_flow
from sodlift.arrays import read_image, read_map, resize
from sodlift.inference.model import load_model
from sodlift.pools.similar.aligned import align
from sodlift.refiners.mijr.refine import MijrRefiner

T = TypeVar("T")


class Clock:
    """Adds up what each part takes of an image."""

    def __init__(self) -> None:
        self.taken: dict[str, list[tuple[float, float]]] = {}

    def time(self, part: str, work: Callable[..., T], *given: Any) -> T:
        """Return ``work(*given)``, its time noted under the name of the part."""
        wall, processor = time.perf_counter(), time.process_time()
        found = work(*given)
        self.taken.setdefault(part, []).append((time.perf_counter() - wall, time.process_time() - processor))
        return found

    def table(self) -> str:
        """Return the medians as a table in Markdown."""
        rows = [f"| {part} | {_median(times, 0)} | {_median(times, 1)} |" for part, times in self.taken.items()]
        return "\n".join(["| part | wall, ms | processor, ms |", "|---|---:|---:|", *rows])


def _median(times: list[tuple[float, float]], which: int) -> str:
    return f"{1000 * float(np.median([one[which] for one in times])):.0f}"


def whole(refiner: MijrRefiner, files: list[Path], priors: Path, clock: Clock) -> None:
    """Refine each image as a user does, with the prior of its stem."""
    for file in files:
        image = read_image(file)
        prior = resize(read_map(priors / f"{file.stem}.png"), (image.shape[0], image.shape[1]), "lanczos")
        features = clock.time("all that priors share", refiner.features, image)
        clock.time("one prior", refiner.refine_all, features, [prior])


def parts(refiner: MijrRefiner, files: list[Path], clock: Clock) -> None:
    """Time the parts of what priors share."""
    assert refiner.partners is not None
    pool, threads = refiner.partners.pool, torch.get_num_threads()
    options = pool.options
    for file in files:
        image = read_image(file)
        descriptor = clock.time("GIST and HOG", describe, image)
        near = clock.time("retrieval", pool.retrieval.nearest, descriptor, options.partners)
        here = clock.time("superpixels and boxes", scene, image, options.superpixels)
        sift = clock.time("dense SIFT", here.describe)
        other = pool.scene(near[0].stem)
        matched = clock.time("one SIFT flow", sift_flow, sift, other.describe(), options.flow)
        clock.time("one partner linked", link, here, other, matched, options.link)
        clock.time("the whole alignment", align, image, pool, threads)
        clock.time("features of an image", refiner.extract, image, here.labels, here.count)


def main() -> None:
    """Print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "pool", "images", "priors"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    refiner = cast(MijrRefiner, cast(Any, load_model(arguments.model, "cpu", pool=arguments.pool)))
    files = sorted(arguments.images.glob("*.[jp][pn]g"))
    chosen = files[:: max(1, len(files) // arguments.count)][: arguments.count]
    for clock in (Clock(), told := Clock()):  # the first time compiled code is loaded and the pool's scenes are read
        whole(refiner, chosen, arguments.priors, clock)
        parts(refiner, chosen, clock)
    print(f"{len(chosen)} images, {arguments.threads} threads\n\n{told.table()}")


if __name__ == "__main__":
    main()
