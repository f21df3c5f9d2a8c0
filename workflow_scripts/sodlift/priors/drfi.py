"""DRFI: discriminative regional feature integration, a forest that scores the regions of many segmentations.

Source: H. Jiang, J. Wang, Z. Yuan, Y. Wu, N. Zheng, S. Li, "Salient Object Detection: A Discriminative Regional Feature
Integration Approach", CVPR 2013. The only prior that is trained: see ``sodlift.priors._drfi_training``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sodlift.arrays import FloatMap, Image8, resize
from sodlift.errors import ConfigError
from sodlift.priors._base import Learning, Prior
from sodlift.priors._drfi_model import HOW_TO_TRAIN, DrfiModel, load_model
from sodlift.priors._drfi_regions import RegionParams, levels
from sodlift.priors._drfi_training import TrainingParams, train_drfi
from sodlift.priors._stretch import unit
from sodlift.superpixels.regions import to_pixels

FEATURE_SETTINGS = ("side", "strip", "reach")
"""Parameters on which the meaning of a feature depends; the segmentations may differ from those of the training."""


@dataclass(frozen=True)
class DrfiParams(RegionParams):
    """Parameters of DRFI, at the reference's values: those of its regions and two more.

    Attributes
    ----------
    model : Path, optional
        File of the trained forest. There is no default: without one, ``compute`` raises a ConfigError.
    gain : float
        Exponent that spreads high scores apart before levels are averaged.
    """

    model: Path | None = None
    gain: float = 1.25


def compute(image: Image8, params: DrfiParams) -> FloatMap:
    """Return the DRFI map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out.

    Raises
    ------
    ConfigError
        If no model is given, or its features are not those of ``params``.
    WeightsError
        If the model file is missing or broken.
    """
    return _fused(_level_maps(image, params), image)


def steps(image: Image8, params: DrfiParams) -> Mapping[str, FloatMap]:
    """Return the maps of a fine, a medium and a coarse segmentation, and their average over all: each (H, W)."""
    maps = _level_maps(image, params)
    shown = {"finest level": maps[0], "middle level": maps[len(maps) // 2], "coarsest level": maps[-1]}
    return {name: resize(each, image.shape[:2]) for name, each in shown.items()} | {"all levels": _fused(maps, image)}


def _level_maps(image: Image8, params: DrfiParams) -> list[FloatMap]:
    """Return the map of each segmentation, at the working size."""
    model, found = _model(params), levels(image, params)
    # (1) the forest's scores of all regions (section 4.3); at once, so that each tree is fetched from memory once
    scores = model.forest.predict(np.concatenate([level.features for level in found]))
    parts = np.split(scores, np.cumsum([len(level.features) for level in found])[:-1])
    # (2) within a level stretched, spread by exp(1.25 s) and stretched again
    spread = [unit(np.exp(params.gain * unit(part))) for part in parts]
    return [to_pixels(level.labels, values) for level, values in zip(found, spread, strict=True)]


def _fused(maps: list[FloatMap], image: Image8) -> FloatMap:
    # (3) the average of all levels (section 3, eq. 2, with equal weights)
    return unit(resize(np.mean(maps, axis=0), image.shape[:2]))


def _model(params: DrfiParams) -> DrfiModel:
    if params.model is None:
        raise ConfigError(
            "DRFI needs a trained model",
            where="params.model",
            expected="the path of a model file",
            mend=HOW_TO_TRAIN,
        )
    model = load_model(params.model)
    trained = {name: model.record["region"][name] for name in FEATURE_SETTINGS}
    asked = {name: getattr(params, name) for name in FEATURE_SETTINGS}
    if trained != asked:
        raise ConfigError(
            f"the model's features are of {trained}, those asked for of {asked}",
            where=params.model,
            mend="train a model with these parameters, or leave them at their defaults",
        )
    return model


def seen(params: DrfiParams) -> frozenset[str]:
    """Return the SHA-256 of every image that the model was trained on; raises ConfigError or WeightsError."""
    return frozenset(image for _, _, image, _ in _model(params).record["images"])


PRIOR = Prior("DRFI", "Jiang et al., CVPR 2013", DrfiParams, compute, steps, Learning(TrainingParams, train_drfi, seen))
