"""The dilated VGG16 of LPS, and the decoder that it is pre-trained under."""

import torch
from lps_samples import options
from mirm_samples import TINY, TinyBackbone
from torch import nn

from sodlift.backbones import BACKBONES
from sodlift.refiners.lps.pretrain import Decoder

VGG16, DILATED = BACKBONES.get("vgg16"), BACKBONES.get("vgg16_dilated")


def built(name: str) -> nn.Module:
    backbone = BACKBONES.get(name)
    return backbone.build(backbone.choose(None)[1]).eval()


def test_dilated_vgg16_has_vgg16s_parameters_and_weights_files() -> None:
    assert DILATED.weights is VGG16.weights
    shapes = [{k: v.shape for k, v in built(name).state_dict().items()} for name in ("vgg16", "vgg16_dilated")]
    assert shapes[0] == shapes[1]
    assert sum(p.numel() for p in built("vgg16_dilated").parameters()) == 14_714_688


def test_dilated_vgg16_gives_five_taps_of_which_the_last_two_keep_a_quarter_of_the_size() -> None:
    with torch.inference_mode():
        taps = built("vgg16_dilated")(torch.randn(1, 3, 32, 64))
    assert [tuple(tap.shape[1:]) for tap in taps] == [(64, 32, 64), (128, 16, 32)] + [
        (channels, 8, 16) for channels in (256, 512, 512)
    ]


def test_dilated_vgg16_is_vgg16_up_to_its_third_block() -> None:
    dilated, pooled = built("vgg16_dilated"), built("vgg16")
    pooled.load_state_dict(dilated.state_dict())
    x = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        assert all(torch.equal(a, b) for a, b in zip(dilated(x)[1:3], pooled(x)[:2], strict=True))


def test_dilations_keep_the_field_of_view() -> None:
    convs = [m for m in built("vgg16_dilated").modules() if isinstance(m, nn.Conv2d)]
    assert [conv.dilation[0] for conv in convs] == [1] * 7 + [2] * 3 + [4] * 3
    assert all(conv.padding == conv.dilation for conv in convs)


def test_decoder_sees_three_taps_and_trains_the_backbone() -> None:
    torch.manual_seed(0)
    backbone = TinyBackbone()
    decoder = Decoder(backbone, TINY.taps, options()).train()
    logits = decoder(torch.randn(2, 3, 64, 32))
    assert logits.shape == (2, 1, 64, 32)
    assert [tuple(p.shape[:2]) for p in decoder.predict.parameters() if p.dim() == 4] == [(1, 32), (1, 33), (1, 33)]
    logits.square().sum().backward()
    assert all(p.grad is not None for p in backbone.parameters())
