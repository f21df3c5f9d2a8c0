"""Refinement by a trained MIJR: an image's partners, the pairs that pass, the joint score, and the way to pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sodlift.alignment.scene import Scene
from sodlift.arrays import FloatMap, Image8, minmax
from sodlift.backbones import BACKBONES
from sodlift.errors import ConfigError, WeightsError
from sodlift.pools.similar.aligned import AlignedSet
from sodlift.pools.similar.images import ImagePool
from sodlift.refiners._base import Refined
from sodlift.refiners.mijr.extract import Extractor, extractor
from sodlift.refiners.mijr.network import Mijr, Pairs, build
from sodlift.refiners.mijr.options import NETWORK_OPTIONS, MijrOptions
from sodlift.refiners.mijr.partners import Partners
from sodlift.refiners.mijr.smooth import Floats, painted, retouched, weights
from sodlift.superpixels.regions import means
from sodlift.training.device import find_device
from sodlift.training.model_file import ModelFile

NOT_TRAINED = "kept prior: training had no pair of use"
ALONE = "kept prior: no similar image in the pool"
NONE_PASSED = "kept prior: no pair passed the filter"
EMPTY = "kept prior: it is empty"


class Features(NamedTuple):
    """What MIJR makes of an image before it sees a prior; serves every prior of the image.

    Attributes
    ----------
    scene : Scene
        The image's superpixels.
    pairs : Pairs or None
        Its superpixels with their partners, all but what the base map says of them; None without partners.
    smoothing : (n, n) float64
        What each superpixel's score takes of the others'.
    """

    scene: Scene
    pairs: Pairs | None
    smoothing: Floats


class Explained(NamedTuple):
    """A refined map and what led to it.

    Attributes
    ----------
    refined : Refined
        The map.
    base, scores : (n,) float64
        Mean of the prior on each superpixel, and its score before smoothing.
    passed : (n,) bool
        Which superpixels were judged anew.
    """

    refined: Refined
    base: Floats
    scores: Floats
    passed: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class MijrRefiner:
    """MIJR with its pool: ``refine`` one prior, ``refine_all`` several of an image, ``explain`` what led to a map."""

    network: Mijr
    extract: Extractor
    options: MijrOptions
    partners: Partners | None = None

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.extract.device

    def over(self, pool: Path, aligned: Path | None = None) -> "MijrRefiner":
        """Return the refiner with the pool that it was trained with.

        Parameters
        ----------
        pool : path
            The pool's folder.
        aligned : path or None
            The alignment with it of the images to come; without one each image is aligned when it comes.

        Raises
        ------
        WeightsError
            If the model was trained with another pool.
        DataError
            If a folder is none of its kind.
        """
        opened = ImagePool(pool)
        if bytes(self.network.pool.cpu().numpy()) != opened.digest:
            raise WeightsError(
                "the model was trained with another pool", where=pool, mend="name the pool of its training"
            )
        known = None if aligned is None else AlignedSet(aligned)
        return replace(self, partners=Partners(opened, known, self.network, self.extract))

    def refine(self, image: Image8, prior: FloatMap) -> Refined:
        """Refine a prior (H, W) in [0, 1] by its image (H, W, 3) uint8 RGB; no map is refused."""
        return self.refine_all(self.features(image), [prior])[0]

    def network_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the height and width that the network sees of an image of ``size``."""
        return self.options.shape

    def encode(self, images: Sequence[Image8]) -> list[Features]:
        """Return what all priors of each image share."""
        return [self.features(image) for image in images]

    def refine_all(self, features: Features, priors: Sequence[FloatMap]) -> list[Refined]:
        """Refine priors (H, W) in [0, 1] of one image; each result is what ``refine`` gives."""
        return [self.explain(features, prior).refined for prior in priors]

    def features(self, image: Image8) -> Features:
        """Return what all priors of an image (H, W, 3) uint8 RGB share; it costs nearly all of the time.

        Raises
        ------
        ConfigError
            If the refiner has no pool yet.
        DataError
            If the image is none of the aligned ones, or one of the pool's is gone.
        """
        if self.partners is None:
            raise ConfigError("MIJR needs its pool of similar images", mend="name the pool that it was trained with")
        scene, pairs = self.partners.of(image)
        return Features(scene, pairs, weights(scene, self.options.smoothing))

    def explain(self, features: Features, prior: FloatMap) -> Explained:
        """Refine one prior, and tell what led to its map."""
        full, count = features.scene.full, features.scene.count
        base = means(full, count, prior[..., None])[:, 0]
        unchanged = Explained(Refined(prior), base, base, np.zeros(count, bool))
        if features.pairs is None or not prior.any() or not int(self.network.positives):
            note = ALONE if features.pairs is None else EMPTY if not prior.any() else NOT_TRAINED
            return unchanged._replace(refined=Refined(prior, note=note))
        with torch.inference_mode():
            here = torch.from_numpy(base.astype(np.float32)).to(self.device)
            decided = self.network(features.pairs._replace(base=here))
            passed = decided.passed.any(dim=1).cpu().numpy()
            joint = torch.sigmoid(decided.joint.float()).cpu().numpy()
        if not passed.any():
            return unchanged._replace(refined=Refined(prior, note=NONE_PASSED))
        scores = np.where(passed, joint, base).astype(np.float64)
        smoothed = features.smoothing @ scores
        found = retouched(prior, base, smoothed, full) if self.options.detail else painted(smoothed, full)
        return Explained(Refined(minmax(found).astype(np.float32)), base, scores, passed)


def load(options: MijrOptions, weights: Path | None, device: str) -> MijrRefiner:
    """Load a trained MIJR, which takes its pool by ``over``; raises WeightsError for a file that does not fit."""
    if weights is None:
        raise WeightsError("MIJR needs a trained model file", mend="train it first, or name its file")
    backbone = BACKBONES.get(options.backbone)
    name, entry = backbone.choose(options.weights)
    model = ModelFile.load(weights, refiner="mijr", backbone=options.backbone, weights=name)
    model.check(options, NETWORK_OPTIONS, weights)
    network = build(options, backbone, backbone.build(entry), len(model.state["certain"]))
    model.fill(network, options, weights)
    found = find_device(device)
    network.to(found).eval()
    return MijrRefiner(network, extractor(network.backbone, entry, options.shape, found), options)
