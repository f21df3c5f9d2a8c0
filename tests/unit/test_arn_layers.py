"""ARN's recurrent layer against its equations, and its attention against the matrix that it never makes."""

from typing import Any

import pytest
import torch
from arn_samples import begin, dense_attention, plain_norm, unrolled
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from sodlift.detectors.arn.attention import SelfAttention, attend
from sodlift.detectors.arn.recurrent import RecurrentConv, he, neighbours, response_norm


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("channels", [16, 32, 64, 128, 256])
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_response_norm_is_equation_8_and_torchs_own_layer(channels: int, scale: float) -> None:
    x = scale * normal(2, channels, 3, 4)
    found = response_norm(x, neighbours(channels).double())
    assert torch.allclose(found, plain_norm(x), rtol=1e-7, atol=0)
    peer = nn.LocalResponseNorm(channels // 8 + 1, alpha=1e-3, beta=0.75, k=1.0)
    assert torch.allclose(found, peer(x), rtol=1e-7, atol=0)
    small = response_norm(x.float(), neighbours(channels))
    assert torch.allclose(small.double(), found, rtol=1e-5, atol=1e-6)


def test_response_norm_divides_alpha_by_the_window() -> None:
    x = torch.full((1, 16, 1, 1), 100.0, dtype=torch.float64)
    middle = response_norm(x, neighbours(16).double())[0, 8].item()
    assert middle == pytest.approx(100 / (1 + 1e-3 / 3 * 3 * 100**2) ** 0.75)


def test_response_norm_keeps_float32_under_autocast_and_float64_where_given() -> None:
    x = normal(1, 16, 4, 4, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found = response_norm(x.bfloat16(), neighbours(16))
    assert found.dtype == torch.float32
    assert torch.equal(found, response_norm(x.bfloat16().float(), neighbours(16)))
    assert response_norm(x.double(), neighbours(16)).dtype == torch.float64


def recurrent(times: int, inputs: int = 5) -> RecurrentConv:
    torch.manual_seed(0)
    layer = RecurrentConv(inputs, 16, times).double()
    nn.init.normal_(layer.feed.bias)
    return layer


@pytest.mark.parametrize("times", [0, 1, 3])
def test_recurrent_layer_is_its_unrolled_form_with_gradients(times: int) -> None:
    layer, u = recurrent(times), 20 * normal(2, 5, 6, 7)
    layer.near = neighbours(16).double()
    inputs = [u.requires_grad_(), layer.feed.weight, layer.feed.bias, layer.recur.weight]
    sides = [layer(u), unrolled(layer, u, times)]
    assert torch.allclose(*sides, rtol=0, atol=1e-6)
    weights = normal(*sides[0].shape, seed=1)
    grads = [torch.autograd.grad((x * weights).sum(), inputs, allow_unused=True) for x in sides]
    for one, other in zip(*grads, strict=True):
        assert (one is None and other is None and not times) or torch.allclose(one, other, rtol=1e-6, atol=1e-6)


def test_without_recurrent_weights_every_length_gives_the_same_map() -> None:
    maps = []
    for times in range(5):
        layer = recurrent(times)
        nn.init.zeros_(layer.recur.weight)
        maps.append(layer(normal(1, 5, 6, 6)))
    assert all(torch.equal(maps[0], other) for other in maps[1:])


def test_input_is_convolved_once_and_the_state_every_time_by_the_same_weights() -> None:
    layer, calls = recurrent(3), []
    for name in ("feed", "recur"):
        getattr(layer, name).register_forward_hook(lambda *_, name=name: calls.append(name))
    layer(normal(1, 5, 6, 6))
    assert calls == ["feed", "recur", "recur", "recur"]
    assert sum(p.numel() for p in layer.parameters()) == 9 * 5 * 16 + 16 + 9 * 16 * 16


@pytest.mark.parametrize("layer", [nn.Conv2d(64, 64, 3, padding=1), nn.ConvTranspose2d(64, 64, 4, stride=2, padding=1)])
def test_hes_start_keeps_the_mean_square_through_a_relu(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    torch.manual_seed(0)
    he(layer)
    with torch.inference_mode():
        found = torch.relu(layer(normal(2, 64, 24, 24, dtype=torch.float32)))[..., 2:-2, 2:-2]
    assert found.square().mean().item() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("channels", [1, 7, 16, 64])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (14, 14)])
def test_attention_is_the_dense_form_with_gradients(channels: int, size: tuple[int, int]) -> None:
    positions, inner = size[0] * size[1], max(channels // 8, 1)
    shapes = [(2, positions, inner), (2, positions, inner), (2, positions, channels)]
    parts = [normal(*shape, seed=i, dtype=torch.float32).requires_grad_() for i, shape in enumerate(shapes)]
    weights = normal(2, positions, channels, seed=9, dtype=torch.float32)
    sides = [attend(*parts), dense_attention(*parts)]
    assert torch.allclose(*sides, rtol=0, atol=1e-5)
    for one, other in zip(*(torch.autograd.grad((x * weights).sum(), parts) for x in sides), strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-5)


def test_attention_is_the_dense_form_at_the_second_finest_scale() -> None:
    parts = [normal(1, 56 * 56, c, seed=c, dtype=torch.float32) for c in (16, 16, 128)]
    assert torch.allclose(attend(*parts), dense_attention(*parts), rtol=0, atol=1e-5)


class Tensors(TorchDispatchMode):
    """Counts the numbers in every new tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        self.sizes += [x.numel() for x in (made if isinstance(made, tuple) else (made,)) if isinstance(x, Tensor)]
        return made


def test_no_tensor_of_positions_by_positions_is_made_forwards_or_backwards() -> None:
    layer, x = SelfAttention(16), normal(1, 16, 32, 32, dtype=torch.float32)
    with Tensors() as tensors:
        layer(x).sum().backward()
    assert max(tensors.sizes) == x.numel()
    with Tensors() as dense:
        dense_attention(*3 * [x.flatten(2).mT])
    assert max(dense.sizes) == (32 * 32) ** 2


def test_eight_maps_of_112_by_112_positions_need_less_than_a_gigabyte() -> None:
    layer, x = SelfAttention(64), normal(1, 64, 112, 112, dtype=torch.float32)
    with torch.inference_mode(), Tensors() as tensors:
        layer(x)
    assert 8 * 4 * sum(tensors.sizes) < 2**30  # as if every tensor, views too, were there at once


def attention(gamma: float) -> SelfAttention:
    torch.manual_seed(0)
    return begin(SelfAttention(16), gamma)


def test_attention_starts_as_the_identity_and_gamma_alone_learns() -> None:
    layer, x = attention(0.0), normal(2, 16, 5, 6, dtype=torch.float32)
    found = layer(x)
    assert torch.equal(found, x)
    (found * normal(*found.shape, seed=1, dtype=torch.float32)).sum().backward()
    assert [name for name, p in layer.named_parameters() if p.grad.abs().max() > 0] == ["gamma"]


def test_attention_starts_from_the_mean_of_all_positions_whatever_the_features_scale() -> None:
    layer, x = SelfAttention(16), 1000 * normal(1, 16, 5, 6, dtype=torch.float32)
    nn.init.ones_(layer.gamma)
    found = layer(x) - x
    assert torch.allclose(found, layer.h(x).mean(dim=(-2, -1), keepdim=True).expand_as(x), rtol=1e-4, atol=1e-2)


def test_once_gamma_has_moved_all_of_attention_learns() -> None:
    layer, x = attention(0.3).double(), normal(2, 16, 5, 6)
    found = layer(x)
    (found * normal(*found.shape, seed=1)).sum().backward()
    moved = {name for name, p in layer.named_parameters() if p.grad.abs().max() > 1e-9}
    assert moved == {name for name, _ in layer.named_parameters()} - {"f.bias"}  # alike for all keys: it cancels


def test_attention_is_that_of_the_equations() -> None:
    layer, x = attention(0.7), normal(1, 16, 4, 5, dtype=torch.float32)
    f, g, h = (part(x)[0].flatten(1) for part in (layer.f, layer.g, layer.h))
    weights = torch.softmax(f.T @ g, dim=0)  # s_ij = f(x_i)' g(x_j); each column sums to 1 over i
    expected = 0.7 * (h @ weights).reshape(1, 16, 4, 5) + x
    assert torch.allclose(layer(x), expected, rtol=0, atol=1e-5)


def test_attention_knows_no_places() -> None:
    layer, x = attention(0.7), normal(1, 16, 4, 6, dtype=torch.float32)
    order = torch.randperm(24, generator=torch.Generator().manual_seed(0))
    moved = layer(x.flatten(2)[..., order].reshape(x.shape))
    assert torch.allclose(moved.flatten(2), layer(x).flatten(2)[..., order], rtol=0, atol=1e-5)


def test_constant_features_get_their_own_value_back() -> None:
    layer, x = attention(0.7), torch.full((1, 16, 4, 4), 3.0)
    assert torch.allclose(layer(x), 0.7 * layer.h(x) + x, rtol=0, atol=1e-5)
