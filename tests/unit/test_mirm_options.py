"""Options of MIRM."""

import pytest

from sodlift.errors import ConfigError
from sodlift.options import build
from sodlift.refiners.mirm.options import MirmOptions


def test_default_preset_trains_the_foreground_vector_and_the_paper_preset_does_not() -> None:
    default, paper = build(MirmOptions, {}), build(MirmOptions, {"preset": "paper"})
    assert (default.batch, default.train_size, default.hflip) == (8, 256, True)
    assert (paper.batch, paper.train_size, paper.hflip, paper.backbone_norm) == (1, None, False, "batch")


def test_presets_share_the_published_thresholds_and_optimiser() -> None:
    for options in MirmOptions.presets().values():
        assert (options.theta_fg, options.theta_afg, options.theta_abg) == (0.9, 0.8, 0.3)
        assert (options.backbone_lr, options.head_lr, options.steps, options.power) == (5e-4, 5e-3, 20_000, 0.9)
        assert (options.momentum, options.weight_decay) == (0.9, 5e-3)


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        ({"theta_fg": 1.5}, "theta_fg"),
        ({"theta_abg": 0.8}, "theta_abg"),
        ({"batch": 0}, "batch"),
        ({"steps": 0}, "steps"),
        ({"size": 32}, "size"),
        ({"train_size": None}, "batch"),
        ({"head_lr": -1.0}, "head_lr"),
        ({"momentum": 1.0}, "momentum"),
        ({"invert": 2.0}, "invert"),
        ({"mode": "skip"}, "mode"),
        ({"theta_gf": 0.9}, "theta_gf"),
        ({"backbone": "mobilenet"}, "backbone"),
    ],
)
def test_senseless_options_are_refused_naming_the_key(mapping: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"refiners\.m\.options\.{key}"):
        build(MirmOptions, mapping, "refiners.m.options")
