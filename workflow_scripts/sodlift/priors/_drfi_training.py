"""Training of DRFI on images with masks.

Source: H. Jiang, J. Wang, Z. Yuan, Y. Wu, N. Zheng, S. Li, "Salient Object Detection: A Discriminative Regional Feature
Integration Approach", CVPR 2013, section 5.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from sodlift.arrays import Image8, Mask, read_image, read_mask, resize
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.errors import DataError
from sodlift.parallel import ordered_map
from sodlift.priors._drfi_features import FEATURES
from sodlift.priors._drfi_model import DrfiModel
from sodlift.priors._drfi_regions import RegionParams, levels, working_size
from sodlift.priors._forest import grow
from sodlift.progress import track

Samples = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class TrainingParams:
    """Parameters of the training.

    Attributes
    ----------
    trees : int
        Trees of the forest.
    tried : int
        Features drawn for each split.
    drawn : int
        Regions drawn, with replacement, for each tree.
    smallest_leaf : int
        Fewest regions of a leaf.
    purity : float
        A region is an example if at least this share of its pixels is salient, or is not.
    """

    trees: int = 200
    tried: int = 15
    drawn: int = 50_000
    smallest_leaf: int = 5
    purity: float = 0.75


def train_drfi(
    manifests: Sequence[Manifest],
    regions: RegionParams | None = None,
    training: TrainingParams | None = None,
    seed: int = 0,
    workers: int = 1,
) -> DrfiModel:
    """Train DRFI on the images with masks of one or several data sets.

    Parameters
    ----------
    manifests : sequence of Manifest
        The training images; never those that are tested on. Progress is shown while they are described.
    regions : RegionParams, optional
        Segmentations and features.
    training : TrainingParams, optional
        Choice of examples, and the forest.
    seed : int
        Seed of the forest.
    workers : int
        Processes; the model is the same, bit for bit, whatever their number.

    Raises
    ------
    DataError
        If an image has no mask, or the regions are all salient or all not.
    MissingDependencyError
        If scikit-learn is not installed.
    """
    regions, training = regions or RegionParams(), training or TrainingParams()
    entries = [entry for manifest in manifests for entry in manifest.entries]
    bare = [entry.image for entry in entries if entry.mask is None]
    if bare:
        raise DataError("training image without a mask", where=bare[0], mend="leave it out of the manifest")
    names = [manifest.dataset for manifest in manifests]
    found = ordered_map(partial(_read_examples, regions, training.purity), entries, workers, preload=[__name__])
    parts = list(track(found, f"regions of {', '.join(names)}", total=len(entries)))
    samples, targets = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if not 0 < targets.sum() < len(targets):
        raise DataError("training regions are all salient or all not", expected="masks that show objects")
    settings = asdict(training)
    del settings["purity"]
    forest = grow(samples, targets, **settings, seed=seed, workers=workers)
    images = [(m.dataset, entry.stem, entry.image_sha256, entry.mask_sha256) for m in manifests for entry in m.entries]
    record: dict[str, Any] = {
        "datasets": names,
        "images": images,
        "images_sha256": sha256("".join("\t".join(row) + "\n" for row in images).encode()).hexdigest(),
        "regions": len(targets),
        "region": {field.name: getattr(regions, field.name) for field in fields(RegionParams)},
        "training": asdict(training),
        "seed": seed,
    }
    return DrfiModel(forest, record)


def examples(image: Image8, mask: Mask, regions: RegionParams, purity: float) -> Samples:
    """Return the features (N, 93) float32 of an image's clear regions, and which are salient: (N,) float32 of 0 and 1.

    Clear is a region of whose pixels at least the share ``purity`` are salient, or are not.
    """
    truth = resize(mask.astype(np.float32), working_size((mask.shape[0], mask.shape[1]), regions.side), "nearest")
    features, targets = [np.empty((0, FEATURES), np.float32)], [np.empty(0, np.float32)]
    for level in levels(image, regions):
        names = level.labels.ravel()
        salient = np.bincount(names, truth.ravel(), len(level.features)) / np.bincount(names)
        clear = np.maximum(salient, 1 - salient) >= purity
        features.append(level.features[clear])
        targets.append((salient[clear] > 0.5).astype(np.float32))
    return np.concatenate(features), np.concatenate(targets)


def _read_examples(regions: RegionParams, purity: float, entry: Entry) -> Samples:
    assert entry.mask is not None
    return examples(read_image(entry.image), read_mask(entry.mask), regions, purity)
