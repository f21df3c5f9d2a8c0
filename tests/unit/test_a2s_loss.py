"""The losses of A2S's second stage against plain references, and SSIM against scikit-image too."""

import math

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d
from skimage.metrics import structural_similarity

from sodlift.detectors.a2s.loss import EPSILON, cross_entropy, losses, overlap, ssim


def maps(seed: int, size: tuple[int, int] = (20, 26)) -> torch.Tensor:
    return torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plain_ssim_map(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Wang et al.'s formula (2004) with a two-dimensional window, zeros beyond the border."""
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()

    def blur(z: np.ndarray) -> np.ndarray:
        return convolve2d(z, window, mode="same")

    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
    return ((2 * mx * my + 1e-4) * (2 * cov + 9e-4)) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))


def test_ssim_is_the_plain_formula() -> None:
    x, y = maps(1), (maps(2) > 0.5).double()
    expected = [plain_ssim_map(a[0].numpy(), b[0].numpy()).mean() for a, b in zip(x, y, strict=True)]
    assert ssim(x, y).tolist() == pytest.approx(expected, abs=1e-12)
    assert ssim(x, x).tolist() == pytest.approx([1, 1])


def test_ssim_agrees_with_scikit_image_away_from_the_border() -> None:
    """Which mirrors the border; the constants are the same for a range of 1."""
    x, y = (maps(seed)[0, 0].numpy() for seed in (3, 4))
    settings = {"data_range": 1.0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, full = structural_similarity(x, y, full=True, **settings)
    inside = (slice(5, -5), slice(5, -5))
    assert np.allclose(plain_ssim_map(x, y)[inside], full[inside], atol=1e-7)


def test_overlap_by_hand() -> None:
    x = torch.tensor([[0.5, 1.0], [0.0, 0.0]], dtype=torch.float64).view(1, 1, 2, 2)
    y = torch.tensor([[1.0, 1.0], [1.0, 0.0]], dtype=torch.float64).view(1, 1, 2, 2)
    assert overlap(x, y).item() == pytest.approx((1.5 + EPSILON) / (1.5 + 3 - 1.5 + EPSILON))
    empty = torch.zeros_like(x)
    assert overlap(empty, empty).item() == 1


def test_cross_entropy_by_hand() -> None:
    logits = torch.tensor([math.log(3), -math.log(3)], dtype=torch.float64).view(1, 1, 1, 2)
    target = torch.tensor([1.0, 1.0], dtype=torch.float64).view(1, 1, 1, 2)
    assert cross_entropy(logits, target).item() == pytest.approx(-(math.log(0.75) + math.log(0.25)) / 2)


def test_losses_add_up_and_labels_are_made_binary_at_a_half() -> None:
    logits, label = maps(5).float() * 4 - 2, maps(6).float()
    target, prediction = (label > 0.5).float(), torch.sigmoid(logits)
    expected = cross_entropy(logits, target) + 1 - ssim(prediction, target) + 1 - overlap(prediction, target)
    assert torch.allclose(losses(logits, label), expected)
    assert losses(logits, label).shape == (2,)
    assert torch.equal(losses(logits, label), losses(logits, target))


def test_losses_of_a_perfect_prediction_vanish() -> None:
    label = torch.zeros(1, 1, 16, 16)
    label[..., 4:9, 5:12] = 1
    assert losses(60 * label - 30, label).item() == pytest.approx(0, abs=1e-4)


def test_gradients_of_sure_and_wrong_answers_are_finite() -> None:
    logits = torch.tensor([80.0, -80.0, 0.0, 1.0]).view(1, 1, 2, 2).requires_grad_()
    losses(logits, torch.tensor([0.0, 1.0, 1.0, 0.0]).view(1, 1, 2, 2)).sum().backward()
    assert torch.isfinite(logits.grad).all()
