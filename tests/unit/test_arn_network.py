"""ARN's network: its sizes as specified, any backbone, any image size, what learns and what does not."""

from dataclasses import replace

import pytest
import torch
from arn_samples import images, network, options
from mirm_samples import TINY, TinyBackbone
from torch import Tensor, nn

from sodlift.backbones import BACKBONES
from sodlift.detectors.arn.attention import SelfAttention
from sodlift.detectors.arn.network import Arn, chosen_taps
from sodlift.detectors.arn.options import ArnOptions
from sodlift.detectors.arn.recurrent import RecurrentConv
from sodlift.errors import ConfigError

VGG16 = BACKBONES.get("vgg16")


def published() -> Arn:
    torch.manual_seed(0)
    return Arn(VGG16.build(VGG16.choose(None)[1]), VGG16.taps, ArnOptions.presets()["paper"])


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_parameters_with_vgg16_are_counted_to_the_last() -> None:
    arn = published()
    attention = sum(2 * (c * (c // 8) + c // 8) + c * c + c + 1 for c in (512, 256, 128, 64))
    recurrent = sum(9 * i * o + o + 9 * o * o for i, o in ((512, 256), (256, 128), (128, 64)))
    enlarge = sum(16 * i * o + o for i, o in ((512, 256), (256, 128), (128, 64), (64, 32)))
    join = sum(9 * 2 * o * o + o for o in (256, 128, 64))
    assert count(arn.backbone) == 14_714_688
    assert count(arn) == 14_714_688 + attention + recurrent + enlarge + join + 9 * 32 + 1 == 21_808_757


def test_scales_have_the_widths_and_sizes_of_the_specification() -> None:
    arn, seen = published().eval(), []
    for module in arn.modules():
        if isinstance(module, SelfAttention | RecurrentConv):
            kind = type(module).__name__
            module.register_forward_hook(lambda _, __, out, kind=kind: seen.append((kind, *out.shape[1:])))
    with torch.inference_mode():
        (logits,) = arn(images((64, 96), batch=1))
    assert seen == [
        ("SelfAttention", 512, 4, 6),
        ("RecurrentConv", 256, 8, 12),
        ("SelfAttention", 256, 8, 12),
        ("RecurrentConv", 128, 16, 24),
        ("SelfAttention", 128, 16, 24),
        ("RecurrentConv", 64, 32, 48),
        ("SelfAttention", 64, 32, 48),
    ]
    assert logits.shape == (1, 1, 64, 96)


def test_training_starts_from_one_half_everywhere() -> None:
    torch.manual_seed(0)
    arn = Arn(TinyBackbone(), TINY.taps, options(side_weight=0.5))
    assert all(not logits.any() for logits in arn(100 * images((64, 64))))


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (17, 33), (31, 64), (50, 70), (64, 64)])
def test_images_of_any_size_get_logits_of_their_size(size: tuple[int, int]) -> None:
    found = network().train()(images(size))
    assert [tuple(logits.shape) for logits in found] == 4 * [(2, 1, *size)]
    assert all(logits.isfinite().all() for logits in found)


@pytest.mark.parametrize("strides", [(2, 4, 16), (4, 16), (2, 16), (4, 8)])
def test_scales_without_a_tap_are_passed_without_a_recurrent_layer(strides: tuple[int, ...]) -> None:
    arn = network(strides=strides, attention=())
    assert sum(isinstance(m, RecurrentConv) for m in arn.modules()) == len(strides) - 1
    assert len(arn.scales) == len(arn.strides) - 1
    assert arn.eval()(images((50, 70)))[0].shape == (2, 1, 50, 70)


@pytest.mark.parametrize("attention", [(), (16,), (4, 8, 16), (2, 4, 8, 16)])
def test_attention_is_at_the_scales_asked_for(attention: tuple[int, ...]) -> None:
    arn = network(attention=attention)
    holders = [(16, arn.attention), *zip(arn.strides[1:], (scale.attention for scale in arn.scales), strict=True)]
    assert tuple(sorted(s for s, layer in holders if isinstance(layer, SelfAttention))) == attention


def test_a_stride_that_the_backbone_lacks_is_named() -> None:
    taps = BACKBONES.get("mobilenet_v2").taps
    with pytest.raises(ConfigError, match=r"no tap of stride 8[\s\S]*\[2, 4, 16, 32\]"):
        chosen_taps(taps, (2, 4, 8, 16))


def test_of_several_taps_of_a_stride_the_deepest_is_taken() -> None:
    assert chosen_taps(BACKBONES.get("vgg16_dilated").taps, (2, 4)) == {2: 1, 4: 4}


def test_every_backbone_carries_arn() -> None:
    for name in BACKBONES.names():
        backbone = BACKBONES.get(name)
        strides = tuple(sorted({tap.stride for tap in backbone.taps} - {1}))
        chosen = options(backbone=name, strides=strides, attention=strides[-2:])
        arn = Arn(backbone.build(backbone.choose(None)[1]), backbone.taps, chosen).eval()
        with torch.inference_mode():
            assert arn(images((64, 96), batch=1))[0].shape == (1, 1, 64, 96), name


def test_side_maps_are_made_in_training_alone_and_only_where_they_weigh() -> None:
    x = images((64, 64))
    assert [len(network(side_weight=w).train(mode)(x)) for w in (0.5, 0.0) for mode in (True, False)] == [4, 1, 1, 1]


def gradients(arn: Arn) -> dict[str, Tensor | None]:
    weights = images((64, 48), seed=1)[:, :1]
    sum((logits * weights).sum() for logits in arn.train()(images((64, 48)))).backward()
    return {name: p.grad for name, p in arn.named_parameters()}


def test_every_parameter_learns() -> None:
    found = gradients(network())
    still = {name for name, grad in found.items() if grad is None or not grad.abs().max() > 0}
    assert not {name for name in still if not name.endswith("f.bias")}  # alike for all keys: it cancels


def test_frozen_backbone_gets_no_gradient_and_its_normalisation_does_not_move() -> None:
    arn = network(backbone_training="frozen")
    before = {name: buffer.clone() for name, buffer in arn.backbone.named_buffers()}
    found = gradients(arn)
    assert all((grad is None) == name.startswith("backbone.") for name, grad in found.items())
    assert all(torch.equal(before[name], buffer) for name, buffer in arn.backbone.named_buffers())


@pytest.mark.parametrize(("norm", "moves"), [("batch", True), ("frozen", False)])
def test_normalisation_of_a_tuned_backbone_follows_its_option(norm: str, moves: bool) -> None:
    arn = network(backbone_norm=norm)
    before = arn.backbone.stages[0][1].running_mean.clone()
    arn.train()(images((32, 32)))
    assert torch.equal(before, arn.backbone.stages[0][1].running_mean) != moves


def test_an_images_answer_does_not_depend_on_the_others() -> None:
    arn, x = network().eval(), images((48, 64), batch=3)
    with torch.inference_mode():
        together = arn(x)[0]
        alone = torch.cat([arn(one)[0] for one in x.split(1)])
    assert together.std() > 0.01
    assert torch.allclose(together, alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("value", [-2.0, 0.0, 1e3])
def test_constant_images_get_finite_answers(value: float) -> None:
    with torch.inference_mode():
        assert network().eval()(torch.full((1, 3, 64, 64), value))[0].isfinite().all()


def test_bfloat16_answers_nearly_the_same() -> None:
    arn, x = network().eval(), images((64, 64))
    with torch.inference_mode():
        exact = arn(x)[0]
        with torch.autocast("cpu", torch.bfloat16):
            rough = arn(x)[0]
    assert (rough - exact).abs().max() < 0.05 * exact.abs().max()


def test_presets_are_the_published_recipe_and_the_same_with_a_held_out_part() -> None:
    paper, default = ArnOptions.presets()["paper"], ArnOptions.presets()["default"]
    recipe = paper.recipe
    assert default == ArnOptions()
    assert (paper.backbone, paper.size, paper.side_weight, paper.attention) == ("vgg16", 224, 0.0, (2, 4, 8, 16))
    assert (recipe.optimiser, recipe.head_lr, recipe.backbone_lr, recipe.batch) == ("adam", 1e-4, 1e-4, 8)
    assert recipe.steps == 40 * 9500 / 8
    rates = [recipe.factor(epoch * recipe.steps // 40) for epoch in (0, 29, 30, 39)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1])
    assert (recipe.hflip, recipe.crop, recipe.keep) == (True, 1.0, "last")
    assert replace(default.recipe, crop=1.0, validation=0.0, validate_every=1000, keep="last") == recipe


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"backbone": "vgg61"}, "backbone"),
        ({"strides": (16,)}, "strides"),
        ({"strides": ()}, "strides"),
        ({"strides": (4, 2)}, "strides"),
        ({"strides": (2, 2, 4)}, "strides"),
        ({"strides": (1, 2)}, "strides"),
        ({"strides": (2, 6)}, "strides"),
        ({"strides": (-2, 4)}, "strides"),
        ({"width": 0}, "width"),
        ({"width": 24}, "width"),
        ({"attention": (32,)}, "attention"),
        ({"attention": (3,)}, "attention"),
        ({"recurrences": -1}, "recurrences"),
        ({"size": 15}, "size"),
        ({"side_weight": -0.5}, "side_weight"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(changes: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        options(**changes)


def test_scales_run_from_the_coarsest_to_the_finest_stride() -> None:
    assert options(strides=(2, 4, 16, 32), attention=(8,)).scales == (32, 16, 8, 4, 2)
    assert options(strides=(4, 8), attention=()).scales == (8, 4)
