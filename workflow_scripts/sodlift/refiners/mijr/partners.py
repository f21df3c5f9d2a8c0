"""An image's superpixels beside their partners in a pool, as the network takes them."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from sodlift.alignment.scene import Scene
from sodlift.arrays import Image8
from sodlift.pools.similar.aligned import Aligned, AlignedSet, align
from sodlift.pools.similar.images import ImagePool
from sodlift.refiners.mijr.data import most_trusted
from sodlift.refiners.mijr.extract import Extractor
from sodlift.refiners.mijr.network import CERTAIN, Mijr, Pairs, trust_of

KEPT = 64
"""Images of the pool whose features are kept in memory, the last ones used."""


class Partners:
    """Finds the partners of images in a pool.

    Parameters
    ----------
    pool : ImagePool
        The pool.
    aligned : AlignedSet or None
        The alignment of the images to come; without one each image is aligned when it comes.
    network : Mijr
        What it knows of the pool.
    extract : Extractor
        Gives features.
    """

    def __init__(self, pool: ImagePool, aligned: AlignedSet | None, network: Mijr, extract: Extractor) -> None:
        self.pool, self.aligned, self.network, self.extract = pool, aligned, network, extract
        ends = np.cumsum([0, *pool.counts.values()])
        self._starts = dict(zip(pool.counts, ends.tolist(), strict=False))
        self._features = lru_cache(KEPT)(self._of_pool)

    def of(self, image: Image8) -> tuple[Scene, Pairs | None]:
        """Return the scene of an image (H, W, 3), and its superpixels with their partners; None without any.

        The pairs' ``base`` is 0. Raises DataError if the image is none of the aligned ones, or one of the pool is gone.
        """
        if self.aligned is not None:
            aligned = self.aligned.of_image(image)
        else:
            aligned = align(image, self.pool, torch.get_num_threads())
        return aligned.scene, self._pairs(image, aligned) if aligned.partners else None

    def _pairs(self, image: Image8, aligned: Aligned) -> Pairs:
        device = self.extract.device
        linked = most_trusted(aligned, len(self.network.classifiers))
        names = [partner.similar.stem for partner in aligned.partners]
        own = self._extracted(image, aligned.scene)
        others = [self._features(name) for name in names]
        there = linked.image >= 0

        def positions(starts: list[int]) -> Tensor:
            found = np.array(starts)[linked.image] + linked.superpixel
            return torch.from_numpy(np.where(there, found, 0)).to(device)

        local = np.cumsum([0, *map(len, others)]).tolist()[:-1]
        certain = self.network.certain[positions([self._starts[name] for name in names])]
        return Pairs(
            own=own,
            partner=torch.cat(others)[positions(local)],
            base=own.new_zeros(len(own)),
            certain=certain,
            trust=trust_of(torch.from_numpy(linked.cost).to(device), self.network.median_cost),
            valid=torch.from_numpy(there).to(device) & (certain.sum(dim=2) >= CERTAIN),
        )

    def _of_pool(self, name: str) -> Tensor:
        return self._extracted(self.pool.image(name), self.pool.scene(name))

    def _extracted(self, image: Image8, scene: Scene) -> Tensor:
        return torch.from_numpy(self.extract(image, scene.labels, scene.count)).to(self.extract.device)
