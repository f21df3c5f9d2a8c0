"""The forms for inference equal the plain published ones: folded normalisation, strips of rows, both orders."""

import lps_samples
import mirm_samples
import pytest
import torch
from torch import Tensor, nn

from sodlift.backbones import BACKBONES
from sodlift.refiners.lps.refine import folded
from sodlift.refiners.mirm import fast
from sodlift.refiners.mirm.fast import FastMirm
from sodlift.refiners.mirm.network import Mirm, build, logit_of_mean
from sodlift.refiners.mirm.options import MirmOptions
from sodlift.training.fold import fold_norms

SIZE = (48, 72)
DISCRIMINATORS = pytest.mark.parametrize("discriminator", [{}, {"layers": 5}, {"both_orders": True}])


def inputs(batch: int = 1, priors: int = 3, size: tuple[int, int] = SIZE) -> tuple[Tensor, Tensor]:
    """Images and foreground weights, float64; each prior is sure of another share of its pixels."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, 3, *size, generator=generator, dtype=torch.float64)
    weights = torch.rand(batch, priors, *size, generator=generator, dtype=torch.float64)
    weights = weights * (weights > torch.linspace(0.2, 0.8, priors)[:, None, None])
    return x, weights / weights.sum(dim=(-2, -1), keepdim=True)


def calibrated(network: nn.Module) -> nn.Module:
    """A network whose normalisation has seen data, and whose activations keep their scale."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None
    network.train()
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.train()
        network(torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1)))
    return network.eval()


def plain_pair(mirm: Mirm, x: Tensor, weights: Tensor) -> Tensor:
    """The published form with 1x1 convolutions at the image's size, for any discriminator."""
    size, head = tuple(weights.shape[-2:]), mirm.discriminator
    taps = mirm.backbone(x)
    resized = [mirm_samples.resized(t, tuple(taps[0].shape[-2:])) for t in taps[::-1]]
    features = mirm.aspp(mirm.merge.blend(mirm.merge.squeeze(mirm.merge.mix(torch.cat(resized, dim=1)))))
    pixel, certain = (mirm_samples.resized(branch(features), size) for branch in (mirm.pixel, mirm.foreground))

    def judged(*pair: Tensor) -> Tensor:
        return head.last(head.between(head.act(head.norm(head.first(torch.cat(pair, dim=1))))))

    found = []
    for weight in weights.unbind(1):
        mean = (certain * weight[:, None]).sum(dim=(-2, -1), keepdim=True).expand_as(pixel)
        straight = judged(pixel, mean)
        found.append(logit_of_mean(straight, judged(mean, pixel)) if head.both_orders else straight)
    return torch.cat(found, dim=1)


@DISCRIMINATORS
def test_mirm_equals_the_published_form_in_float64(discriminator: dict) -> None:
    mirm = mirm_samples.network(**discriminator).double().eval()
    for layer in mirm.modules():
        if isinstance(layer, nn.PReLU):
            nn.init.constant_(layer.weight, -0.3 if layer is mirm.discriminator.act else 0.1)
    x, weights = inputs(batch=2)
    with torch.inference_mode():
        expected = plain_pair(mirm, x, weights)
        assert expected.std() > 0.01
        assert torch.allclose(FastMirm(mirm)(x, weights), expected, rtol=0, atol=1e-10)


@DISCRIMINATORS
def test_mirm_equals_the_published_form_in_float32(discriminator: dict) -> None:
    mirm = mirm_samples.network(**discriminator).eval()
    x, weights = (tensor.float() for tensor in inputs(batch=2))
    with torch.inference_mode():
        assert torch.allclose(FastMirm(mirm)(x, weights), plain_pair(mirm, x, weights), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_lite0", "resnet50", "vgg16"])
def test_mirm_on_a_real_backbone_equals_the_published_form(name: str) -> None:
    torch.manual_seed(0)
    backbone = BACKBONES.get(name)
    module = calibrated(backbone.build(backbone.choose(None)[1]))
    mirm = build(MirmOptions(backbone=name), backbone, module).double().eval()
    x, weights = inputs(priors=1, size=(64, 70))
    with torch.inference_mode():
        expected = plain_pair(mirm, x, weights)
        assert torch.allclose(FastMirm(mirm)(x, weights), expected, rtol=0, atol=1e-10 * expected.abs().max().item())


def test_every_normalisation_behind_a_convolution_is_folded() -> None:
    backbone = BACKBONES.get("mobilenet_v2")
    network = build(MirmOptions(), backbone, backbone.build(backbone.choose(None)[1]))
    assert not [layer for layer in FastMirm(network).modules() if isinstance(layer, nn.BatchNorm2d)]


def test_a_normalisation_before_a_convolution_or_on_a_shared_one_is_left_alone() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.one = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 3, padding=1)
            self.norm, self.two, self.last = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

        def forward(self, x: Tensor) -> Tensor:
            y = self.one(self.first(x))
            return self.last(self.two(y + self.norm(y)))

    torch.manual_seed(0)
    odd = Odd().double().eval()
    for norm in (odd.first, odd.norm, odd.last):
        nn.init.uniform_(norm.running_var, 0.5, 2)
        nn.init.normal_(norm.running_mean)
    x, _ = inputs()
    with torch.inference_mode():
        before = odd(x)
    assert fold_norms(odd) == 1
    assert isinstance(odd.last, nn.Identity) and not isinstance(odd.first, nn.Identity)
    with torch.inference_mode():
        assert torch.allclose(odd(x), before, rtol=0, atol=1e-12)


def test_strips_change_no_bit_worth_mentioning(monkeypatch: pytest.MonkeyPatch) -> None:
    network = FastMirm(mirm_samples.network().double().eval())
    x, weights = inputs()
    with torch.inference_mode():
        whole = network(x, weights)
        monkeypatch.setattr(fast, "STRIP", 5 * SIZE[1] * 64)  # strips of five rows, the last one of three
        assert torch.allclose(network(x, weights), whole, rtol=0, atol=1e-12)


def test_the_original_network_stays_as_it_was() -> None:
    mirm = mirm_samples.network().eval()
    before = {name: value.clone() for name, value in mirm.state_dict().items()}
    FastMirm(mirm)
    assert all(torch.equal(value, before[name]) for name, value in mirm.state_dict().items())
    assert all(parameter.requires_grad for parameter in mirm.parameters())


def test_float32_sums_under_bfloat16() -> None:
    network = FastMirm(mirm_samples.network().eval())
    x, weights = (tensor.float() for tensor in inputs())
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        encoded = network.encode(x)
        vectors = network.foreground_vectors(encoded, weights)
    assert encoded.foreground.dtype == torch.bfloat16
    assert vectors.dtype == torch.float32
    with torch.inference_mode():
        exact = network.foreground_vectors(type(encoded)(*(part.float() for part in encoded)), weights)
        assert torch.equal(vectors, exact)


@pytest.mark.parametrize("embedding", ["conv", "fc"])
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
def test_lps_folded_equals_the_published_form(embedding: str, dtype: torch.dtype, bound: float) -> None:
    x, prior = (tensor.to(dtype) for tensor in lps_samples.inputs())
    lps = lps_samples.network(embedding=embedding).to(dtype).eval()
    with torch.inference_mode():
        expected = lps_samples.plain_forward(lps, x, prior)
    with torch.inference_mode():
        found = folded(lps)(x, prior)
    assert not [layer for layer in lps.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert torch.allclose(found, expected, rtol=0, atol=bound)
