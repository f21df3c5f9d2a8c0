"""Edges and proposals: what they find on drawn images, and on none."""

import cv2
import numpy as np
import pytest

from sodlift.alignment.edges import edges
from sodlift.alignment.proposals import Proposals, choose, edge_boxes
from sodlift.arrays import Image8


def scene() -> Image8:
    image = np.full((120, 160, 3), (60, 110, 70), np.uint8)
    cv2.ellipse(image, (50, 60), (25, 35), 0, 0, 360, (220, 60, 40), -1)
    cv2.rectangle(image, (100, 30), (140, 80), (40, 60, 200), -1)
    return image


def overlap(box: tuple[int, int, int, int], boxes: np.ndarray) -> float:
    x, y, w, h = box
    corner = np.minimum((x + w, y + h), boxes[:, :2] + boxes[:, 2:]) - np.maximum((x, y), boxes[:, :2])
    shared = np.prod(np.clip(corner, 0, None), axis=1)
    return float((shared / (w * h + np.prod(boxes[:, 2:], axis=1) - shared)).max())


@pytest.mark.parametrize("turns", range(4))
def test_ridges_are_thin_lie_on_the_edge_and_point_across_it(turns: int) -> None:
    image = np.full((60, 60, 3), 50, np.uint8)
    image[:, 30:] = 200
    found = edges(np.ascontiguousarray(np.rot90(image, turns)))
    strength, orientation = np.rot90(found.strength, -turns), np.rot90(found.orientation, -turns)
    assert set(np.unique(np.nonzero(strength[10:-10] > 0.1)[1])) <= {29, 30}
    across = 0 if turns % 2 == 0 else np.pi / 2
    assert np.allclose(np.abs(np.cos(orientation[10:-10, 29:31] - across)), 1, atol=0.05)
    assert found.orientation.min() >= 0 and found.orientation.max() < np.pi
    assert 0 <= found.strength.min() <= found.strength.max() <= 1


def test_drawn_objects_have_proposals_that_fit_them() -> None:
    proposals = edge_boxes(scene())
    for box in ((25, 25, 50, 70), (100, 30, 41, 51)):
        assert overlap(box, proposals.boxes) > 0.7  # what a search in steps of .65 promises


def test_proposals_lie_within_the_image_best_first_and_repeat() -> None:
    first, again = edge_boxes(scene()), edge_boxes(scene())
    assert np.array_equal(first.boxes, again.boxes) and np.array_equal(first.scores, again.scores)
    assert (first.boxes[:, :2] >= 0).all() and (first.boxes[:, 2:] >= 1).all()
    assert (first.boxes[:, :2] + first.boxes[:, 2:] <= (160, 120)).all()
    assert (np.diff(first.scores) <= 0).all() and first.scores.min() > 0
    assert len(edge_boxes(scene(), 7).boxes) == 7


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (20, 20)])
def test_an_image_without_edges_has_no_proposals(size: tuple[int, int]) -> None:
    proposals = edge_boxes(np.full((*size, 3), 128, np.uint8))
    assert proposals.boxes.shape == (0, 4) and proposals.scores.shape == (0,)
    assert choose(proposals, size).boxes.shape == (0, 4)


def test_the_choice_is_that_of_equation_4_one_at_a_time() -> None:
    rng = np.random.default_rng(0)
    boxes = np.concatenate([rng.integers(0, 90, (12, 2)), np.full((12, 2), 10)], axis=1).astype(np.int32)
    proposals = Proposals(boxes, np.sort(rng.random(12).astype(np.float32))[::-1])
    chosen = choose(proposals, (100, 100), 4)
    index = [int(np.flatnonzero((boxes == box).all(1))[0]) for box in chosen.boxes]
    assert index[0] == 0
    for k in range(1, 4):
        worth = [
            proposals.scores[i] / proposals.scores[0]
            + sum(np.hypot(*(proposals.centres[i] - proposals.centres[j])) for j in index[:k]) / np.hypot(100, 100) / k
            for i in range(12)
        ]
        rest = [i for i in range(12) if i not in index[:k]]
        assert index[k] == max(rest, key=lambda i: worth[i])


def test_the_choice_spreads_over_the_image() -> None:
    grid = np.array([[x, y, 10, 10] for x in range(0, 90, 10) for y in range(0, 90, 10)], np.int32)
    scores = np.where(grid[:, 0] < 30, 1.0, 0.8).astype(np.float32)
    chosen = choose(Proposals(grid, scores), (100, 100), 9)
    assert np.ptp(chosen.centres[:, 0]) > 60
    few = Proposals(grid[:3], scores[:3])
    assert choose(few, (100, 100), 9) is few
