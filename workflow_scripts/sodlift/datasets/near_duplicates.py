"""Near-identical images within and across data sets, so that training on what is tested does not go unseen.

An image copied into another data set is rarely the same file: it was scaled, compressed again, made a little brighter
or mirrored. Each image is reduced to a grey thumbnail and that to a perceptual hash; images whose hashes are close are
compared a second time, on their thumbnails. A cropped copy is not found, nor one that was turned or drawn upon.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from sodlift.arrays import Image8, read_image
from sodlift.datasets.manifest import Manifest
from sodlift.parallel import ordered_map
from sodlift.progress import track
from sodlift.registry import unknown_name

Hashes = npt.NDArray[np.uint64]

SIDE = 64
"""Height and width of a thumbnail, in pixels."""

DISTANCE = 10
"""Bits, of 64, in which the hashes of two copies may differ.

Of 20,536 copies made of the 1,208 images of ECSSD, SED2 and PASCAL-S-108 (JPEG quality 50 to 95, scaled by 0.5 to 1.5
or to 256 and 400 pixels, squashed, 10 % brighter or darker, other hues, all at once, mirrored) 99.98 % lie within 10
bits and all within 13. Of the 1,458,056 comparisons of the images with each other, as stored and mirrored, three lie
within 10 bits, one of them a true copy. ``pytest -rP tests/data/test_leakage_at_hand.py`` measures these comparisons
anew, and 13 kinds of copy of every fourth image.
"""

CORRELATION = 0.95
"""Least correlation of the thumbnails of two copies.

Both thresholds together lose 6 of those 20,536 copies, such as one of a white scene bleached by brightening. No two
images that are not copies exceed 0.80 where their hashes are within 10 bits, or 0.88 whatever their hashes are.
"""

COLUMNS = ("dataset_a", "stem_a", "dataset_b", "stem_b", "bits", "correlation", "mirrored")

_TYPES = {"stem_a": str, "stem_b": str, "bits": np.int64, "correlation": np.float64, "mirrored": np.bool_}

_AT_ONCE = 1 << 22
"""Pairs of hashes compared at once: 32 MiB for each array of words."""


def thumbnails(files: Sequence[Path], workers: int = 1, progress: bool = False) -> Image8:
    """Reduce each image to a grey thumbnail by area averaging; proportions are not kept.

    Parameters
    ----------
    files : sequence of Path
        Images; decoding them is nearly all the work.
    workers : int
        Number of processes.
    progress : bool
        Show a progress bar.

    Returns
    -------
    (N, 64, 64) uint8
        In the order of ``files``: 4 KiB an image.

    Raises
    ------
    DataError
        If a file is missing or broken; it is named.
    """
    found = ordered_map(_thumbnail_of, files, workers, preload=[__name__])
    small = list(track(found, "thumbnails", total=len(files)) if progress else found)
    return np.stack(small) if small else np.empty((0, SIDE, SIDE), np.uint8)


def thumbnail(image: Image8) -> Image8:
    """Reduce one image (H, W, 3) RGB, as ``thumbnails`` does files, to (64, 64) uint8."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def fingerprints(small: Image8) -> Hashes:
    """Return the perceptual hash of each thumbnail, as stored and mirrored left to right.

    The hash is OpenCV's PHash: the signs, about their mean, of the 8 x 8 lowest frequencies of a cosine transform
    (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010).

    Parameters
    ----------
    small : (N, 64, 64) uint8
        Thumbnails.

    Returns
    -------
    (N, 2) uint64
        Column 0 the image's hash, column 1 that of its mirrored image.
    """
    hasher = cv2.img_hash.PHash.create()
    words = [hasher.compute(np.ascontiguousarray(view)) for image in small for view in (image, image[:, ::-1])]
    return np.array(words, np.uint8).reshape(-1, 2, 8).view(np.uint64)[..., 0]


def near_duplicates(a: Hashes, b: Hashes, distance: int = DISTANCE) -> list[tuple[int, int, int]]:
    """Return every pair of hashes that differ in at most ``distance`` bits: all pairs are compared, none is guessed.

    Memory does not grow with the number of pairs that are compared.

    Parameters
    ----------
    a, b : (N,), (M,) uint64
        Hashes.
    distance : int
        Bits, 0 to 64.

    Returns
    -------
    list of (i, j, bits)
        Positions in ``a`` and in ``b``, sorted, and the bits that differ.
    """
    rows = max(1, _AT_ONCE // max(1, len(b)))
    pairs: list[tuple[int, int, int]] = []
    for start in range(0, len(a), rows):
        bits = np.bitwise_count(a[start : start + rows, None] ^ b)
        i, j = np.nonzero(bits <= distance)
        pairs += zip((i + start).tolist(), j.tolist(), bits[i, j].tolist(), strict=True)
    return pairs


def correlation(a: Image8, b: Image8) -> float:
    """Return the Pearson correlation of two thumbnails (H, W) uint8, in [-1, 1].

    Where one is of a single grey it is undefined: 1 if both are the same, else 0.
    """
    x, y = (image - image.mean() for image in (a, b))
    scale = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum()) / scale if scale else float(np.array_equal(a, b))


def copies(
    small: Image8, distance: int = DISTANCE, least: float = CORRELATION
) -> dict[tuple[int, int], tuple[int, float, bool]]:
    """Return which of some thumbnails are copies of each other.

    Parameters
    ----------
    small : (N, 64, 64) uint8
        Thumbnails.
    distance, least
        As ``leakage`` takes them.

    Returns
    -------
    dict of (i, j) to (bits, correlation, mirrored)
        By positions i < j, sorted: the bits that differ and the correlation, read as the two agree better: as stored,
        or one of them mirrored.
    """
    hashes = fingerprints(small)
    found: dict[tuple[int, int], tuple[int, float, bool]] = {}
    for mirrored, views in enumerate((small, small[:, :, ::-1])):
        for i, j, bits in near_duplicates(hashes[:, 0], hashes[:, mirrored], distance):
            if i < j and (agreement := correlation(small[i], views[j])) >= least:
                known = found.get((i, j))
                if known is None or agreement > known[1]:
                    found[i, j] = (bits, agreement, bool(mirrored))
    return dict(sorted(found.items()))


def leakage(
    sets: Mapping[str, Manifest],
    workers: int = 1,
    progress: bool = False,
    distance: int = DISTANCE,
    least: float = CORRELATION,
) -> pd.DataFrame:
    """Return the near-identical images within each data set and between any two.

    The order of ``sets`` and the number of workers change nothing.

    Parameters
    ----------
    sets : mapping of str to Manifest
        Data sets by name.
    workers, progress
        As ``thumbnails`` takes them.
    distance : int
        Bits in which the hashes of two copies may differ, 0 to 64.
    least : float
        Correlation of their thumbnails that two copies must reach, in [-1, 1].

    Returns
    -------
    DataFrame
        A row a pair, each pair once, sorted: ``dataset_a``, ``stem_a``, ``dataset_b``, ``stem_b`` (the categories of
        both columns of data sets are all that were compared), ``bits`` that differ, ``correlation``, and whether one
        image is the other ``mirrored``.

    Raises
    ------
    DataError
        If an image is missing or broken; it is named.
    """
    entries = [(name, entry) for name in sorted(sets) for entry in sets[name].entries]
    small = thumbnails([entry.image for _, entry in entries], workers, progress)
    rows = [
        (entries[i][0], entries[i][1].stem, entries[j][0], entries[j][1].stem, *proof)
        for (i, j), proof in copies(small, distance, least).items()
    ]
    names = pd.CategoricalDtype(sorted(sets))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"dataset_a": names, "dataset_b": names, **_TYPES})


def leakage_table(pairs: pd.DataFrame, train: Sequence[str], test: Sequence[str]) -> str:
    """Return as Markdown how many images of each test set (column) each training set (row) holds too.

    Where both are one set, the images are counted that it holds more than once.

    Parameters
    ----------
    pairs : DataFrame
        What ``leakage`` returned.
    train, test : sequence of str
        Names of data sets, in the order of rows and of columns.

    Raises
    ------
    UnknownNameError
        If a data set is named that was not compared: its count would be a 0 that nobody measured.
    """
    compared = pairs["dataset_a"].cat.categories
    for name in (*train, *test):
        if name not in compared:
            raise unknown_name("data set in the comparison", name, compared)
    swapped = pairs.rename(
        columns={"dataset_a": "dataset_b", "dataset_b": "dataset_a", "stem_a": "stem_b", "stem_b": "stem_a"}
    )
    both = pd.concat([pairs, swapped])
    lines = [f"| trained on | {' | '.join(test)} |", f"|---|{'---:|' * len(test)}"]
    for row in train:
        held = both[both["dataset_a"] == row]
        counts = (held.loc[held["dataset_b"] == column, "stem_b"].nunique() for column in test)
        lines.append(f"| {row} | {' | '.join(map(str, counts))} |")
    return "\n".join([*lines, ""])


def _thumbnail_of(file: Path) -> Image8:
    return thumbnail(read_image(file))
