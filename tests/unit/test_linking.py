"""Superpixels of one image linked to those of another: what each level finds, and on images that give it little."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scene_samples import scene as picture

from sodlift.alignment.linking import LinkOptions, Links, link, proposal_costs
from sodlift.alignment.proposals import Proposals
from sodlift.alignment.scene import SIZE, Scene, scene
from sodlift.alignment.sift_flow import Matched, sift_flow
from sodlift.errors import ConfigError, DataError

LEVELS = ("flow", "mid", "bilevel")
STILL = Matched(np.zeros((*SIZE, 2), np.int32), np.full(SIZE, 1500, np.float32))
"""A flow that finds nothing: no displacement, at typical distances."""


def blob(left: int, seed: int) -> np.ndarray:
    """An ellipse in front of clouds of another colour."""
    rng = np.random.default_rng(seed)
    clouds = cv2.resize(rng.uniform(60, 130, (6, 8, 3)), (400, 300), interpolation=cv2.INTER_CUBIC)
    cv2.ellipse(clouds, (left, 150), (60, 75), 0, 0, 360, (235.0, 60.0, 40.0), -1)
    return np.clip(clouds, 0, 255).astype(np.uint8)


def on_blob(seen: Scene, left: int) -> np.ndarray:
    x, y = 2 * seen.centres.T
    return ((x - left) / 60) ** 2 + ((y - 150) / 75) ** 2 < 1


@pytest.fixture(scope="module")
def pair() -> tuple[Scene, Scene]:
    return scene(blob(170, 0)), scene(blob(220, 1))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(3))
def test_an_image_is_linked_to_itself_by_identity(level: str, seed: int) -> None:
    image = blob(200, seed) if seed else picture(seed)
    seen = scene(image)
    links = link(seen, seen, sift_flow(seen.describe(), seen.describe()), LinkOptions(level))
    assert np.array_equal(links.partner[:, 0], np.arange(seen.count))
    assert np.allclose(links.cost, 0, atol=1e-5)


def test_two_levels_link_objects_that_the_flow_alone_misses(pair: tuple[Scene, Scene]) -> None:
    ours, theirs = on_blob(pair[0], 170), on_blob(pair[1], 220)
    right = {}
    for level in LEVELS:
        partner = link(*pair, STILL, LinkOptions(level)).partner[:, 0]
        right[level] = (theirs[partner] & ours).sum() / (theirs[partner] | ours).sum()
    assert right["flow"] < 0.55 and right["bilevel"] > 0.8
    assert right["bilevel"] > right["flow"] + 0.2


def test_partners_are_in_order_of_cost_and_missing_ones_marked(pair: tuple[Scene, Scene]) -> None:
    for level in LEVELS:
        links = link(*pair, STILL, LinkOptions(level, top=40))
        assert links.partner.shape == links.cost.shape == (pair[0].count, 40)
        assert links.partner.dtype == np.int32 and links.cost.dtype == np.float32
        assert (links.partner[:, :30] >= 0).all() and (links.partner[:, 30:] == -1).all()
        assert (np.diff(links.cost[:, :30]) >= 0).all() and np.isinf(links.cost[:, 30:]).all()
        assert links.cost.min() >= 0
        assert all(len(set(row)) == 30 for row in links.partner[:, :30])
        first = link(*pair, STILL, LinkOptions(level))
        assert np.array_equal(first.partner, links.partner[:, :1])


def test_the_flow_s_cost_is_the_mean_distance_of_linked_pixels(pair: tuple[Scene, Scene]) -> None:
    first, second = pair
    distance = np.random.default_rng(0).uniform(500, 3000, SIZE).astype(np.float32)
    links = link(first, second, Matched(STILL.flow, distance), LinkOptions("flow", top=30, radius=1e6))
    for s in (0, 100, 300):
        here = first.labels == s
        for t, cost in zip(links.partner[s], links.cost[s], strict=True):
            linked = here & (second.labels == t)
            assert cost == pytest.approx(distance[linked].mean() / 1500 if linked.any() else 1.2, abs=1e-4)


def test_proposal_costs_are_those_of_equation_3(pair: tuple[Scene, Scene]) -> None:
    first, second = pair
    rng = np.random.default_rng(0)
    partner = rng.integers(0, second.count, (first.count, 3)).astype(np.int32)
    d = rng.random((first.count, 3)).astype(np.float32)
    g = proposal_costs(first, second, partner, d)
    assert g.shape == (len(first.proposals.boxes), len(second.proposals.boxes))
    for i, j in ((0, 0), (1, 5), (7, 2)):
        leaves, enters = first.inside[i][:, None] & (partner >= 0), second.inside[j][partner]
        joins = leaves & enters
        apart = 1 - 2 * joins.sum() / (leaves.sum() + enters.sum())
        expected = d[joins].mean() + apart if joins.any() else np.inf
        assert g[i, j] == pytest.approx(expected, rel=1e-4)


def test_boxes_that_no_link_joins_cost_infinity(pair: tuple[Scene, Scene]) -> None:
    first, second = pair
    far = int(np.argmin(second.inside.sum(axis=0)))  # all links lead to a superpixel that few boxes hold
    partner = np.full((first.count, 1), far, np.int32)
    g = proposal_costs(first, second, partner, np.ones((first.count, 1), np.float32))
    assert np.array_equal(np.isinf(g).all(axis=0), ~second.inside[:, far])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("flat", [0, 1])
def test_without_boxes_every_level_is_the_flow(pair: tuple[Scene, Scene], level: str, flat: int) -> None:
    scenes = list(pair)
    scenes[flat] = replace(scenes[flat], proposals=Proposals(np.empty((0, 4), np.int32), np.empty(0, np.float32)))
    alone, found = (link(*scenes, STILL, LinkOptions(one)) for one in ("flow", level))
    assert np.array_equal(alone.partner, found.partner) and np.array_equal(alone.cost, found.cost)


@pytest.mark.parametrize("level", LEVELS)
def test_one_superpixel_and_tiny_images_are_linked(pair: tuple[Scene, Scene], level: str) -> None:
    tiny = scene(np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8))
    one = scene(blob(200, 0), 1)
    assert one.count == 1
    for first, second in ((tiny, pair[0]), (pair[0], tiny), (one, pair[0]), (pair[0], one), (tiny, one), (one, one)):
        links = link(first, second, STILL, LinkOptions(level, top=2))
        assert links.partner.shape == (first.count, 2)
        assert (links.partner[:, 0] >= 0).all() and (links.partner < second.count).all()
        assert (links.partner[:, 1] == -1).all() == (second.count == 1)
        assert not np.isnan(links.cost).any()


def test_links_repeat_bit_for_bit(pair: tuple[Scene, Scene]) -> None:
    def made() -> Links:
        return link(scene(blob(170, 0)), scene(blob(220, 1)), STILL)

    first, again = made(), made()
    assert np.array_equal(first.partner, again.partner) and np.array_equal(first.cost, again.cost)


@pytest.mark.parametrize(
    ("name", "value"), [("level", "high"), ("top", 0), ("start", 0), ("radius", 0), ("sharpness", 0)]
)
def test_options_that_mean_nothing_are_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name):
        LinkOptions(**{name: value})


def test_a_flow_of_another_size_is_refused(pair: tuple[Scene, Scene]) -> None:
    with pytest.raises(DataError, match="describe"):
        link(*pair, Matched(np.zeros((9, 9, 2), np.int32), np.zeros((9, 9), np.float32)))
