"""Our dense CRF against pydensecrf, and its form for batches against the one for single images, on real images.

    SODLIFT_DATA=... OMP_NUM_THREADS=1 python benchmarks/densecrf.py [peer] [--images 50]
    SODLIFT_DATA=... OMP_NUM_THREADS=1 python benchmarks/densecrf.py batched [--images 50] [--device cuda] [--batch 16]

Both take images of PASCAL-S-108, spread over the set, with the authors' maps of RBD, under every preset. `peer` gives
agreement and median processor time per image, each image by both in turn; the ratio is the median of the images'
ratios. `batched` gives agreement and images a second by the clock, energies made before, each batch by both in turn,
the single images on one thread; the first batch is run once before.
"""

import argparse
import statistics
import time
from collections.abc import Sequence

import numpy as np
import torch

from sodlift.arrays import FloatMap, Image8, read_image, read_map
from sodlift.config.data_root import resolve_data_root
from sodlift.crf import batched, dense, peer
from sodlift.crf.unary import UNARIES
from sodlift.refiners.densecrf import DenseCrfOptions
from sodlift.training.device import find_device

Sample = tuple[Image8, FloatMap]
Pair = tuple[FloatMap, FloatMap]


def samples(count: int) -> list[Sample]:
    """Return so many images with their maps."""
    root = resolve_data_root({})
    images = sorted((root / "PASCAL-S-108" / "images").glob("*.jpg"))
    chosen = images[:: max(1, len(images) // count)][:count]
    maps = root / "maps" / "PASCAL-S-108" / "RBD-wCtr-author"
    return [(read_image(path), read_map(maps / f"{path.stem}.png")) for path in chosen]


def against_the_package(loaded: Sequence[Sample]) -> None:
    """Compare with pydensecrf, and time both."""
    print("| preset | label agreement | mean abs dQ | max abs dQ | ours, ms | pydensecrf, ms | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, options in DenseCrfOptions.presets().items():
        pairs, ours, theirs = list[Pair](), list[float](), list[float]()
        for image, saliency in loaded:
            energies = UNARIES[options.unary](saliency)
            start = time.process_time()
            mine = dense.infer(image, energies, options.pairwise)
            between = time.process_time()
            pairs.append((mine, peer.infer(image, energies, options.pairwise)))
            ours.append(1e3 * (between - start))
            theirs.append(1e3 * (time.process_time() - between))
        ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
        times = f"{statistics.median(ours):.0f} | {statistics.median(theirs):.0f} | {ratio:.2f}"
        print(f"| {name} | {agreement(pairs)} | {times} |", flush=True)


def of_batches(loaded: Sequence[Sample], device: torch.device, size: int) -> None:
    """Compare the form for batches with the one for single images, and time both."""
    print(f"in batches of {size} on {device}\n")
    print("| preset | label agreement | mean abs dQ | max abs dQ | batches, images/s | Numba, images/s | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, options in DenseCrfOptions.presets().items():
        pairs, ours, theirs = list[Pair](), 0.0, 0.0
        for start in range(0, len(loaded), size):
            images, maps = zip(*loaded[start : start + size], strict=True)
            energies = [UNARIES[options.unary](saliency) for saliency in maps]
            if start == 0:
                batched.infer(images, energies, options.pairwise, device)
                dense.infer(images[0], energies[0], options.pairwise)
            begun = time.perf_counter()
            found = batched.infer(images, energies, options.pairwise, device)
            between = time.perf_counter()
            alone = [dense.infer(one, u, options.pairwise) for one, u in zip(images, energies, strict=True)]
            ours, theirs = ours + between - begun, theirs + time.perf_counter() - between
            pairs += zip(found, alone, strict=True)
        speeds = f"{len(loaded) / ours:.1f} | {len(loaded) / theirs:.1f} | {theirs / ours:.2f}"
        print(f"| {name} | {agreement(pairs)} | {speeds} |", flush=True)
    if device.type == "cuda":
        print(f"\nmost memory: {torch.cuda.max_memory_allocated(device) / 2**30:.2f} GiB")


def agreement(pairs: Sequence[Pair]) -> str:
    """Return the mean share of equal labels, and the mean and largest difference, of pairs of maps."""
    labels = np.mean([((a > 0.5) == (b > 0.5)).mean() for a, b in pairs])
    differences = [np.abs(a - b) for a, b in pairs]
    return f"{labels:.6f} | {np.mean([d.mean() for d in differences]):.1e} | {max(d.max() for d in differences):.1e}"


def main() -> None:
    """Compare and time."""
    parser = argparse.ArgumentParser(description="Dense CRFs: agreement and time.")
    parser.add_argument("part", nargs="?", choices=["peer", "batched"], default="peer")
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--device", default="auto", help="of batches: auto, cpu or cuda")
    parser.add_argument("--batch", type=int, default=16)
    arguments = parser.parse_args()
    loaded = samples(arguments.images)
    print(f"{len(loaded)} images\n")
    if arguments.part == "peer":
        against_the_package(loaded)
    else:
        of_batches(loaded, find_device(arguments.device), arguments.batch)


if __name__ == "__main__":
    main()
