"""Decision boundaries of A2S on features made by hand, and the sign of an activation."""

import pytest
import torch
from torch import Tensor

from sodlift.detectors.a2s_labels.boundary import BOUNDARIES, MOMENTUM, Boundary, centred, sign


def features(*pixels: tuple[float, ...]) -> Tensor:
    """One image of one row, its pixels' features given: (1, C, 1, W)."""
    return torch.tensor(pixels, dtype=torch.float64).T[None, :, None]


THREE = features((1, 0), (2, 4), (6, 2))
"""Mean feature (3, 2)."""


@pytest.mark.parametrize(
    ("name", "vector", "expected"),
    [
        ("db1", (1, 1), (-1, 4, 6)),
        ("db2", (9, 9), (3, 14, 22)),
        ("db3", (9, 9), (-10, 1, 9)),
        ("db4", (2, -1), (-2, -4, 6)),
        ("db5", (9, 9), (-4, 1, 3)),
    ],
)
def test_boundaries_by_hand(name: str, vector: tuple[float, ...], expected: tuple[float, ...]) -> None:
    found = BOUNDARIES[name](THREE, torch.tensor(vector, dtype=torch.float64))
    assert found.shape == (1, 1, 1, 3)
    assert found.flatten().tolist() == list(expected)


def test_activation_is_the_sum_of_what_differs_from_the_images_own_mean() -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(2, 64, 5, 7, generator=generator, dtype=torch.float64)
    found = BOUNDARIES["db5"](x, torch.empty(0))
    for image, activation in zip(x, found, strict=True):
        pixels = image.flatten(1)
        expected = torch.stack([(pixels[:, n] - pixels.mean(dim=1)).sum() for n in range(35)]).view(1, 5, 7)
        assert torch.allclose(activation, expected, atol=1e-12)
    assert found.mean(dim=(1, 2, 3)).abs().max() < 1e-12, "0 lies between the sides whatever the features"


def test_constant_features_activate_nothing_and_keep_their_sign() -> None:
    flat = torch.full((1, 4, 3, 3), 0.75)
    activation = Boundary("db5", 4)(flat)
    assert torch.equal(activation, torch.zeros(1, 1, 3, 3))
    assert sign(activation).item() == 1


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ((5, -1, -1, -3), 1),  # the smaller side is the object
        ((1, 1, 1, -3), -1),
        ((2, 1, -1, -2), 1),  # an exact tie: the positive half is, where sign(1/2 - share) erases the map
        ((1, 1, 0, -2), 1),  # 0 is not positive
        ((1, 1, 1, 1), -1),
    ],
)
def test_sign_is_that_which_makes_the_smaller_side_positive(activation: tuple[float, ...], expected: int) -> None:
    assert sign(torch.tensor(activation, dtype=torch.float32).view(1, 1, 2, 2)).tolist() == [[[[expected]]]]


def test_each_image_has_a_sign_of_its_own() -> None:
    pair = torch.tensor([[1.0, 1, -2], [-1, -1, 2]]).view(2, 1, 1, 3)
    assert sign(pair).flatten().tolist() == [-1, 1]


def test_negated_features_give_the_same_signed_activation() -> None:
    x = torch.rand(3, 8, 5, 5, generator=torch.Generator().manual_seed(2))  # 25 pixels: no tie
    boundary = Boundary("db5", 8)
    one, other = (boundary(y) for y in (x, -x))
    assert torch.allclose(one * sign(one), other * sign(other))


def test_dataset_mean_is_the_batchs_in_training_and_a_running_one_after_it() -> None:
    boundary, x = Boundary("db1", 2), torch.cat([THREE, THREE + 2]).float()
    found = boundary(x)
    assert torch.allclose(found.mean(), torch.zeros(()), atol=1e-6)
    assert torch.allclose(boundary.mean, MOMENTUM * torch.tensor([4.0, 3.0]))
    before = boundary.mean.clone()
    evaluated = boundary.eval()(x)
    assert torch.equal(boundary.mean, before)
    assert torch.allclose(evaluated, (x - before.view(1, 2, 1, 1)).sum(1, keepdim=True))


def test_learned_weights_start_as_the_papers_boundary_and_are_learnt() -> None:
    boundary = Boundary("db4", 2)
    assert torch.equal(boundary(THREE), Boundary("db5", 2)(THREE))
    boundary(THREE).square().sum().backward()
    assert boundary.weight.grad is not None and (boundary.weight.grad != 0).all()
    assert [len(list(Boundary(name, 2).parameters())) for name in BOUNDARIES] == [0, 0, 0, 1, 0]


def test_half_precision_features_are_summed_in_single() -> None:
    assert Boundary("db5", 2)(THREE.bfloat16()).dtype == torch.float32
    assert torch.equal(centred(THREE).sum(dim=(2, 3)), torch.zeros(1, 2, dtype=torch.float64))
