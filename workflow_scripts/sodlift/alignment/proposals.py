"""Boxes that may hold an object: EdgeBoxes (Zitnick and Dollár, ECCV 2014), and MIJR's choice among them."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from sodlift.alignment.edges import edges
from sodlift.arrays import Image8

Boxes = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]

PROPOSALS, CHOSEN = 1000, 100
"""How many boxes MIJR takes from EdgeBoxes, and how many it keeps (Sec. III-B)."""


class Proposals(NamedTuple):
    """Boxes, best first.

    Attributes
    ----------
    boxes : (n, 4) int32
        Left and top pixel, from 0, and width and height; all within the image.
    scores : (n,) float32
        Above 0.
    """

    boxes: Boxes
    scores: Scores

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """Their middles (n, 2), x and y."""
        return np.asarray(self.boxes[:, :2] + self.boxes[:, 2:] / 2)


def edge_boxes(image: Image8, count: int = PROPOSALS) -> Proposals:
    """Return at most ``count`` boxes of an image (H, W, 3) uint8; none where it has no edges.

    OpenCV's engine on the ridges of the colour gradient, in place of the authors' learnt edges.
    """
    height, width = image.shape[:2]
    found = edges(image)
    # A new one for every image: OpenCV's keeps parts of the last image's edges.
    engine = cv2.ximgproc.createEdgeBoxes(alpha=0.65, beta=0.75, eta=1.0, minScore=0.01, maxBoxes=count)
    boxes, scores = engine.getBoundingBoxes(found.strength, found.orientation)
    if len(boxes) == 0:
        return Proposals(np.empty((0, 4), np.int32), np.empty(0, np.float32))
    made = np.array(boxes, dtype=np.int32).reshape(-1, 4)
    made[:, :2] -= 1  # OpenCV counts from 1
    made[:, :2] = np.clip(made[:, :2], 0, (width - 1, height - 1))
    made[:, 2:] = np.clip(made[:, 2:], 1, (width, height) - made[:, :2])
    order = np.argsort(-np.asarray(scores).ravel(), kind="stable")[:count]
    return Proposals(made[order], np.asarray(scores, dtype=np.float32).ravel()[order])


def choose(proposals: Proposals, size: tuple[int, int], count: int = CHOSEN) -> Proposals:
    """Return ``count`` boxes that score high and lie far apart (MIJR, Eq. 4), in the order of choice.

    The sum of scores plus the sum of distances between all pairs of centres is made large, one box at a time from the
    best one on. Scores are divided by the best, distances by the diagonal of the image of ``size`` (H, W) and by the
    number of boxes chosen so far: the paper gives no units, and a plain sum would soon be one of distances alone.
    """
    if len(proposals.boxes) <= count:
        return proposals
    centres, diagonal = proposals.centres, float(np.hypot(*size))
    worth = proposals.scores / proposals.scores.max()
    apart, taken = np.zeros(len(centres)), [int(np.argmax(worth))]
    free = np.ones(len(centres), bool)
    while len(taken) < count:
        free[taken[-1]] = False
        apart += np.linalg.norm(centres - centres[taken[-1]], axis=1) / diagonal
        taken.append(int(np.argmax(np.where(free, worth + apart / len(taken), -np.inf))))
    return Proposals(proposals.boxes[taken], proposals.scores[taken])
