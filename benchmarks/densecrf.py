"""Our dense CRF against pydensecrf: agreement and time, under every preset, on real images and maps.

    SODLIFT_DATA=... OMP_NUM_THREADS=1 python benchmarks/densecrf.py [IMAGES]

IMAGES images of PASCAL-S-108 (50), spread over the set, with the authors' maps of RBD. Times are medians of processor
time per image, each image by both in turn; the ratio is the median of the images' ratios.
"""

import statistics
import sys
import time

import numpy as np

from sodlift.arrays import FloatMap, Image8, read_image, read_map
from sodlift.config.data_root import resolve_data_root
from sodlift.crf import dense, peer
from sodlift.crf.unary import UNARIES
from sodlift.refiners.densecrf import DenseCrfOptions


def samples(count: int) -> list[tuple[Image8, FloatMap]]:
    """Return so many images with their maps."""
    root = resolve_data_root({})
    images = sorted((root / "PASCAL-S-108" / "images").glob("*.jpg"))
    chosen = images[:: max(1, len(images) // count)][:count]
    maps = root / "maps" / "PASCAL-S-108" / "RBD-wCtr-author"
    return [(read_image(path), read_map(maps / f"{path.stem}.png")) for path in chosen]


def main() -> None:
    """Compare and time."""
    loaded = samples(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
    print(f"{len(loaded)} images\n")
    print("| preset | label agreement | mean abs dQ | max abs dQ | ours, ms | pydensecrf, ms | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, options in DenseCrfOptions.presets().items():
        agreement, mean, most, ours, theirs = [], [], [], [], []
        for image, saliency in loaded:
            energies = UNARIES[options.unary](saliency)
            start = time.process_time()
            mine = dense.infer(image, energies, options.pairwise)
            between = time.process_time()
            other = peer.infer(image, energies, options.pairwise)
            ours.append(1e3 * (between - start))
            theirs.append(1e3 * (time.process_time() - between))
            difference = np.abs(mine - other)
            agreement.append(((mine > 0.5) == (other > 0.5)).mean())
            mean.append(difference.mean())
            most.append(difference.max())
        ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
        print(
            f"| {name} | {np.mean(agreement):.6f} | {np.mean(mean):.1e} | {max(most):.1e} "
            f"| {statistics.median(ours):.0f} | {statistics.median(theirs):.0f} | {ratio:.2f} |"
        )


if __name__ == "__main__":
    main()
