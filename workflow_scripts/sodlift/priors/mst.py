"""MST: minimum barrier distances to the border along a minimum spanning tree, and dissimilarity from the border.

Source: W.-C. Tu, S. He, Q. Yang, S.-Y. Chien, "Real-Time Salient Object Detection with a Minimum Spanning Tree",
CVPR 2016.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.arrays import FloatMap, Image8, Mask, resize
from sodlift.priors._base import Prior
from sodlift.priors._frame import Box, frame_box
from sodlift.priors._morphology import open_close
from sodlift.priors._otsu import otsu
from sodlift.priors._stretch import unit
from sodlift.priors._tree import spanning_tree, tree_barrier
from sodlift.superpixels.kmeans import kmeans


@dataclass(frozen=True)
class MstParams:
    """Parameters of MST.

    Attributes
    ----------
    side : int
        Longer side of the working image, in pixels.
    remove_frame : bool
        Look for an artificial frame and leave it out.
    clusters : int
        Clusters K of the border's colours.
    regularisation : float
        Added to the diagonal of a cluster's colour covariance, in squared 8-bit CIELAB levels.
    smoothing : float
        Width of the morphological smoothing at a mean saliency of 1; grows with the square root of the mean.
    gain : float
        Slope of the contrast sigmoid, whose centre is Otsu's threshold.
    """

    side: int = 300
    remove_frame: bool = True
    clusters: int = 3
    regularisation: float = 50.0
    smoothing: float = 50.0
    gain: float = 10.0


def tree_distance(rgb: Image8) -> FloatMap:
    """Return the barrier distances of an image (H, W, 3) uint8 to its border along its tree: (H, W) in [0, 1]."""
    # (1) minimum spanning tree of the 4-connected pixels, an edge weighing max_c |I_c(u) - I_c(v)|
    tree, seeds = spanning_tree(rgb), _ring(*rgb.shape[:2])
    # (2) D_c(v): least over the border pixels s of (highest - lowest value of channel c on the tree's path from v to s)
    distances = [tree_barrier(np.asarray(channel, dtype=np.uint8), seeds, tree) for channel in cv2.split(rgb)]
    # (3) D = max_c D_c, the norm in which the edges are weighed
    return unit(np.max(distances, axis=0).astype(np.float32))


def border_dissimilarity(rgb: Image8, params: MstParams) -> FloatMap:
    """Return how far the colours of an image (H, W, 3) uint8 are from all of its border's: (H, W) in [0, 1].

    Reaches objects that touch the border, which no distance along paths does.
    """
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), dtype=np.uint8)
    border = lab[_ring(*lab.shape[:2])].astype(np.float64)
    # (4) K clusters of the border's colours; they start from the middle colours of K equal ranges of lightness
    by_lightness = border[np.argsort(border[:, 0], kind="stable")]
    middles = (np.arange(params.clusters) + 0.5) * len(border) / params.clusters
    labels, centres = kmeans(border, by_lightness[middles.astype(int)])
    # (5) B = min_k of the Mahalanobis distance to cluster k, sqrt((x - μ_k)ᵀ Σ_k⁻¹ (x - μ_k)); Σ_k⁻¹ = Wᵀ W
    planes = np.stack(cv2.split(lab))
    nearest = np.full(lab.shape[:2], np.inf, np.float32)
    for k in np.unique(labels):
        whitening = _whitening(border[labels == k] - centres[k], params.regularisation)
        _nearest(planes, centres[k].astype(np.float32), whitening, nearest)
    return unit(np.sqrt(nearest))


def _parts(rgb: Image8, params: MstParams) -> dict[str, FloatMap]:
    """Return the maps that lead to the saliency of a working image (H, W, 3), and at last that: each (H, W)."""
    distance, dissimilarity = tree_distance(rgb), border_dissimilarity(rgb, params)
    # (6) S = D + B, weighed down towards the border
    total = unit(distance + dissimilarity)
    centred = unit(total * _centredness(*total.shape))
    # (7) opening and closing by reconstruction on 8 bits, its width 50·sqrt(mean)
    size = max(3, int(params.smoothing * float(centred.mean()) ** 0.5))
    smooth = unit(open_close(np.rint(centred * 255).astype(np.uint8), size))
    # (8) contrast 1 / (1 + exp(-10·(S - τ))), τ by Otsu
    contrast = unit(1 / (1 + np.exp(-params.gain * (smooth - np.float32(otsu(smooth))))))
    return {
        "tree distance": distance,
        "border dissimilarity": dissimilarity,
        "sum": total,
        "centred": centred,
        "smooth": smooth,
        "map": contrast,
    }


@dataclass(frozen=True)
class _Working:
    """The working image and where it comes from."""

    rgb: Image8
    box: Box
    size: tuple[int, int]
    full: tuple[int, int]

    @classmethod
    def of(cls, image: Image8, params: MstParams) -> "_Working":
        """Resize an image (H, W, 3) and leave its frame out."""
        height, width = image.shape[:2]
        scale = params.side / max(height, width)
        size = (max(1, int(height * scale)), max(1, int(width * scale)))
        small = np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA), dtype=np.uint8)
        box = frame_box(small) if params.remove_frame else (slice(0, size[0]), slice(0, size[1]))
        return cls(np.ascontiguousarray(small[box]), box, size, (height, width))

    def restore(self, part: FloatMap) -> FloatMap:
        """Return a map of the working image at the image's size, stretched to [0, 1]; zero in the frame."""
        out = np.zeros(self.size, np.float32)
        out[self.box] = part
        # bilinear: a cubic filter overshoots, and the stretch would then lift the background
        return unit(resize(out, self.full))


def compute(image: Image8, params: MstParams) -> FloatMap:
    """Return the MST map of an image (H, W, 3) uint8 RGB: (H, W) float32 in [0, 1], zero where nothing stands out."""
    working = _Working.of(image, params)
    return working.restore(_parts(working.rgb, params)["map"])


def steps(image: Image8, params: MstParams) -> dict[str, FloatMap]:
    """Return the maps that an image (H, W, 3) uint8 RGB passes through, and at last that of ``compute``."""
    working = _Working.of(image, params)
    return {name: working.restore(part) for name, part in _parts(working.rgb, params).items()}


@lru_cache(maxsize=8)
def _ring(height: int, width: int) -> Mask:
    """Return the outermost pixels: (height, width) bool."""
    ring = np.ones((height, width), bool)
    ring[1:-1, 1:-1] = False
    return ring


@lru_cache(maxsize=8)
def _centredness(height: int, width: int) -> FloatMap:
    """Return 1 at the centre, falling linearly to 0 at the corners, both sides taken as equally long."""
    y, x = ((np.arange(n, dtype=np.float32) + np.float32(0.5)) / n - np.float32(0.5) for n in (height, width))
    return 1 - unit(np.hypot(y[:, None], x[None, :]))


def _whitening(offsets: npt.NDArray[np.float64], regularisation: float) -> npt.NDArray[np.float32]:
    """Return W with Wᵀ W = Σ⁻¹ of offsets (N, 3) from their mean: (3, 3) float32."""
    covariance = np.einsum("ni,nj->ij", offsets, offsets) / len(offsets)
    values, vectors = np.linalg.eigh(covariance + regularisation * np.eye(3))
    return np.asarray((vectors / np.sqrt(values)).T, dtype=np.float32)


@njit(cache=True)
def _nearest(planes, centre, whitening, out):  # type: ignore[no-untyped-def]
    """Lower ``out`` (H, W) to the squared Mahalanobis distances of planes (3, H, W) from one centre."""
    for y in range(out.shape[0]):
        first, second, third, row = planes[0, y], planes[1, y], planes[2, y], out[y]
        for x in range(out.shape[1]):
            a, b, c = (
                np.float32(first[x]) - centre[0],
                np.float32(second[x]) - centre[1],
                np.float32(third[x]) - centre[2],
            )
            u = whitening[0, 0] * a + whitening[0, 1] * b + whitening[0, 2] * c
            v = whitening[1, 0] * a + whitening[1, 1] * b + whitening[1, 2] * c
            w = whitening[2, 0] * a + whitening[2, 1] * b + whitening[2, 2] * c
            row[x] = min(row[x], u * u + v * v + w * w)


PRIOR = Prior("MST", "Tu et al., CVPR 2016", MstParams, compute, steps)
