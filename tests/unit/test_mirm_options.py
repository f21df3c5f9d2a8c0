"""Options of MIRM."""

import re
from dataclasses import replace

import pytest

from sodlift.errors import ConfigError
from sodlift.options import build
from sodlift.refiners.mirm.options import MirmOptions


def test_default_preset_trains_the_foreground_vector_and_the_paper_preset_does_not() -> None:
    default, paper = build(MirmOptions, {}), build(MirmOptions, {"preset": "paper"})
    assert (default.recipe.batch, default.train_size, default.recipe.hflip) == (8, 256, True)
    assert (paper.recipe.batch, paper.train_size, paper.recipe.hflip, paper.backbone_norm) == (1, None, False, "batch")


def test_presets_share_the_published_thresholds_and_optimiser() -> None:
    for options in MirmOptions.presets().values():
        recipe = options.recipe
        assert (options.theta_fg, options.theta_afg, options.theta_abg) == (0.9, 0.8, 0.3)
        assert (recipe.backbone_lr, recipe.head_lr, recipe.steps) == (5e-4, 5e-3, 20_000)
        assert (recipe.optimiser, recipe.momentum, recipe.weight_decay) == ("sgd", 0.9, 5e-3)
        assert (recipe.schedule, recipe.power, recipe.clip, recipe.crop) == ("poly", 0.9, None, 1.0)


def test_a_row_changes_parts_of_the_recipe_and_keeps_the_presets_rest() -> None:
    options = build(MirmOptions, {"preset": "paper", "recipe": {"steps": 9}})
    assert options.recipe == replace(MirmOptions.presets()["paper"].recipe, steps=9)


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        ({"theta_fg": 1.5}, "theta_fg"),
        ({"theta_abg": 0.8}, "theta_abg"),
        ({"recipe": {"batch": 0}}, "recipe.batch"),
        ({"recipe": {"warmup": 5}}, "recipe.warmup"),
        ({"size": 32}, "size"),
        ({"train_size": None}, "recipe.batch"),
        ({"invert": 2.0}, "invert"),
        ({"mode": "skip"}, "mode"),
        ({"theta_gf": 0.9}, "theta_gf"),
        ({"backbone": "mobilenet"}, "backbone"),
    ],
)
def test_senseless_options_are_refused_naming_the_key(mapping: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"refiners\.m\.options\.{re.escape(key)}"):
        build(MirmOptions, mapping, "refiners.m.options")
