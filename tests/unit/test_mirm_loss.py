"""Labels, foreground weights and loss of MIRM."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from sodlift.refiners.mirm.loss import foreground_weights, labels, loss


def test_thresholds_include_their_own_value() -> None:
    prior = torch.tensor([0.3, 0.30001, 0.79999, 0.8]).view(1, 1, 1, 4)
    positive, known = labels(prior, 0.8, 0.3)
    assert positive.flatten().tolist() == [False, False, False, True]
    assert known.flatten().tolist() == [True, False, False, True]


def test_thresholds_on_8_bit_priors_are_230_204_and_76() -> None:
    prior = (torch.arange(256, dtype=torch.float32) / 255).view(1, 1, 1, 256)
    positive, known = labels(prior, 0.8, 0.3)
    assert int(positive.flatten().nonzero()[0]) == 204
    assert int((known & ~positive).flatten().nonzero()[-1]) == 76
    assert int(foreground_weights(prior, 0.9).flatten().nonzero()[0]) == 230


@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=12))
def test_foreground_weights_sum_to_one_or_vanish(values: list[float]) -> None:
    weights = foreground_weights(torch.tensor(values).view(1, 1, 1, -1), 0.9)
    assert float(weights.sum()) == pytest.approx(1.0 if max(values) >= np.float32(0.9) else 0.0, abs=1e-6)


def test_foreground_weights_are_each_images_own() -> None:
    prior = torch.tensor([[1.0, 0.9, 0.0], [0.95, 0.1, 0.1]]).view(2, 1, 1, 3)
    expected = torch.tensor([[1 / 1.9, 0.9 / 1.9, 0.0], [1.0, 0.0, 0.0]]).view(2, 1, 1, 3)
    assert torch.allclose(foreground_weights(prior, 0.9), expected)


def test_loss_is_the_mean_over_labelled_pixels_only() -> None:
    logits = torch.tensor([2.0, -1.0, 0.5, 9.0]).view(1, 1, 2, 2)
    prior = torch.tensor([0.9, 0.1, 0.2, 0.5]).view(1, 1, 2, 2)
    expected = functional.binary_cross_entropy_with_logits(torch.tensor([2.0, -1.0, 0.5]), torch.tensor([1.0, 0, 0]))
    assert torch.allclose(loss(logits, prior, 0.8, 0.3), expected)


def test_balanced_loss_gives_both_classes_one_half() -> None:
    logits = torch.tensor([2.0, -1.0, 0.5, 9.0]).view(1, 1, 2, 2)
    prior = torch.tensor([0.9, 0.1, 0.2, 0.5]).view(1, 1, 2, 2)
    own = functional.softplus(torch.tensor([-2.0, -1.0, 0.5]))
    expected = own[0] / 2 + own[1:].mean() / 2
    assert torch.allclose(loss(logits, prior, 0.8, 0.3, "balanced"), expected)


@pytest.mark.parametrize("weighting", ["none", "balanced"])
def test_batch_without_labels_gives_zero_not_nan(weighting: str) -> None:
    logits = torch.zeros(1, 1, 2, 2, requires_grad=True)
    value = loss(logits, torch.full((1, 1, 2, 2), 0.5), 0.8, 0.3, weighting)
    value.backward()
    assert value.item() == 0
    assert torch.equal(logits.grad, torch.zeros(1, 1, 2, 2))
