"""What MIJR makes of superpixels: features, pseudo ground truth, trusted partners, and the pairs that are of use."""

from types import SimpleNamespace

import numpy as np
import pool_samples
import pytest
import torch
from mijr_samples import options

from sodlift.alignment.linking import Links
from sodlift.refiners.mijr.data import Instances, most_trusted
from sodlift.refiners.mijr.features import region_features
from sodlift.refiners.mijr.labels import agreement, pseudo_truth, shares
from sodlift.refiners.mijr.train import Drawn
from sodlift.training.task import Batch

SQUARE = np.zeros((30, 40), np.int32)
SQUARE[10:20, 10:20] = 1


def test_features_are_the_mean_of_a_superpixel_and_of_what_is_around_it_without_it() -> None:
    tap = torch.from_numpy((SQUARE == 1).astype(np.float32) * 5 + 1)[None]
    found = region_features([tap], SQUARE, 2)
    assert found.shape == (2, 2)
    np.testing.assert_allclose(found[:, 0], [1, 6], atol=1e-5)
    assert found[1, 1] == pytest.approx(1, abs=1e-4)  # the box around the square, less the square


def test_features_of_taps_at_any_scale_lie_where_the_superpixel_is() -> None:
    coarse = torch.zeros(2, 15, 20)
    coarse[0, 5:10, 5:10] = 1
    coarse[1] = 7
    found = region_features([coarse], SQUARE, 2)
    assert found[1, 0] > 0.9
    assert found[0, 0] < 0.05
    np.testing.assert_allclose(found[:, 1], 7, atol=1e-5)
    np.testing.assert_allclose(found[:, 3], 7, atol=1e-4)


def test_taps_follow_each_other_own_features_first() -> None:
    taps = [torch.full((1, 6, 8), 2.0), torch.full((2, 3, 4), 3.0)]
    np.testing.assert_allclose(region_features(taps, SQUARE, 2)[0], [2, 3, 3, 2, 3, 3], atol=1e-5)


def test_pseudo_truth_is_certain_inside_and_far_outside_an_object() -> None:
    image, mask = pool_samples.scene(0)
    foreground, background = pseudo_truth(image, np.clip(mask, 0.02, 0.98))
    assert not (foreground & background).any()
    assert foreground[mask > 0].mean() > 0.9
    assert background[mask == 0].mean() > 0.9
    right = agreement((foreground, background), mask > 0)
    assert right.mean() > 0.9
    assert not agreement((~foreground & False, ~background & False), mask > 0).any()


def test_an_empty_base_map_has_no_certain_foreground() -> None:
    image, mask = pool_samples.scene(1)
    foreground, background = pseudo_truth(image, np.zeros_like(mask))
    assert not foreground.any()
    assert background.all()


def test_shares_are_those_of_each_superpixel() -> None:
    mask = np.zeros((30, 40), bool)
    mask[10:15, 10:20] = True
    np.testing.assert_allclose(shares(SQUARE, 2, mask, ~mask), [[0, 1], [0.5, 0.5]], atol=1e-6)


def _aligned(links: list[list[list[int]]], costs: list[list[list[float]]]) -> SimpleNamespace:
    found = [
        SimpleNamespace(links=Links(np.array(one, np.int32), np.array(cost, np.float32)))
        for one, cost in zip(links, costs, strict=True)
    ]
    return SimpleNamespace(scene=SimpleNamespace(count=2), partners=tuple(found))


def test_the_most_trusted_partners_are_the_cheapest_links_of_all_images() -> None:
    inf = float("inf")
    found = most_trusted(
        _aligned([[[4, 5], [6, -1]], [[7, 8], [-1, -1]]], [[[0.2, 0.9], [0.5, inf]], [[0.1, 0.3], [inf, inf]]]), 3
    )
    np.testing.assert_array_equal(found.superpixel, [[7, 4, 8], [6, -1, -1]])
    np.testing.assert_array_equal(found.image, [[1, 0, 1], [0, -1, -1]])
    np.testing.assert_allclose(found.cost, [[0.1, 0.2, 0.3], [0.5, inf, inf]])


def test_without_partners_every_link_is_missing() -> None:
    found = most_trusted(SimpleNamespace(scene=SimpleNamespace(count=2), partners=()), 2)
    assert (found.superpixel == -1).all()
    assert np.isinf(found.cost).all()


def _instances(**changes: object) -> Instances:
    """Two images of two superpixels; each superpixel is linked to both of the other image."""
    held = {
        "starts": {"a": 0, "b": 2},
        "counts": {"a": 2, "b": 2},
        "features": np.zeros((4, 6), np.float16),
        "certain": np.array([[1, 0], [0, 1], [1, 0], [0.2, 0.2]], np.float32),
        "base": np.zeros(4, np.float32),
        "truth": np.array([1, 0, 1, 0], np.float32),
        "agreement": np.array([0.0, 1.0, 0.1, 0.0], np.float32),
        "partners": np.array([[2, 3], [2, 3], [0, 1], [-1, 1]], np.int32),
        "costs": np.array([[1, 2], [1, 2], [1, 2], [np.inf, 2]], np.float32),
        "learnt": ("a", "b"),
    }
    return Instances(**{**held, **changes})


def test_a_pair_is_of_use_where_the_base_is_wrong_and_the_partner_right() -> None:
    drawn = Drawn(_instances(), ["a", "b"], options())
    # superpixel 3 is uncertain, so that pairs with it do not count; superpixel 1's base is right already
    np.testing.assert_array_equal(drawn.valid, [[True, False], [True, False], [True, True], [False, True]])
    np.testing.assert_array_equal(drawn.useful, [[True, False], [False, False], [True, False], [False, True]])
    assert drawn.median_cost == 2


def test_an_image_without_a_mask_has_no_pair_of_use() -> None:
    truth = np.array([np.nan, np.nan, 1, 0], np.float32)
    drawn = Drawn(_instances(truth=truth), ["b"], options())
    assert not drawn.useful[:2].any()
    assert drawn.useful[2:].any()


def _batch(*samples: int) -> Batch:
    seeds = torch.tensor([17 + 31 * sample for sample in samples])
    images = torch.zeros(len(samples), 3, 8, 8, dtype=torch.uint8)
    return Batch(images, images[:, :1].float(), torch.zeros(len(samples)), seeds, torch.tensor(samples))


def test_pairs_of_use_and_others_are_drawn_as_three_to_five_where_there_are_both() -> None:
    drawn = Drawn(_instances(), ["a", "b"], options(instances=16))
    superpixels, which = drawn.pairs(_batch(0))
    assert drawn.useful[superpixels, which].sum() == 6
    assert (drawn.valid & ~drawn.useful)[superpixels, which].sum() == 10


def test_what_is_drawn_of_an_image_does_not_depend_on_its_batch() -> None:
    drawn = Drawn(_instances(), ["a", "b"], options())
    together = drawn.superpixels(_batch(0, 1))
    np.testing.assert_array_equal(together, np.concatenate([drawn.superpixels(_batch(i)) for i in (0, 1)]))
    assert set(together[:8]) <= {0, 1}
    assert set(together[8:]) <= {2, 3}


def test_pairs_hold_the_features_of_superpixel_and_partner() -> None:
    features = np.arange(24, dtype=np.float16).reshape(4, 6)
    drawn = Drawn(_instances(features=features), ["a", "b"], options())
    pairs = drawn.at(np.array([1, 2]), torch.device("cpu"))
    np.testing.assert_array_equal(pairs.own, features[[1, 2]])
    np.testing.assert_array_equal(pairs.partner, features[[[2, 3], [0, 1]]])
    np.testing.assert_allclose(pairs.trust, np.exp([[-0.5, -1], [-0.5, -1]]), atol=1e-6)
    one = drawn.at(np.array([1, 2]), torch.device("cpu"), np.array([1, 0]))
    np.testing.assert_array_equal(one.partner[:, 0], features[[3, 0]])
