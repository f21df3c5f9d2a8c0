"""Speed of the priors beside other libraries: ``python benchmarks/priors.py [prior ...] [--image FILE]``.

Prints a Markdown table: milliseconds of process CPU time for one 400x300 image, one thread, the least of several runs,
and how many times as fast as each peer that is. All are timed in one process and in turns, so that whatever
else the machine does is spread over them. Reading the file is left out; everything else, SLIC included, is in.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from skimage.segmentation import slic as scikit_slic
from threadpoolctl import threadpool_limits

from sodlift.allocator import keep_freed_memory
from sodlift.arrays import FloatMap, Image8, read_image
from sodlift.errors import SodliftError
from sodlift.priors import PRIORS
from sodlift.superpixels.slic import slic

PHOTO = Path(__file__).resolve().parents[1] / "workflow_scripts/sodlift/demo/data/images/composite_001.jpg"
SIZE = (400, 300)
SLIC = "OpenCV SLIC"


def opencv_slic(image: Image8) -> None:
    """Segment with OpenCV's SLIC: cells of 22 pixels (about 250 regions), compactness 20, 10 rounds."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    superpixels = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLIC, 22, 20.0)
    superpixels.iterate(10)
    superpixels.enforceLabelConnectivity()
    superpixels.getLabels()


def peers() -> dict[str, Callable[[Image8], object]]:
    """Return what others compute on an image, by name."""
    return {
        "scikit-image SLIC": partial(scikit_slic, n_segments=250, compactness=20, max_num_iter=10, start_label=0),
        SLIC: opencv_slic,
        "OpenCV spectral residual": cv2.saliency.StaticSaliencySpectralResidual.create().computeSaliency,
        "OpenCV fine grained": cv2.saliency.StaticSaliencyFineGrained.create().computeSaliency,
    }


def _with_defaults(name: str, image: Image8) -> FloatMap:
    prior = PRIORS.get(name)
    return prior.compute(image, prior.params())


def ours(names: list[str], image: Image8) -> dict[str, Callable[[Image8], object]]:
    """Return the priors by name, less those that need what no parameter has by default, such as a model."""
    found: dict[str, Callable[[Image8], object]] = {}
    for name in names:
        function = partial(_with_defaults, name)
        try:
            function(image)
        except SodliftError as error:
            print(f"`{name}` is left out: {error.what}\n")
            continue
        found[name] = function
    return found


def least(
    functions: dict[str, Callable[[Image8], object]], image: Image8, runs: int, seconds: float
) -> dict[str, float]:
    """Return the least CPU milliseconds of each function over ``runs`` turns; slow ones stop after ``seconds``."""
    best = dict.fromkeys(functions, np.inf)
    spent = dict.fromkeys(functions, 0.0)
    for turn in range(runs):
        for name, function in functions.items():
            if turn and spent[name] > seconds:
                continue
            start = time.process_time()
            function(image)
            took = time.process_time() - start
            spent[name] += took
            best[name] = min(best[name], 1e3 * took)
    return best


def main() -> None:
    """Print the table for the priors named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Time priors beside their peers.")
    parser.add_argument("priors", nargs="*", default=PRIORS.names(), metavar="prior")
    parser.add_argument(
        "--image", type=Path, default=PHOTO, help="a photograph, scaled to 400x300 (default: a demo image)"
    )
    parser.add_argument("--runs", type=int, default=20, help="turns; the least time counts")
    parser.add_argument("--seconds", type=float, default=10, help="CPU time after which a slow one has no more turns")
    arguments = parser.parse_args()
    image = np.asarray(cv2.resize(read_image(arguments.image), SIZE, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    keep_freed_memory()  # as the batch does
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        others = peers()
        for function in others.values():  # what is loaded or compiled at the first call is not timed
            function(image)
        mine = {"slic (250)": lambda image: slic(image, 250)} | ours(arguments.priors, image)
        times = least(others | mine, image, arguments.runs, arguments.seconds)
    print(f"| | ms | {' | '.join(f'faster than {name}' for name in others)} |")
    print(f"|---|---:|{'---:|' * len(others)}")
    for name, took in times.items():
        ratios = [f"{times[other] / took:.3g}x" for other in others]
        print(f"| {name if name in others else f'`{name}`'} | {took:.2f} | {' | '.join(ratios)} |")


if __name__ == "__main__":
    main()
