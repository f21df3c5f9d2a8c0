"""MIJR's networks: what counts of a pair, the joint logit of Eq. 6, and the classifiers' weights."""

import math

import pytest
import torch
from mijr_samples import options
from mirm_samples import CHANNELS, TinyBackbone
from torch import nn

from sodlift.refiners.mijr.network import EVIDENCE, Mijr, Pairs, Scorer, Standard, joint_loss, trust_of
from sodlift.refiners.mijr.options import MijrOptions

C = sum(CHANNELS)


def _network(**changes: object) -> Mijr:
    torch.manual_seed(0)
    return Mijr(TinyBackbone(), C, 7, options(**changes)).eval()


def _pairs(count: int = 4, partners: int = 2) -> Pairs:
    torch.manual_seed(1)
    return Pairs(
        torch.randn(count, 2 * C),
        torch.randn(count, partners, 2 * C),
        torch.rand(count),
        torch.rand(count, partners, 2),
        torch.rand(count, partners) + 0.1,
        torch.ones(count, partners, dtype=torch.bool),
    )


def test_the_published_widths_make_five_layers_and_a_classifier() -> None:
    scorer = Scorer(16384, MijrOptions.presets()["paper"])
    linear = [layer for layer in scorer.modules() if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [1024, 512, 256, 128, 64, 1]
    assert sum(isinstance(layer, nn.Dropout) for layer in scorer.modules()) == 2
    # 16384*1024 + 1024*512 + 512*256 + 256*128 + 128*64 + 64, and the biases
    assert sum(p.numel() for p in scorer.parameters()) == 17_473_600 + 1985


def test_evidence_is_beside_the_features_or_not_there() -> None:
    with_it, without = Standard(C, evidence=True), Standard(C, evidence=False)
    assert with_it(_pairs()).shape == (4, 2, 4 * C + EVIDENCE)
    assert without(_pairs()).shape == (4, 2, 4 * C)
    changed = _pairs()._replace(base=torch.rand(4), certain=torch.rand(4, 2, 2))
    assert torch.equal(without(_pairs()), without(changed))


def test_the_joint_logit_is_the_trusted_mean_of_the_pairs_that_passed() -> None:
    network, pairs = _network(filtered=False), _pairs()
    pairs.valid[0, 1] = False
    found = network(pairs)
    assert torch.equal(found.passed, pairs.valid)
    torch.testing.assert_close(found.joint[0], found.single[0, 0])
    weight = pairs.trust[1] / pairs.trust[1].sum()
    torch.testing.assert_close(found.joint[1], (weight * found.single[1]).sum())


def test_a_superpixel_of_which_no_pair_passed_has_no_joint_logit_and_no_joint_loss() -> None:
    network, pairs = _network(), _pairs()
    pairs.valid[2] = False
    found = network(pairs)
    assert found.joint[2] == 0
    truth = torch.ones(4)
    alone = network(Pairs(*(part[2:3] for part in pairs)))
    assert joint_loss(alone, truth[2:3], pairs.valid[2:3], network.alpha()) == 0


def test_the_filter_decides_which_pairs_pass() -> None:
    network, pairs = _network(), _pairs()
    logits = network.filter(pairs)
    assert torch.equal(network(pairs).passed, torch.sigmoid(logits) > 0.5)
    nn.init.constant_(network.filter.scorer.layers[-1].bias, 50)
    assert network(pairs).passed.all()


def test_training_the_classifiers_leaves_filter_and_backbone_alone() -> None:
    network = _network().train()
    assert not network.backbone.training
    assert not network.filter.training
    assert network.classifiers.training
    network(_pairs()).single.sum().backward()
    assert all(p.grad is None for p in network.filter.parameters())
    assert all(p.grad is not None for p in network.classifiers.parameters())


def test_alpha_is_finite_and_positive_whatever_the_error() -> None:
    network = _network()
    network.error.copy_(torch.tensor([0.0, 0.9]))
    alpha = network.alpha()
    assert alpha[0] == pytest.approx(0.5 * math.log(99))
    assert 0 < alpha[1] < 0.03


def test_errors_run_towards_the_share_of_wrong_answers_of_valid_pairs() -> None:
    network = _network()
    single = torch.tensor([[2.0, -1.0], [2.0, 1.0]])
    for _ in range(500):
        network.observe(single, torch.tensor([1.0, 0.0]), torch.tensor([[True, True], [True, False]]))
    torch.testing.assert_close(network.error, torch.tensor([0.5, 1.0]), atol=1e-3, rtol=0)


def test_trust_falls_with_cost_and_is_nothing_without_a_link() -> None:
    found = trust_of(torch.tensor([0.0, 2.0, float("inf")]), torch.tensor(2.0))
    torch.testing.assert_close(found, torch.tensor([1.0, math.exp(-1), 0.0]))


def test_the_joint_loss_is_that_of_the_joint_logit_plus_the_weighted_own_ones() -> None:
    network, pairs = _network(filtered=False), _pairs()
    found, truth = network(pairs), torch.tensor([1.0, 0, 1, 0])
    alpha = torch.tensor([0.5, 2.0])
    bce = nn.BCEWithLogitsLoss(reduction="sum")
    expected = bce(found.joint, truth) + sum(alpha[m] * bce(found.single[:, m], truth) for m in (0, 1))
    torch.testing.assert_close(joint_loss(found, truth, pairs.valid, alpha), expected)
